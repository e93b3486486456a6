"""An operator who practises by keys alone: reads the screen, presses keys, makes the moves of a scenario's script."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import OptionList

from atlasdb_recovery.practice.scenarios.script import Act, Move, Next, Script
from atlasdb_recovery.procedure.front_end import Choice
from screens.dialogs.choice import ChoiceDialog
from screens.dialogs.confirm_phrase import ConfirmPhraseDialog
from screens.dialogs.typed_reason import TypedReasonDialog
from screens.dialogs.words import WordsDialog
from tests.screens.removal_feed import flat
from tests.screens.typist import Typist
from tui.app import RecoveryApp
from tui.bridge import Failed, Refused, ToAnswer, ToBegin, Waiting
from tui.step_screen import StepScreen
from tui.widgets.armed_input import ARMED_AFTER
from tui.widgets.reason_input import ReasonInput

LOOKED_AT_EVERY = 0.05
PATIENCE = 90.0
"""Seconds until what should have come is missed."""
PHRASE = re.compile(r"Type exactly: (practice remove \d+ from \S+ on \S+)")
CHOSEN = {Next.RESUME: "again", Next.BEGIN_AGAIN: "anew", Next.LEAVE: "debrief"}
"""What is asked once a session has stopped."""


def sentence(waiting: Waiting | None) -> str:
    """How the line above the keys begins while the session waits for this; None once it has ended."""
    match waiting:
        case ToBegin(step=step):
            return f"n begins {step}: "
        case Refused(refusals=refusals):
            first = next((check for check in refusals if check.status == "blocked"), None)
            return f"Next is closed: {first.guard if first is not None else ''}"
        case Failed():
            return "n tries this step again"
        case _:
            return "n goes on from here"


class ScreenOperator:
    """Sits at the application. `seen` are the words that dialogs of the practice world told, in order."""

    def __init__(self, app: RecoveryApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot
        self.typist = Typist(app, pilot)
        self.seen: list[str] = []
        self._moves: list[Move] = []
        self._before: dict[str, tuple[Act, ...]] = {}

    @property
    def text(self) -> str:
        """The whole screen as one line of single spaces."""
        lines = (strip.text for strip in self.app.screen._compositor.render_strips())
        return " ".join(" ".join(lines).translate(dict.fromkeys(map(ord, "│┃▔▁"), " ")).split())

    @property
    def told(self) -> str:
        """What notices say, beside what stands behind them."""
        return self._within("Toast")

    @property
    def dialog(self) -> str:
        """What a dialog says, without what stands beside it."""
        return self._within(".dialog")

    def _within(self, selector: str) -> str:
        regions = [widget.region for widget in self.app.screen.query(selector)]
        strips = [strip.text for strip in self.app.screen._compositor.render_strips()]
        lines = [line[region.x : region.right] for region in regions for line in strips[region.y : region.bottom]]
        return " ".join(" ".join(lines).translate(dict.fromkeys(map(ord, "▌▐┃│▔▁"), " ")).split())

    async def until_told(self, words: str) -> None:
        await self.until(lambda: words in self.told, words)

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    await self.pilot.pause(LOOKED_AT_EVERY)
        except TimeoutError:
            raise AssertionError(f"{what} did not come:\n{self.text}") from None

    async def until_shown(self, words: str) -> None:
        await self.until(lambda: words in self.text, words)

    async def choose(self, key: str) -> None:
        """In the list that is shown: the cursor goes down to this answer, and Enter takes it."""
        choices = self.app.screen.query_one(OptionList)
        for _ in range(choices.option_count + 1):
            option = choices.highlighted_option
            if option is not None and option.id == key:
                await self.pilot.press("enter")
                return
            await self.pilot.press("down")
        raise AssertionError(f"there is no {key} in:\n{self.text}")

    # from the welcome screen to the page

    async def take_on(self, scenario: str) -> None:
        await self.until_shown("Practise")
        await self.choose("practise")
        await self.until_shown("choose a scenario")
        while "time runs instant" not in self.text:
            await self.pilot.press("s")
        await self.choose(scenario)
        await self.until_shown("n begins the ")

    # the restore

    async def play(self, script: Script) -> None:
        """Until the debriefing is on the screen; every move must have been wanted."""
        self._moves, self._before = list(script.moves), dict(script.before)
        await self.pilot.press("n")
        while True:
            waiting = await self.decision()
            if isinstance(waiting, ToBegin):
                for act in self._before.pop(waiting.step, ()):
                    await self.act(act.key)
                await self.press("n")
            elif isinstance(waiting, ToAnswer):
                await self.answer()
            elif waiting is not None:
                await self.decide(is_refused=isinstance(waiting, Refused))
            elif await self._is_over():
                break
        assert not self._moves
        await self.until_shown("DEBRIEF:")

    async def decision(self) -> Any:
        """What the operator has to decide now, once the screen says so; None where the session has ended."""
        await self.until(lambda: self.is_idle and (self.says_so or self._is_told_why), "something to decide")
        if self._is_told_why:
            self.seen.append(self.text)
            await self.pilot.press("escape")
            await self.until(lambda: self.says_so, "the session's screen")
        return self.waiting

    @property
    def _is_told_why(self) -> bool:
        """Why the session has stopped, where it could not say so itself."""
        return isinstance(self.app.screen, WordsDialog) and self.waiting is None

    @property
    def waiting(self) -> Any:
        return None if self.app.bridge is None else self.app.bridge.waiting

    @property
    def is_idle(self) -> bool:
        return self.waiting is not None or not self.app.is_at_work

    @property
    def says_so(self) -> bool:
        waiting, screen = self.waiting, self.app.screen
        if isinstance(waiting, ToAnswer):
            return isinstance(screen, ConfirmPhraseDialog | TypedReasonDialog)
        if isinstance(waiting, Refused) and "REFUSES " not in self.text and "UNKNOWN " not in self.text:
            return False  # who refuses has to be on the screen, whatever else stands there
        return isinstance(screen, StepScreen) and sentence(waiting) in self.text

    async def press(self, key: str) -> None:
        """A key that decides: until the session has taken it."""
        before = self.waiting
        await self.pilot.press(key)
        await self.until(lambda: self.waiting is not before or before is None, f"the end of waiting after {key}")

    async def answer(self) -> None:
        """The question that is shown."""
        before = self.waiting
        if isinstance(self.app.screen, ConfirmPhraseDialog):
            await self.confirm()
        else:
            await self.until(lambda: self.is_shown_a_line, "the line for the answer")
            self.typist.wait(ARMED_AFTER)
            await self.typist.type("all stopped, I looked")
            await self.typist.press("enter")
        await self.until(lambda: self.waiting is not before, "the end of the question")

    @property
    def is_shown_a_line(self) -> bool:
        """For words of one's own; what is typed a second later counts."""
        return any(line.shown_at is not None for line in self.app.screen.query(ReasonInput))

    async def phrase(self) -> str:
        """As it stands on the screen."""
        await self.until(lambda: PHRASE.search(flat(self.app)) is not None, "the phrase")
        found = PHRASE.search(flat(self.app))
        assert found
        return found[1]

    async def confirm(self) -> None:
        phrase = await self.phrase()
        self.typist.wait(2.0)
        await self.typist.type(phrase)
        await self.typist.press("enter")

    async def decide(self, *, is_refused: bool) -> None:
        """The script's moves up to one that decides; then the operator gives up."""
        while self._moves and not isinstance(self._moves[0], Next):
            move = self._moves.pop(0)
            if isinstance(move, Act):
                await self.act(move.key)
            else:
                await self.press("p" if move is not Choice.RETRY else "r" if is_refused else "n")
                return
        await self.press("p")

    async def act(self, key: str) -> None:
        """In the practice world."""
        await self.pilot.press("w")
        await self.until(lambda: isinstance(self.app.screen, ChoiceDialog), "the practice world")
        await self._do(key)

    async def _do(self, key: str) -> None:
        """One of the practice world's deeds; what destroys is asked about once more."""
        await self.choose(key)
        await self.until(lambda: self._asks_again or isinstance(self.app.screen, WordsDialog), "what comes of it")
        if self._asks_again:
            await self.choose("do")
        await self._read()

    @property
    def _asks_again(self) -> bool:
        return isinstance(self.app.screen, ChoiceDialog) and "This destroys" in self.text

    async def _read(self) -> None:
        await self.until(lambda: isinstance(self.app.screen, WordsDialog), "what is seen in the practice world")
        self.seen.append(self.dialog)
        await self.pilot.press("escape")
        await self.until(lambda: isinstance(self.app.screen, StepScreen), "the session's screen")

    async def _is_over(self) -> bool:
        """Next, once the session has ended: to the debriefing, or to what the script does then."""
        await self.pilot.press("n")
        await self.until(lambda: not isinstance(self.app.screen, StepScreen), "the end of the session")
        if not isinstance(self.app.screen, ChoiceDialog):
            return True
        move = self._moves.pop(0) if self._moves else Next.LEAVE
        assert not isinstance(move, Choice)
        if isinstance(move, Act):
            await self.choose("world")
            await self.until_shown("The practice world")
            await self._do(move.key)
            return False
        await self.choose(CHOSEN[move])
        await self.until(lambda: not isinstance(self.app.screen, ChoiceDialog), "what was chosen")
        return move is Next.LEAVE

    # the debriefing

    async def debriefing(self) -> str:
        """All of it, read from top to bottom, as one line of single spaces."""
        lines: dict[int, str] = {}
        scroll, is_read = self.app.screen.query_one(VerticalScroll), False
        while not is_read:
            is_read, region = scroll.is_vertical_scroll_end, scroll.scrollable_content_region
            strips = self.app.screen._compositor.render_strips()[region.y : region.bottom]
            for row, strip in enumerate(strips, round(scroll.scroll_y)):
                lines[row] = strip.text[region.x : region.right]
            scroll.scroll_page_down(animate=False, force=True)
            await self.pilot.pause()
        return " ".join(" ".join(lines[row] for row in sorted(lines)).split())


class ErringOperator(ScreenOperator):
    """Goes on where a guard refuses, overrules it, and types something else than the phrase, before it makes the moves
    of its script."""

    erred = False

    async def decide(self, *, is_refused: bool) -> None:
        if is_refused and not self.erred:
            self.erred = True
            await self.go_on_all_the_same()
        await super().decide(is_refused=is_refused)

    async def go_on_all_the_same(self) -> None:
        """Neither Next nor words get past a guard that protects data."""
        before = self.waiting
        await self.pilot.press("n", "home", "o")
        await self.until(lambda: self._asks_why or "nobody can overrule it" in self.told, "a word about overruling")
        assert self.waiting is before
        if self._asks_why:
            await self.answer()
        waiting = await self.decision()
        assert isinstance(waiting, Refused)
        assert {check.guard for check in waiting.refusals} == {check.guard for check in before.refusals}

    @property
    def _asks_why(self) -> bool:
        """Some guards take words, though here they are worth nothing."""
        return isinstance(self.app.screen, TypedReasonDialog)

    async def confirm(self) -> None:
        phrase = await self.phrase()
        self.typist.wait(2.0)
        await self.typist.type(phrase.replace("remove", "Remove"))
        await self.typist.press("enter")
        await self.until_shown("Nothing was done.")
        await self.typist.press("ctrl+u")
        await super().confirm()
