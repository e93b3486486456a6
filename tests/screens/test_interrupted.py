"""A session that ended in the middle of a step is not shown as one that is still at work."""

import pytest

from atlasdb_recovery.events import (
    Event,
    Progressed,
    SessionAborted,
    SessionParked,
    SessionResumed,
    StepIntended,
    StepVerified,
)
from screens.repair import RepairScreen
from tests.screens.conftest import StillClock
from tests.screens.removal_feed import (
    CLEAN,
    Feed,
    Script,
    before_removal,
    flat,
    guards,
    plan,
    settled,
    shown,
    started,
    until,
    wizard,
)
from tests.screens.repair_feed import STEP as REPAIR
from tests.screens.repair_feed import RepairApp, RepairFeed
from tests.tui.recorded import seen
from tui.look import Look
from tui.repair_board import NodeStatus
from tui.ring_map import RangeState

SMALL = (80, 24)
STORE = "restore-store"
RESUMED = SessionResumed(operator="bea", host="bastion-3", process=12)


def intended(step: str, attempt: int = 1) -> StepIntended:
    return StepIntended(step=step, fingerprint="f", attempt=attempt)


def script(*events: Event) -> Script:
    async def of(feed: Feed) -> int:
        feed(*events)
        return 5

    return of


@pytest.mark.parametrize("end", [SessionParked(step=CLEAN, reason="interrupted"), SessionAborted(reason="given up")])
async def test_the_removal(end: Event, still_clock: StillClock) -> None:
    removed = Progressed(step=CLEAN, unit="transactions removed", done=200, total=1_284, scope="remove")
    app = wizard(script(*before_removal(), *guards(), plan(), intended(CLEAN), removed, end))
    async with app.run_test(size=SMALL) as pilot:
        text = await until(app, pilot, "interrupted after 0:00:00", "▲ 4 clean-transactions", "▲ exported", "· removed")
        assert "lock:" not in text
        assert "running" not in text
        assert "▶" not in text
        still_clock.now += 100
        app.screen.redraw()  # type: ignore[attr-defined]
        await pilot.pause(0.1)
        assert "interrupted after 0:00:00" in flat(app)


async def test_a_step_with_counts(still_clock: StillClock) -> None:
    far = Progressed(step=STORE, unit="tables", done=2, total=14)
    parked = SessionParked(step=STORE, reason="interrupted")
    app = wizard(script(started(), *settled("preflight"), intended(STORE), far))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "at work for 0:00:00", "running", "lock: ann@bastion-2 4711")
        assert app.bridge is not None
        feed = Feed(app.bridge)
        feed.state = app.bridge.view.state
        still_clock.now += 7
        feed(parked)
        still_clock.now += 100
        text = await until(app, pilot, "interrupted after 0:00:07", "2 of 14 tables")
        assert "nothing heard" not in text
        assert "running" not in text
        assert "lock:" not in text


async def test_the_repairs_nodes(still_clock: StillClock) -> None:
    feed = RepairFeed(4, 8)
    feed.begin()
    done, proving, running, _ = feed.nodes
    for node in (done, proving, running):
        feed.start(node)
    feed.repair(done, 8)
    feed.end(done)
    feed.judge(done, "repaired", "8 ranges in finished sessions")
    feed.end(proving)
    feed.repair(running, 3)
    feed.feed(SessionParked(step=REPAIR, reason="interrupted"))
    board, later = feed.bridge.view.repair, still_clock.now + 300
    assert [row.status(later) for row in board.rows.values()] == [
        NodeStatus.REPAIRED,
        NodeStatus.INTERRUPTED,
        NodeStatus.INTERRUPTED,
        NodeStatus.WAITING,
    ]
    assert board.ring.count(RangeState.RUNNING) == 0
    assert board.ring.count(RangeState.DONE) == 8 + 3
    still_clock.now = later
    app = RepairApp(feed.bridge, Look.chosen(environment={"LANG": "C.UTF-8", "TERM": "xterm"}))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, RepairScreen)
        text = shown(app)
        assert text.count("▲ interrupted ") == 2
        assert "2 nodes interrupted" in text
        assert "4 nodes: 1 repaired, 0 at work, 1 waiting, 2 to look at" in text
        assert "silent" not in text
        assert "running" not in text


def test_until_a_step_is_begun_again_it_stays_interrupted() -> None:
    """Whether the session was parked, or its process died: the next one looks first at what became of it."""
    for end in ([SessionParked(step=CLEAN, reason="interrupted")], []):
        events = [*before_removal(), intended(CLEAN), *end, RESUMED]
        view = seen(events, "restore")
        assert view.status(CLEAN) == "interrupted"
        assert view.lock_holder == "bea@bastion-3 12"
        assert seen([*events, intended(CLEAN, 2)], "restore").status(CLEAN) == "intended"
        assert seen([*events, StepVerified(step=CLEAN, evidence=("done",))], "restore").status(CLEAN) == "verified"


def test_what_had_ended_before_is_not_interrupted() -> None:
    view = seen(
        [*before_removal(), SessionParked(step=CLEAN, reason="the operator stopped before this step")], "restore"
    )
    assert [view.status(step) for step in view.steps] == ["verified"] * 3 + ["pending"] * 3
