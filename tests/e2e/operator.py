"""A scripted operator at a real terminal: reads the screen, and presses what a careful person would."""

import re
from collections.abc import Sequence

from tests.e2e.terminal import PATIENCE, Terminal, flat

COMPLETE = re.compile("(Restore|Backup) complete")
BEGINS = re.compile(r" n begins [\w-]+:")
PACES = (0.06, 0.12, 0.25, 0.25, 0.5, 0.5)
"""Seconds between two keys, slower from try to try: on a busy machine keys that lie close together come in one read."""


class Operator:
    def __init__(self, terminal: Terminal, *, patience: float = PATIENCE) -> None:
        """`patience`: seconds that one step may take."""
        self.terminal = terminal
        self._patience = patience

    def until(self, step: str) -> None:
        """As far as the moment at which Next would begin this step; "" is the end."""
        while True:
            screen = flat(self.terminal.wait_until(self._wants_something, "something to do", self._patience))
            if COMPLETE.search(screen) if not step else f" n begins {step}:" in screen:
                return
            self._act_on(screen)

    def begin(self, *, asks: bool = False) -> None:
        """Press Next, and answer what the step asks first, if it asks."""
        self._press_next(flat(self.terminal.wait_until(self._wants_something, "something to do", self._patience)))
        if asks:
            self.terminal.wait_until(self._has_dialog, "the question's dialog")
            self._answer()

    def _press_next(self, screen: str) -> str:
        """Once; the screen after it has done something. A person looks before pressing again."""
        begins = BEGINS.search(screen)
        self.terminal.press("n")
        return flat(
            self.terminal.wait_until(
                lambda shown: begins[0] not in flat(shown) if begins else flat(shown) != screen, "what Next does"
            )
        )

    def _wants_something(self, screen: str) -> bool:
        shown = flat(screen)
        said = any(word in shown for word in ("n answers:", "n tries", "Next is closed"))
        return said or any(pattern.search(shown) for pattern in (COMPLETE, BEGINS))

    def _act_on(self, screen: str) -> None:
        if "n answers:" in screen:
            self._answer()
        elif "Next is closed" in screen:
            raise AssertionError(f"guards refuse:\n{self.terminal.screen()}")
        else:
            self._press_next(screen)

    def _answer(self) -> None:
        screen = flat(self.terminal.wait_until(self._has_dialog_or_none_to_come, "the question's dialog"))
        if "Type exactly:" in screen:
            self.confirm()
        if "Enter answers" not in screen:
            return
        self.terminal.type("all stopped, I looked")
        self.terminal.press("Enter")
        self.terminal.wait_until(lambda shown: "Esc goes back" not in flat(shown), "the end of the question")

    def _has_dialog_or_none_to_come(self, screen: str) -> bool:
        return self._has_dialog(screen) or "n answers:" not in flat(screen)

    def _has_dialog(self, screen: str) -> bool:
        """One that listens: for a second a line for words drops what is typed, and says so."""
        return any(words in flat(screen) for words in ("Type exactly:", "Enter answers"))

    def confirm(self, paces: Sequence[float] = PACES) -> None:
        """Type the phrase as a person does, look whether it stands there, and only then press Enter.

        On a busy machine two keys may arrive in one read; the dialog then wants it all again.
        """
        screen = flat(self.terminal.wait_for("Type exactly:"))
        found = re.search(r"Type exactly: (.+? on \S+)", screen)
        assert found, screen
        for apart in paces:
            self.terminal.type(found[1], apart=apart)
            if self._stands_there(found[1]):
                self.terminal.press("Enter", after=apart)
                screen = self.terminal.wait_until(self._is_decided, "the end of the question")
                if "Type exactly:" not in flat(screen):
                    return
            self.terminal.press("C-u", after=apart)
        raise AssertionError(f"the phrase could not be typed:\n{self.terminal.screen()}")

    def _is_decided(self, screen: str) -> bool:
        """Confirmed, or thrown away."""
        shown = flat(screen)
        return "Type exactly:" not in shown or "no default" in shown.replace("there is no default", "")

    def _stands_there(self, phrase: str) -> bool:
        """Whether the input holds these words and nothing else."""
        alone = re.compile(r"[^\w\s]\s*" + re.escape(phrase) + r"\s*[^\w\s]")

        def stands(screen: str) -> bool:
            lines = [line for line in screen.splitlines() if "Type exactly" not in line]
            return any(alone.search(line) for line in lines)

        try:
            self.terminal.wait_until(stands, "the phrase", patience=2.0)
        except AssertionError:
            return False
        return True
