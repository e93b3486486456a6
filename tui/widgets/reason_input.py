"""An input for the operator's own words: it listens only once what it answers could be read."""

from textual import events
from textual.message import Message

from tui.widgets.armed_input import ARMED_AFTER, ArmedInput, keep_from_input


class ReasonInput(ArmedInput):
    """What is typed within `ARMED_AFTER` of its being shown was meant for the screen before, and is dropped."""

    class Armed(Message):
        """From now on it listens."""

    class Dropped(Message):
        """Something came too early."""

    def drawn(self) -> None:
        super().drawn()
        self.set_timer(ARMED_AFTER, lambda: self.post_message(self.Armed()))

    async def _on_key(self, event: events.Key) -> None:
        """What it lets through goes on to `Input`'s own handler."""
        if event.is_printable or event.key == "enter":
            self._drop_early(event)

    def _on_paste(self, event: events.Paste) -> None:
        self._drop_early(event)

    def _drop_early(self, event: events.Event) -> None:
        if self.is_early(event):
            keep_from_input(event)
            self.post_message(self.Dropped())
