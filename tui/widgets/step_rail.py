"""At the left: the steps in their order, how each one stands, and which one is looked at."""

from rich.text import Text

from tui.look import Look
from tui.session_view import SessionView
from tui.widgets.steady_text import SteadyText

SHORT = {"fetch-backup-timestamp": "fetch B", "fetch-fast-forward-timestamp": "fetch F"}
WORDS = {"pending": "", "intended": "running", "performed": "proving", "verified": "proven", "failed": "failed"}


class StepRail(SteadyText):
    """One step takes two lines: its title's short name, and its state in words."""

    DEFAULT_CSS = """
    StepRail { width: 25; height: 1fr; padding: 1 1 0 1; background: $surface; }
    """

    def __init__(self, view: SessionView, look: Look, shown: str) -> None:
        super().__init__()
        self._view = view
        self._look = look
        self._looked_at = shown

    def redraw(self) -> None:
        lines = Text()
        for number, name in enumerate(self._view.steps, 1):
            lines.append_text(self._step(number, name))
        self.show(lines)

    def _step(self, number: int, name: str) -> Text:
        state, status = self._view.state.step(name), self._view.status(name)
        is_current = name == self._view.current
        sign = self._look.glyphs.of("running" if is_current and status == "pending" else status)
        style = (
            "bold reverse" if name == self._looked_at else "bold" if is_current else "" if state.is_settled else "dim"
        )
        shown = Text(f"{sign} {number} {SHORT.get(name, name)}", style=style)
        word = WORDS.get(status, status)
        if is_current and status == "pending":
            word = "now"
        return Text.assemble(shown, "\n", (f"    {word}", "dim"), "\n")
