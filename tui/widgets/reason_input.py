"""An input for the operator's own words: it listens only once what it answers could be read."""

from textual import events
from textual.message import Message
from textual.widgets import Input

from tui.widgets.phrase_input import ARMED_AFTER


class ReasonInput(Input):
    """What is typed within `ARMED_AFTER` of its being shown was meant for the screen before, and is dropped."""

    class Armed(Message):
        """From now on it listens."""

    class Dropped(Message):
        """Something came too early."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, select_on_focus=False)
        self.shown_at: float | None = None
        """On the clock of Textual's events."""

    def on_mount(self) -> None:
        self.focus()
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        self.shown_at = events.Event().time
        self.set_timer(ARMED_AFTER, lambda: self.post_message(self.Armed()))

    async def _on_key(self, event: events.Key) -> None:
        """What it lets through goes on to `Input`'s own handler."""
        if event.is_printable or event.key == "enter":
            self._drop_early(event)

    def _on_paste(self, event: events.Paste) -> None:
        self._drop_early(event)

    def _drop_early(self, event: events.Event) -> None:
        """A key's time is that of the read that brought it, however late it is dealt with."""
        if self.shown_at is None or event.time - self.shown_at < ARMED_AFTER:
            event.stop()
            event.prevent_default()
            self.post_message(self.Dropped())
