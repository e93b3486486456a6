"""An input for words that must be typed by a person: nothing pasted, nothing typed ahead, nothing sent in one go."""

from textual import events
from textual.message import Message

from tui.widgets.armed_input import ArmedInput, keep_from_input

APART = 0.020
"""Seconds. Characters closer together than this came in one read, or from a paste."""
LONGEST_SHOWN = 30

PASTED = "Pasting is refused. Type it by hand."
AT_ONCE = "Several characters came at once. Type it again, by hand."
TOO_EARLY = "That came before the question could be read. Type it now."
RESIZED = "The screen changed its size meanwhile. Read it again, then type it again."
EMPTY = "Enter alone confirms nothing: there is no default."


class PhraseInput(ArmedInput):
    """Compares case, spaces and all. What was not typed by hand is thrown away, with a word why."""

    class Confirmed(Message):
        def __init__(self, phrase: str) -> None:
            super().__init__()
            self.phrase = phrase

    class Refused(Message):
        """`why` in a sentence for the operator."""

        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    def __init__(self, phrase: str) -> None:
        super().__init__("no default")
        self._phrase = phrase
        self._last_key = 0.0

    async def _on_key(self, event: events.Key) -> None:
        """What it lets through goes on to `Input`'s own handler. A key's time is that of the read that brought it."""
        since, self._last_key = event.time - self._last_key, event.time
        is_enter = event.key == "enter"
        if (event.is_printable or is_enter) and since < APART:
            keep_from_input(event)
            self.refuse(AT_ONCE)
        elif is_enter:
            keep_from_input(event)
            self._enter(event)

    def _on_paste(self, event: events.Paste) -> None:
        keep_from_input(event)
        self.refuse(PASTED)

    def action_paste(self) -> None:
        """From the application's own clipboard."""
        self.refuse(PASTED)

    def refuse(self, why: str) -> None:
        """Throw away what was typed so far."""
        self.value = ""
        self.post_message(self.Refused(why))

    def _enter(self, event: events.Key) -> None:
        if self.is_early(event):
            self.refuse(TOO_EARLY)
        elif self.value == self._phrase:
            self.post_message(self.Confirmed(self.value))
        else:
            self.post_message(self.Refused(difference(self.value, self._phrase) if self.value else EMPTY))


def difference(typed: str, phrase: str) -> str:
    """Where what was typed first differs from the phrase; it stays there to be mended."""
    same = next((at for at, (a, b) in enumerate(zip(typed, phrase, strict=False)) if a != b), None)
    if same is None:
        same = min(len(typed), len(phrase))
    alike = phrase[:same] if same <= LONGEST_SHOWN else f"…{phrase[same - LONGEST_SHOWN : same]}"
    before = f"after “{alike}”" if same else "at its very beginning"
    return f"Not these words: it differs {before}. Case and spaces count. Nothing was done."
