"""The last screen: the verdict, what speaks against it, what is next, and every claim with its evidence."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from atlasdb_recovery.events import Event, GuardOverruled, SessionParked, StepFailed
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.steps.prove import Prove
from tests.screens.conftest import StillClock, settled_picture
from tests.screens.ending_feed import PROVE, before_fast_forward, completed, forwarded, proven
from tests.screens.removal_feed import ASCII, SESSION, UNICODE, F, Feed, Script, flat, guards, shown, until, wizard
from tui.look import Look

SMALL, WIDE = (80, 24), (160, 50)
REPORT = Path(f"/state/sessions/{SESSION}/report.html")


def played(*events: Event) -> Script:
    """A session that ends after these events."""

    async def script(feed: Feed) -> int:
        feed(*before_fast_forward(), *forwarded(), *events)
        return 0

    return script


@pytest.mark.parametrize(
    ("size", "look"), [(SMALL, UNICODE), (WIDE, UNICODE), (SMALL, ASCII)], ids=["small", "wide", "ascii"]
)
async def test_a_complete_restore(
    size: tuple[int, int], look: Look, picture: SnapshotAssertion, still_clock: StillClock
) -> None:
    app = wizard(played(*proven(), completed()), look, report=REPORT)
    async with app.run_test(size=size) as pilot:
        await until(
            app,
            pilot,
            "Restore complete",
            "on your word: offline: all instances stopped by ann",
            f"start the service: its timestamps begin above F = {F}",
            "Restore complete: every claim is proven. Ctrl+Q leaves",
            "report: /state/",
        )
        assert str(REPORT) in flat(app).replace(" ", "")
        assert await settled_picture(pilot) == picture


async def test_every_claim_can_be_scrolled_to_where_the_screen_is_small() -> None:
    app = wizard(played(*proven(), completed()), report=REPORT)
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "start the service", "Ctrl+Q leaves")
        assert "a fresh timestamp is above F" not in flat(app)
        await pilot.press("end")
        await until(app, pilot, f"all of it looked at once more; a fresh timestamp is above F = {F}")


async def test_what_was_overruled_and_what_only_warns_come_right_after_the_verdict(
    picture: SnapshotAssertion, still_clock: StillClock
) -> None:
    overruled = GuardOverruled(step="preflight", guard="ClocksClose", reason="NTP was just set right", by="wizard")
    warned = guards(PROVE, SweepBelowBackup=("warned", "2 of 16 sweep progress cells lie beyond B"))
    app = wizard(played(overruled, *warned, *proven(), completed()), report=REPORT)
    async with app.run_test(size=SMALL) as pilot:
        text = await until(
            app,
            pilot,
            "Restore complete, with 1 guard overruled",
            "overruled: ClocksClose: NTP was just set right",
            "warned: SweepBelowBackup: 2 of 16 sweep progress cells lie beyond B",
        )
        assert text.index("Restore complete") < text.index("overruled: ClocksClose") < text.index("start the service")
        assert await settled_picture(pilot) == picture


async def test_before_the_last_look_nothing_is_complete() -> None:
    async def script(feed: Feed) -> int:
        feed(*before_fast_forward(), *forwarded(), *proven()[:-3])
        await feed.bridge.advance(Prove(), Plan(title="prove"))
        return 0

    app = wizard(script)
    async with app.run_test(size=SMALL) as pilot:
        text = await until(app, pilot, "n begins prove", "Not at its end yet: the restore is NOT complete")
        assert "do NOT start the service" in text
        assert "complete" not in text.replace("NOT complete", "")


@pytest.mark.parametrize(
    ("last", "wanted"),
    [
        (
            StepFailed(step=PROVE, problem="the bound is below F", remedy="Find out who wrote it."),
            "FAILED: the bound is below F",
        ),
        (SessionParked(step=PROVE, reason="interrupted"), "Parked: the restore is NOT complete"),
    ],
)
async def test_an_end_that_is_none_says_what_is_unproven(last: Event, wanted: str) -> None:
    app = wizard(played(*proven()[:-2], last), report=REPORT)
    async with app.run_test(size=(100, 40)) as pilot:
        text = await until(app, pilot, wanted, "do NOT start the service on this keyspace")
        assert "NOT proven: that everything holds together" in text
        assert "complete" not in text.replace("NOT complete", "")


async def test_event_by_event_the_whole_screen_says_complete_only_at_the_end() -> None:
    events = [*before_fast_forward(), *forwarded(), *proven(), completed()]

    async def script(feed: Feed) -> int:
        await feed.bridge.keep_alive()
        return 0

    app = wizard(script)
    async with app.run_test(size=WIDE) as pilot:
        await until(app, pilot, "preflight")
        assert app.bridge is not None
        feed = Feed(app.bridge)
        app.show_step(PROVE)
        await until(app, pilot, "Prove the restore")
        for event in events:
            text = shown(app).replace("NOT complete", "").lower()
            assert "complete" not in text, event
            feed(event)
            await pilot.pause(0.15)
        await until(app, pilot, "Restore complete")
