"""An input that may open under a hand that is still typing: what came before it could be read is known as early."""

from textual import events
from textual.widgets import Input

ARMED_AFTER = 1.0
"""Seconds after it is shown: keys typed ahead were meant for the screen before."""


class ArmedInput(Input):
    """Has the focus at once. `shown_at` is on the clock of Textual's events, None until it is drawn."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, select_on_focus=False)
        self.shown_at: float | None = None

    def on_mount(self) -> None:
        self.focus()
        self.call_after_refresh(self.drawn)

    def drawn(self) -> None:
        self.shown_at = events.Event().time

    def is_early(self, event: events.Event) -> bool:
        """A key's time is that of the read that brought it, however late it is dealt with."""
        return self.shown_at is None or event.time - self.shown_at < ARMED_AFTER


def keep_from_input(event: events.Event) -> None:
    """`Input`'s own handler does not see it."""
    event.stop()
    event.prevent_default()
