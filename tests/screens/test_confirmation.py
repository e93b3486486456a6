"""The words that a removal needs: what lets it go on, and everything that does not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from textual.events import Resize
from textual.geometry import Size
from textual.pilot import Pilot

from atlasdb_recovery.events import AnswerGiven, PlanMade
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.steps.clean_transactions import CleanTransactions
from screens.dialogs.confirm_phrase import ConfirmPhraseDialog
from tests.screens.removal_feed import (
    ASCII,
    CLEAN,
    SESSION,
    UNICODE,
    Feed,
    before_removal,
    guards,
    place_of,
    plan,
    question,
    removal_facts,
    shown,
    wizard,
)
from tests.screens.typist import Typist
from tui.app import RecoveryApp
from tui.bridge import ToAnswer
from tui.look import Look
from tui.step_screen import StepScreen
from tui.widgets.armed_input import ARMED_AFTER
from tui.widgets.phrase_input import APART, PhraseInput

PHRASE = "remove 1284 from orders on prod-eu-1"
OTHER = "77aa00bb11cc22dd"


@dataclass
class Asking:
    """A session that asks for the removal's words until it has them; `given` is what it was told."""

    plans: list[PlanMade] = field(default_factory=lambda: [plan()])
    mode: str = "LIVE"
    cluster: str = "prod-eu-1"
    given: list[Any] = field(default_factory=list)

    async def __call__(self, feed: Feed) -> int:
        feed(*before_removal(self.mode, self.cluster), *guards())
        for made in self.plans:
            feed(made)
            await feed.bridge.advance(CleanTransactions(), Plan(title=made.title))
            answer = await feed.bridge.answer(question(made, cluster=self.cluster, mode=self.mode))
            self.given.append(answer.value)
            feed(AnswerGiven(step=CLEAN, name=CLEAN, answer=answer.value, by="wizard", fingerprint=made.fingerprint))
        await feed.bridge.advance(CleanTransactions(), Plan(title="the question was answered"))
        return 0


@dataclass
class Desk:
    """The application with the question before the operator."""

    app: RecoveryApp
    pilot: Pilot[int]
    typist: Typist
    asking: Asking

    @property
    def is_asked(self) -> bool:
        return isinstance(self.app.screen, ConfirmPhraseDialog)

    @property
    def is_armed(self) -> bool:
        """Whether the question and its input stand before the operator."""
        return self.is_asked and any(one.shown_at is not None for one in self.app.screen.query(PhraseInput))

    @property
    def log(self) -> str:
        assert self.app.bridge is not None
        return "\n".join(self.app.bridge.view.log)

    @property
    def typed(self) -> str:
        return self.app.screen.query_one(PhraseInput).value

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(2_000):
            if holds():
                return
            await self.pilot.pause(0.02)
        raise AssertionError(shown(self.app))

    async def nothing_was_done(self) -> None:
        """Still asked, and nobody has been told anything."""
        await self.pilot.pause(0.3)
        assert self.asking.given == []
        assert self.is_asked
        assert place_of(self.app).kept == {}


@asynccontextmanager
async def asked(
    asking: Asking | None = None, *, size: tuple[int, int] = (80, 24), look: Look = UNICODE, waits: float = 1.2
) -> AsyncIterator[Desk]:
    """`waits`: seconds of the operator's clock between the question and the first key."""
    asking = asking or Asking()
    app = wizard(asking, look, mode=asking.mode)
    async with app.run_test(size=size) as pilot:
        desk = Desk(app, pilot, Typist(app, pilot), asking)
        await desk.until(lambda: "n begins clean-transactions" in shown(app))
        await desk.typist.press("n")
        await desk.until(lambda: desk.is_armed)
        desk.typist.wait(waits)
        yield desk


@pytest.mark.parametrize(("size", "look"), [((80, 24), UNICODE), ((160, 50), UNICODE), ((80, 24), ASCII)])
async def test_typed_by_hand_it_is_confirmed_and_the_screen_is_kept_as_evidence(
    size: tuple[int, int], look: Look
) -> None:
    async with asked(size=size, look=look) as desk:
        await desk.typist.type(PHRASE)
        await desk.typist.press("enter")
        await desk.until(lambda: desk.asking.given == [PHRASE])
        ((name, svg),) = place_of(desk.app).kept.items()
        assert name == "confirmed-clean-transactions-5ab3c2d1e0f94877"
        assert svg.replace("&#160;", " ").count(PHRASE) == 2
        assert svg.startswith("<svg")
        assert f"picture of the confirmed screen: /state/sessions/{SESSION}/{name}.svg" in desk.log


async def test_a_picture_that_cannot_be_kept_is_said_and_stops_nothing() -> None:
    async with asked() as desk:
        place_of(desk.app).fails_to_keep = True
        await desk.typist.type(PHRASE)
        await desk.typist.press("enter")
        await desk.until(lambda: desk.asking.given == [PHRASE])
        assert "WARNING: the picture of the confirmed screen could not be kept" in desk.log


OTHER_WORDS = {
    PHRASE.upper(): "differs at its very beginning",
    PHRASE.replace("orders", "Orders"): "differs after “remove 1284 from ”",
    f" {PHRASE}": "differs at its very beginning",
    f"{PHRASE} ": "differs after “… 1284 from orders on prod-eu-1”",
    PHRASE.replace(" ", "  ", 1): "differs after “remove ”",
    PHRASE[:-1]: "differs after “…e 1284 from orders on prod-eu-”",
    PHRASE.replace("1284", "1,284"): "differs after “remove 1”",
    PHRASE.replace("prod-eu-1", "prod-eu-2"): "differs after",
    "y": "differs at its very beginning",
    "no default": "differs at its very beginning",
    f"practice {PHRASE}": "differs at its very beginning",
}


async def test_other_words_confirm_nothing_and_say_where_they_differ() -> None:
    async with asked(size=(120, 40)) as desk:
        for typed, said in OTHER_WORDS.items():
            await desk.typist.type(typed)
            await desk.typist.press("enter")
            await desk.nothing_was_done()
            assert said in shown(desk.app)
            assert desk.typed == typed
            await desk.typist.press("ctrl+u")


async def test_enter_alone_confirms_nothing_however_long_it_is_held_down() -> None:
    async with asked() as desk:
        await desk.typist.press("enter")
        await desk.typist.press("enter", apart=0.033, times=60)
        await desk.nothing_was_done()
        assert "Enter alone confirms nothing" in shown(desk.app)


async def test_a_key_held_down_from_the_screen_before_confirms_nothing() -> None:
    async with asked(waits=0) as desk:
        await desk.typist.press("n", apart=0.033, times=60)
        await desk.typist.press("enter")
        await desk.nothing_was_done()


async def pasted(desk: Desk) -> None:
    await desk.typist.paste(PHRASE)


async def pasted_after_a_start_by_hand(desk: Desk) -> None:
    await desk.typist.type(PHRASE[:10])
    await desk.typist.paste(PHRASE[10:])


async def pasted_from_the_clipboard_of_the_program(desk: Desk) -> None:
    desk.app.copy_to_clipboard(PHRASE)
    await desk.typist.press("ctrl+v")


async def sent_in_one_go(desk: Desk) -> None:
    await desk.typist.type(PHRASE, apart=0.0)


async def typed_too_fast(desk: Desk) -> None:
    await desk.typist.type(PHRASE, apart=APART - 0.001)


async def two_letters_at_once_in_the_middle(desk: Desk) -> None:
    await desk.typist.type(PHRASE[:20])
    await desk.typist.type(PHRASE[20:21], apart=0.0)
    await desk.typist.type(PHRASE[21:])


async def the_last_letter_together_with_enter(desk: Desk) -> None:
    await desk.typist.type(PHRASE)
    await desk.typist.press("enter", apart=0.0)


async def test_words_that_no_hand_typed_are_thrown_away() -> None:
    for_all: list[Callable[[Desk], Awaitable[None]]] = [
        pasted,
        pasted_after_a_start_by_hand,
        pasted_from_the_clipboard_of_the_program,
        sent_in_one_go,
        typed_too_fast,
        two_letters_at_once_in_the_middle,
        the_last_letter_together_with_enter,
    ]
    async with asked() as desk:
        for brought in for_all:
            await brought(desk)
            await desk.typist.press("enter")
            await desk.nothing_was_done()
            assert desk.typed != PHRASE, brought
            await desk.typist.press("ctrl+u")


async def test_as_fast_as_is_allowed_is_confirmed() -> None:
    async with asked() as desk:
        await desk.typist.type(PHRASE, apart=APART + 0.001)
        await desk.typist.press("enter", apart=APART + 0.001)
        await desk.until(lambda: desk.asking.given == [PHRASE])


async def test_typed_again_after_it_was_thrown_away_it_is_confirmed() -> None:
    async with asked() as desk:
        await pasted(desk)
        await sent_in_one_go(desk)
        assert "Type it again, by hand" in shown(desk.app)
        assert desk.typed == ""
        await desk.typist.type(PHRASE)
        await desk.typist.press("enter")
        await desk.until(lambda: desk.asking.given == [PHRASE])


async def test_within_a_second_of_the_question_nothing_is_confirmed() -> None:
    """The whole phrase in less than a second is what was typed ahead of the question."""
    async with asked(waits=0) as desk:
        shown_at = desk.app.screen.query_one(PhraseInput).shown_at
        assert shown_at is not None
        desk.typist.now = shown_at
        await desk.typist.type(PHRASE, apart=APART + 0.001)
        assert desk.typist.now < shown_at + ARMED_AFTER - 0.1
        await desk.typist.press("enter")
        await desk.nothing_was_done()
        assert "before the question could be read" in " ".join(shown(desk.app).split())


async def test_resized_in_the_middle_nothing_is_confirmed() -> None:
    async with asked() as desk:
        for size in ((100, 24), (100, 40), (60, 15), (80, 24)):
            await desk.typist.type(PHRASE[:18])
            await desk.pilot.resize_terminal(*size)
            await desk.until(lambda: desk.typed == "")
            await desk.typist.type(PHRASE[18:])
            await desk.typist.press("enter")
            await desk.nothing_was_done()
            await desk.typist.press("ctrl+u")
        await desk.typist.type(PHRASE)
        await desk.typist.press("enter")
        await desk.until(lambda: desk.asking.given == [PHRASE])


async def test_resized_before_it_is_shown_and_while_it_goes_away() -> None:
    """Such a message can arrive when the dialog has no input yet, or none any more."""
    async with asked() as desk:
        resized = Resize(Size(100, 24), Size(100, 24))
        dialog = desk.app.screen
        await dialog.remove_children()
        dialog.post_message(resized)
        await desk.pilot.pause(0.1)
        assert desk.app.is_running
        assert desk.app.return_code is None
        await desk.typist.press("escape")
        await desk.until(lambda: not desk.is_asked)


async def test_esc_leaves_it_unanswered_and_next_asks_again() -> None:
    async with asked() as desk:
        await desk.typist.type(PHRASE)
        await desk.typist.press("escape")
        await desk.until(lambda: not desk.is_asked)
        await desk.pilot.pause(0.5)
        assert (desk.asking.given, desk.is_asked) == ([], False)
        await desk.typist.press("n")
        await desk.until(lambda: desk.is_asked)
        assert desk.typed == ""


async def test_next_pressed_twice_asks_once() -> None:
    asking = Asking()
    app = wizard(asking, UNICODE, mode=asking.mode)
    async with app.run_test(size=(80, 24)) as pilot:
        desk = Desk(app, pilot, Typist(app, pilot), asking)
        await desk.until(lambda: "n begins clean-transactions" in shown(app))
        step = app.screen
        assert isinstance(step, StepScreen)
        step.action_advance()
        for _ in range(100):  # so short that no clock has ticked
            await asyncio.sleep(0)
        assert isinstance(step.bridge.waiting, ToAnswer)
        step.action_advance()
        await desk.until(lambda: desk.is_asked)
        await pilot.pause(0.5)
        await desk.typist.press("escape")
        await desk.until(lambda: not desk.is_asked)
        await pilot.pause(0.5)
        assert app.screen is step


async def test_the_palette_and_quit_confirm_nothing() -> None:
    async with asked() as desk:
        await desk.typist.type(PHRASE)
        await desk.typist.press("ctrl+q")
        await desk.until(lambda: "Park the session" in shown(desk.app))
        await desk.typist.press("enter")
        await desk.nothing_was_done()


async def test_a_plan_that_changed_is_asked_about_anew_and_says_how() -> None:
    changed = plan(removal_facts(1_290), fingerprint=OTHER)
    async with asked(Asking([plan(), changed])) as desk:
        await desk.typist.type(PHRASE)
        await desk.typist.press("enter")
        await desk.until(lambda: "THE PLAN HAS CHANGED: 1,284 before, 1,290 now (+6)" in shown(desk.app))
        assert "What was typed for the plan before is void" in shown(desk.app)
        assert not desk.is_asked
        await desk.typist.press("n")
        await desk.until(lambda: desk.is_armed)
        assert "THE PLAN HAS CHANGED: 1,284 before, 1,290 now (+6)" in shown(desk.app)
        desk.typist.wait(1.2)
        await desk.typist.type(PHRASE)
        await desk.typist.press("enter")
        await desk.pilot.pause(0.3)
        assert desk.asking.given == [PHRASE]
        await desk.typist.press("ctrl+u")
        await desk.typist.type(PHRASE.replace("1284", "1290"))
        await desk.typist.press("enter")
        await desk.until(lambda: len(desk.asking.given) == 2)
        assert len(place_of(desk.app).kept) == 2


async def test_as_many_but_others_is_a_changed_plan_too() -> None:
    others = plan(removal_facts(digest="1284:77"), fingerprint=OTHER)
    async with asked(Asking([plan(), others])) as desk:
        await desk.typist.type(PHRASE)
        await desk.typist.press("enter")
        await desk.until(lambda: "THE PLAN HAS CHANGED: still 1,284" in shown(desk.app))
        assert "they are not the same ones" in " ".join(shown(desk.app).split())


async def test_a_question_that_nobody_waits_for_any_more_goes_away() -> None:
    async with asked() as desk:
        await desk.typist.type(PHRASE)
        desk.app.park()
        await desk.until(lambda: not desk.is_asked)
        assert desk.asking.given == []


async def test_practice_wants_other_words_than_the_real_thing() -> None:
    async with asked(Asking(mode="PRACTICE")) as desk:
        await desk.typist.type(PHRASE)
        await desk.typist.press("enter")
        await desk.nothing_was_done()
        await desk.typist.press("ctrl+u")
        await desk.typist.type(f"practice {PHRASE}")
        await desk.typist.press("enter")
        await desk.until(lambda: desk.asking.given == [f"practice {PHRASE}"])


@pytest.mark.parametrize("cluster", ["[/foo] [red]x[/red]", "Prüfung 1", "x" * 120])
async def test_a_strange_cluster_name_is_typed_as_it_is_shown(cluster: str) -> None:
    async with asked(Asking(cluster=cluster)) as desk:
        phrase = f"remove 1284 from orders on {cluster}"
        await desk.typist.type(phrase)
        await desk.typist.press("enter")
        await desk.until(lambda: desk.asking.given == [phrase])


async def test_all_that_will_be_done_can_be_scrolled_to_while_the_words_are_typed() -> None:
    async with asked() as desk:
        assert "line 19 of what will be done" not in shown(desk.app)
        await desk.typist.type(PHRASE[:5])
        await desk.typist.press("down", times=30)
        await desk.until(lambda: "line 19 of what will be done" in shown(desk.app))
        assert desk.typed == PHRASE[:5]


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_phrase_input_and_hint_are_on_the_screen(size: tuple[int, int]) -> None:
    async with asked(size=size) as desk:
        text = shown(desk.app)
        assert f"Type exactly:  {PHRASE}" in text
        assert "no default" in text
        assert "Pasting is refused" in text
