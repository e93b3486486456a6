"""The session's log, as the journal tells it, at the foot of a screen."""

from textual.widgets import Log

from tui.session_view import SessionView


class LogPane(Log):
    DEFAULT_CSS = """
    LogPane { height: 9; border-top: solid $primary; background: $surface; display: none; }
    LogPane.-shown { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(max_lines=5_000, auto_scroll=True)
        self._written = 0

    def redraw(self, view: SessionView) -> None:
        """Only what is new is written."""
        fresh = min(view.log_length - self._written, len(view.log))
        if fresh > 0:
            self.write_lines(list(view.log)[-fresh:])
        self._written = view.log_length
