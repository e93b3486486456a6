"""The fast-forward's screen: where the bound is, where F is, and exactly what is written."""

import pytest
from syrupy.assertion import SnapshotAssertion

from atlasdb_recovery.events import Event
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.step import Question
from atlasdb_recovery.procedure.steps.fast_forward import FastForward
from screens.dialogs.confirm_phrase import ConfirmPhraseDialog
from tests.screens.conftest import StillClock, settled_picture
from tests.screens.ending_feed import (
    BOUND,
    FORWARD,
    READ_BACK,
    WRITE,
    before_fast_forward,
    forward_plan,
    forwarded,
    timelock_plan,
)
from tests.screens.removal_feed import ASCII, UNICODE, Feed, Script, guards, until, wizard
from tests.screens.typist import Typist
from tui.look import Look
from tui.widgets.phrase_input import PhraseInput

SMALL, WIDE = (80, 24), (160, 50)
FAR = 9 * 10**15
PATH = "/orders/timestamp-management/fast-forward"


def at(*events: Event, question: Question | None = None) -> Script:
    """The engine waits for the operator at the fast-forward; then for an answer."""

    async def script(feed: Feed) -> int:
        feed(*before_fast_forward(), *events)
        await feed.bridge.advance(FastForward(), Plan(title="fast-forward"))
        if question is not None:
            await feed.bridge.answer(question)
        return 0

    return script


@pytest.mark.parametrize(
    ("size", "look"), [(SMALL, UNICODE), (WIDE, UNICODE), (SMALL, ASCII)], ids=["small", "wide", "ascii"]
)
async def test_before_anything_is_written(
    size: tuple[int, int], look: Look, picture: SnapshotAssertion, still_clock: StillClock
) -> None:
    app = wizard(at(*guards(FORWARD), forward_plan()), look)
    async with app.run_test(size=size) as pilot:
        text = await until(app, pilot, "n begins fast-forward", WRITE, "Only if the bound is still as read")
        order = [text.index(number) for number in ("1,000,042", "1,100,001", "2,499,870", "2,500,001")]
        assert order == sorted(order)
        assert "bound now" in text
        assert await settled_picture(pilot) == picture


async def test_afterwards_the_bound_is_told_as_it_was_read_back(still_clock: StillClock) -> None:
    app = wizard(at(*forwarded()))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "n begins prove")
        app.show_step(FORWARD)
        text = await until(app, pilot, "the bound was 1,100,001, is 3,500,001: read back", READ_BACK)
        assert text.index("2,500,001") < text.index("3,500,001")
        assert "bound now" not in text


async def test_a_bound_that_is_high_enough_needs_no_write() -> None:
    app = wizard(at(*guards(FORWARD), forward_plan(9_999_999, writes=[])))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "nothing: the bound is at or above F already")


async def test_a_missing_bound_is_said() -> None:
    app = wizard(at(*guards(FORWARD), forward_plan(None)))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "There is no stored bound: none was restored.")


@pytest.mark.parametrize(
    ("size", "look"), [(SMALL, UNICODE), (WIDE, UNICODE), (SMALL, ASCII)], ids=["small", "wide", "ascii"]
)
async def test_timelock_shows_no_bound_and_none_is_spoken_of(
    size: tuple[int, int], look: Look, picture: SnapshotAssertion, still_clock: StillClock
) -> None:
    app = wizard(at(*guards(FORWARD), timelock_plan(2_000_000)), look)
    async with app.run_test(size=size) as pilot:
        text = await until(app, pilot, "n begins fast-forward", "Will be asked of TimeLock's namespace", PATH)
        order = [text.index(number) for number in ("1,000,042", "2,000,000", "2,499,870", "2,500,001")]
        assert order == sorted(order)
        assert "fresh now" in text
        assert "bound now" not in text
        assert "SERIAL" not in text
        assert await settled_picture(pilot) == picture


async def test_a_bound_that_changed_meanwhile_is_a_changed_plan() -> None:
    app = wizard(at(*guards(FORWARD), forward_plan(), forward_plan(BOUND + 1)))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "THE PLAN HAS CHANGED: stored bound now: 1100002")


async def test_far_above_the_bound_words_are_needed() -> None:
    made = forward_plan(BOUND, FAR, far=True)
    question = Question(
        name="far-fast-forward",
        text=f"F = {FAR} is {FAR - BOUND:,} above the stored bound. This cannot be undone. Is it right?",
        detail=made.lines,
        phrase=f"fast-forward orders to {FAR}",
        fingerprint=made.fingerprint,
    )
    app = wizard(at(*guards(FORWARD), made, question=question))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "F lies 8,999,999,998,899,999 above the bound", "You will be asked first")
        typist = Typist(app, pilot)
        await typist.press("n")
        await until(app, pilot, f"Type exactly: fast-forward orders to {FAR}", "This cannot be undone")
        while not any(one.shown_at is not None for one in app.screen.query(PhraseInput)):
            await pilot.pause(0.02)
        typist.wait(1.2)
        await typist.paste(f"fast-forward orders to {FAR}")
        await typist.press("enter")
        await until(app, pilot, "Enter alone confirms nothing")
        assert isinstance(app.screen, ConfirmPhraseDialog)
        await typist.type(f"fast-forward orders to {FAR}")
        await typist.press("enter")
        for _ in range(100):
            await pilot.pause(0.02)
            if not app.is_at_work:
                break
        assert not app.is_at_work
