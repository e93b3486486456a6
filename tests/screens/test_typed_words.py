"""The operator's own words: what was meant for the screen before is no answer, and neither are words without a yes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.step import Question
from atlasdb_recovery.procedure.steps.preflight import RestorePreflight
from screens.dialogs.typed_reason import TypedReasonDialog
from tests.screens.removal_feed import Feed, started, wizard
from tests.screens.screen_operator import ScreenOperator
from tui.widgets.armed_input import ARMED_AFTER

SIZE = (80, 24)
OFFLINE = Question(name="offline", text="Is every instance of the service stopped?")


@asynccontextmanager
async def before_the_question() -> AsyncIterator[tuple[ScreenOperator, list[Any]]]:
    """Next asks it. The list holds what the session was answered."""
    given: list[Any] = []

    async def script(feed: Feed) -> int:
        feed(started())
        await feed.bridge.advance(RestorePreflight(), Plan(title="look"))
        given.append((await feed.bridge.answer(OFFLINE)).value)
        await feed.bridge.advance(RestorePreflight(), Plan(title="look"))
        return 0

    app = wizard(script)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        operator = ScreenOperator(app, pilot)
        await operator.until_shown("n begins preflight")
        yield operator, given


async def asked(operator: ScreenOperator) -> None:
    await operator.pilot.press("n")
    await operator.until(lambda: operator.is_shown_a_line, "the line for the answer")


def typed(operator: ScreenOperator) -> str:
    return str(operator.app.screen.query_one("ReasonInput").value)  # type: ignore[attr-defined]


async def test_keys_that_were_meant_for_the_screen_before_answer_nothing() -> None:
    async with before_the_question() as (operator, given):
        await asked(operator)
        await operator.typist.wait(0.0).type("nn")
        await operator.typist.press("enter")
        await operator.typist.paste("yes, all stopped")
        await operator.until_shown("What came before this could be read was dropped.")
        assert typed(operator) == ""
        assert isinstance(operator.app.screen, TypedReasonDialog)
        assert given == []
        await operator.until_shown("dropped. Enter answers")


async def test_after_a_second_yes_answers() -> None:
    async with before_the_question() as (operator, given):
        await asked(operator)
        await operator.typist.wait(ARMED_AFTER).type("yes")
        await operator.typist.press("enter")
        await operator.until(lambda: bool(given), "the answer")
        assert given == ["yes"]


async def test_words_without_a_yes_are_refused() -> None:
    async with before_the_question() as (operator, given):
        await asked(operator)
        await operator.typist.wait(ARMED_AFTER).type("nn")
        await operator.typist.press("enter")
        await operator.until_told("That does not say yes.")
        assert typed(operator) == "nn"
        assert given == []
