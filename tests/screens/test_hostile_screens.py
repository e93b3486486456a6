"""Whatever clusters, configurations and journals hold, the screens of a restore's steps stay as they are drawn.

What is shown is fed as it came, not as the engine has made it plain: the screens must not depend on it.
"""

from collections.abc import Callable, Iterator, Sequence

import pytest
from textual.pilot import Pilot

from atlasdb_recovery.events import (
    AnswerGiven,
    Event,
    FactEstablished,
    GuardChecked,
    GuardOverruled,
    Noted,
    PlanMade,
    SessionParked,
    StepFailed,
    StepIntended,
    StepVerified,
)
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.step import Step
from screens.steps import screen_of
from tests.screens.hostile import assert_intact, hostile_texts, until_drawn
from tests.screens.removal_feed import UNICODE, Feed, ScriptedPlace, removal_facts, started
from tui.app import RecoveryApp
from tui.bridge import Bridge
from tui.session_view import SessionView
from tui.step_screen import StepScreen

SIZE = (80, 24)
CASES, EACH = 20, 8
LONG = "x" * 1_000_000
AS_THEY_COME = ("preflight", "restore-store", "repair", "clean-transactions", "prove")
STEPS = [
    *(pytest.param(restore_steps, at, id=f"restore-{step.name}") for at, step in enumerate(restore_steps())),
    *(pytest.param(backup_steps, at, id=f"backup-{step.name}") for at, step in enumerate(backup_steps())),
]
TEXTS = hostile_texts(CASES, EACH)
PLAIN = [[plain(text) for text in texts] for texts in TEXTS]
"""As the engine tells them: joined characters that it escapes are as wide as a terminal and Textual think or not."""


async def nothing(feed: Feed) -> int:
    return 0


def application() -> RecoveryApp:
    app = RecoveryApp(ScriptedPlace(nothing), UNICODE)  # type: ignore[arg-type]
    app.animation_level = "none"
    return app


def test_there_are_a_thousand_cases_and_more() -> None:
    assert len(TEXTS) * EACH * len(STEPS) >= 1_000


def told(step: str, texts: Sequence[str], number: int) -> Iterator[Event]:
    """A step from its guards to its failure or its proof, in foreign words."""
    one, two, three, four, five, six, seven, eight = texts
    for at, status in enumerate(("blocked", "unknown", "warned", "passed")):
        yield GuardChecked(step=step, guard=f"Guard{at}", status=status, evidence=texts[at], remedy=texts[at + 1])
    yield GuardOverruled(step=step, guard="Guard1", reason=three, by=four)
    found = removal_facts(7, odd=2, export=one) | {"odd_cells": [two, three], "digest": four}
    found["statements"] = [{"schema": 1, "cql": five, "effect": six}]
    found |= {"target": 7, "bound": 5, "service": seven, "writes": [eight], "is_far": False}
    yield PlanMade(step=step, title=five, lines=(six, seven), fingerprint=f"{number:016x}", facts=found)
    yield AnswerGiven(step=step, name="offline", answer=one, by=two, fingerprint="")
    yield Noted(step=step, level="warning", text=LONG if number == 3 else eight)
    yield FactEstablished(step=step, name=facts.EXPORT, value={"path": three, "count": 7, "digest": four})
    if number % 3 == 1:
        yield StepIntended(step=step, fingerprint="f", attempt=1)
        yield StepFailed(step=step, problem=one, evidence=(two, three), remedy=four)
    elif number % 3 == 2:
        yield StepIntended(step=step, fingerprint="f", attempt=1)
        yield StepVerified(step=step, evidence=(five, six))


@pytest.mark.parametrize(("steps", "at"), STEPS)
async def test_a_steps_screen_stays_as_it_is(steps: Callable[[], Sequence[Step]], at: int) -> None:
    name = steps()[at].name
    cases = TEXTS if steps is restore_steps and name in AS_THEY_COME else PLAIN
    async with application().run_test(size=SIZE) as pilot:
        bridge = Bridge(SessionView(steps(), mode="PRACTICE", keyspace=cases[0][0]))
        feed = Feed(bridge)
        screen = screen_of(bridge, UNICODE, name, read_only=False)
        await pilot.app.push_screen(screen)
        for number, texts in enumerate(cases):
            bridge.view.keyspace = texts[1]
            feed(started("PRACTICE", texts[0]), *told(name, texts, number))
            if number % 5 == 4:
                feed(SessionParked(step=name, reason=texts[2]))
            if number % 10 == 0:
                screen.action_log()
            await drawn(pilot, screen)


async def drawn(pilot: Pilot[int], screen: StepScreen) -> None:
    screen.redraw()
    await until_drawn(pilot)
    lines = assert_intact(pilot.app)
    assert lines[0].startswith("  ~~ PRACTICE ~~ ")
    assert "Help" in lines[-1]
