"""An input for words that must be typed by a person: nothing pasted, nothing held down, nothing sent in one go."""

from textual import events
from textual.message import Message
from textual.widgets import Input

APART = 0.020
"""Seconds. Characters closer together than this came in one read, or from a paste."""
ARMED_AFTER = 1.0
"""Seconds after it is shown until Enter counts: keys typed ahead confirm nothing."""


class PhraseInput(Input):
    """Compares case, spaces and all. What was not typed by hand is thrown away, with a word why."""

    class Confirmed(Message):
        def __init__(self, phrase: str) -> None:
            super().__init__()
            self.phrase = phrase

    def __init__(self, phrase: str) -> None:
        super().__init__(placeholder="no default", select_on_focus=False)
        self._phrase = phrase
        self._last_key = 0.0
        self._shown_at = 0.0

    def on_mount(self) -> None:
        self.focus()
        self.call_after_refresh(self._arm)

    def _arm(self) -> None:
        self._shown_at = events.Event().time

    async def _on_key(self, event: events.Key) -> None:
        """What it lets through goes on to `Input`'s own handler."""
        since, self._last_key = event.time - self._last_key, event.time
        if event.is_printable and since < APART:
            event.stop()
            event.prevent_default()
            self._void("Several characters came at once. Type it by hand.")
        elif event.key == "enter":
            event.stop()
            event.prevent_default()
            self._confirm(event.time)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self._void("Pasting is refused. Type it by hand.")

    def _confirm(self, now: float) -> None:
        if not self._shown_at or now - self._shown_at < ARMED_AFTER:
            self._void("That came before the question could be read.")
        elif self.value == self._phrase:
            self.post_message(self.Confirmed(self.value))
        else:
            self._void("These are not the words: case and spaces count. Nothing was done.")

    def _void(self, why: str) -> None:
        self.value = ""
        self.notify(why, severity="warning", markup=False)
