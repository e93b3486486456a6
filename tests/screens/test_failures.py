"""After a failure: what to do is on the screen whatever its evidence, and one key shows all that is known of it."""

import pytest
from textual.pilot import Pilot

from atlasdb_recovery.events import SessionParked, StepFailed, StepIntended
from tests.screens.removal_feed import (
    ASCII,
    CLEAN,
    SESSION,
    UNICODE,
    Feed,
    Script,
    before_removal,
    flat,
    guards,
    plan,
    shown,
    started,
    until,
    wizard,
)
from tests.screens.repair_feed import STEP as REPAIR
from tui.look import Look

SMALL = (80, 24)
REMEDY = (
    "Something wrote to the transactions tables meanwhile, or a node's clock is ahead. Make sure nobody is connected, "
    "then retry."
)
PROBLEM = "9 transactions committed after 1000042 are still there after the removal"


def failed(lines: int = 9, *, problem: str = PROBLEM, remedy: str = REMEDY, step: str = CLEAN) -> StepFailed:
    evidence = tuple(f"start {1_000_000 + n}, commit {1_000_100 + n}, schema 1" for n in range(lines))
    return StepFailed(step=step, problem=problem, evidence=evidence, remedy=remedy)


def removal(failure: StepFailed) -> Script:
    async def script(feed: Feed) -> int:
        feed(*before_removal(), *guards(), plan(), StepIntended(step=CLEAN, fingerprint="f", attempt=1), failure)
        await feed.bridge.after_failure(feed.bridge.view.steps[CLEAN].step, failure)
        return 0

    return script


@pytest.mark.parametrize(("size", "look"), [(SMALL, UNICODE), (SMALL, ASCII), ((160, 50), UNICODE)])
async def test_what_to_do_is_not_given_up_for_evidence(size: tuple[int, int], look: Look) -> None:
    app = wizard(removal(failed()), look)
    async with app.run_test(size=size) as pilot:
        await until(app, pilot, REMEDY, PROBLEM, "more lines of evidence: d shows all of it")
        assert look is not ASCII or shown(app).isascii()


async def test_how_much_is_left_out_is_counted() -> None:
    app = wizard(removal(failed(40, problem="it failed", remedy="Mend it.")))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "FAILED: it failed", "Mend it.", "35 more lines of evidence")
        assert flat(app).count("schema 1") == 5 + flat(app).count("by schema 1")


async def test_nothing_is_said_to_be_left_out_where_nothing_is() -> None:
    app = wizard(removal(failed(2)))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(app, pilot, REMEDY, "start 1000001, commit 1000101, schema 1")
        assert "d shows all of it" not in flat(app)


async def read_on(pilot: Pilot[int], last: str) -> str:
    """All of the dialog, from top to bottom, until `last` has been seen."""
    seen = flat(pilot.app)
    for _ in range(200):
        if last in seen:
            return seen
        await pilot.press("pagedown")
        await pilot.pause(0.05)
        seen += flat(pilot.app)
    raise AssertionError(f"{last} is not in {seen}")


async def test_d_shows_all_of_it() -> None:
    long = "It is long. " * 60 + "This-is-its-end."
    app = wizard(removal(failed(30, problem="It went wrong. " * 40, remedy=long)))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "30 more lines of evidence: d shows all of it")
        assert "It is long." in flat(app)
        await pilot.press("d")
        await until(app, pilot, "Esc closes")
        read = await read_on(pilot, "commit 1000129,")
        assert "This-is-its-end." in read
        assert all(f"commit {1_000_100 + n}," in read for n in range(30))


async def test_with_a_wider_screen_less_is_left_out() -> None:
    app = wizard(removal(failed(6)))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "more lines of evidence")
        await pilot.resize_terminal(300, 24)
        await until(app, pilot, "start 1000005, commit 1000105, schema 1")
        assert "more lines of evidence" not in flat(app)


async def test_where_a_guard_refuses_d_is_the_guards() -> None:
    refusing = guards(NoClientsConnected=("blocked", "somebody is connected"))

    async def script(feed: Feed) -> int:
        feed(*before_removal(), *guards(), plan(), failed(), *refusing)
        refusals = [event for event in refusing if event.status == "blocked"]  # type: ignore[attr-defined]
        await feed.bridge.after_refusal(feed.bridge.view.steps[CLEAN].step, refusals)  # type: ignore[arg-type]
        return 0

    app = wizard(script)
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "REFUSES")
        await pilot.press("d")
        text = await until(app, pilot, "Esc closes", "NoClientsConnected")
        assert "Evidence:" not in text


async def test_the_command_that_resumes_stands_before_a_long_reason() -> None:
    reason = "repair failed: " + "127.0.0.2: nodetool ended with 1 and 8 of 24 ranges are unaccounted for; " * 9

    async def script(feed: Feed) -> int:
        feed(started(), SessionParked(step=REPAIR, reason=reason))
        return 5

    app = wizard(script)
    async with app.run_test(size=SMALL) as pilot:
        text = await until(app, pilot, "parked; go on with:")
        assert f"atlasdb-recovery resume {SESSION}. repair failed" in " ".join(text.split())
