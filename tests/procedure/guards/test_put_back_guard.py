"""An export goes back only before the fast-forward, and before anybody has been handed a timestamp."""

from datetime import UTC, datetime

import pytest

from atlasdb_recovery.atlas.timestamp_bound import BOUND_POSITION, INVALIDATED
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.journal.sessions import new_session_id
from atlasdb_recovery.procedure.facts import TIMESTAMP_ROW
from atlasdb_recovery.procedure.guards.guard import LOOK_AGAIN
from atlasdb_recovery.procedure.guards.put_back_guard import NotFastForwarded
from atlasdb_recovery.procedure.removal.pre_images import Header
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.timestamp_row import timestamp_row
from tests.procedure.guards.scene import THIRD, Scene, assert_blocked, assert_passed, assert_unknown, assert_warned


@pytest.fixture
def guard(restored: Scene) -> NotFastForwarded:
    row = restored.context.state.fact(TIMESTAMP_ROW)
    return NotFastForwarded(
        Header(session="a-session", cluster="practice", keyspace="shop", after=1, removal="delete", timestamp_row=row)
    )


async def test_the_bound_is_as_at_the_removal(restored: Scene, guard: NotFastForwarded) -> None:
    assert_passed(await restored.check(guard), "as at the removal")


async def test_the_session_has_fast_forwarded_though_the_bound_was_high_enough(
    restored: Scene, guard: NotFastForwarded
) -> None:
    restored.begin("fast-forward")
    assert_blocked(await restored.check(guard), "session a-session has fast-forwarded", remedy="Restore again")


async def test_a_session_that_goes_on_elsewhere_must_know_of_it(restored: Scene, guard: NotFastForwarded) -> None:
    restored.context.state = SessionState()
    result = await restored.check(guard)
    assert_unknown(
        result, "journal of session a-session is not in", "as if its removal still stood", remedy="state_dir"
    )


async def test_atlasdbs_own_line_has_no_session_that_goes_on(restored: Scene) -> None:
    row = restored.context.state.fact(TIMESTAMP_ROW)
    restored.context.state = SessionState()
    session = new_session_id("clean", "shop", datetime(2026, 11, 23, tzinfo=UTC))
    header = Header(session=session, cluster="practice", keyspace="shop", after=1, removal="delete", timestamp_row=row)
    assert_passed(await restored.check(NotFastForwarded(header)), "as at the removal")


@pytest.mark.parametrize("by", [0, 1, 1_000_001])
async def test_somebody_wrote_the_bound(restored: Scene, guard: NotFastForwarded, by: int) -> None:
    restored.cluster.raise_bound(restored.keyspace, by)
    assert_blocked(await restored.check(guard), "the timestamp bound was", remedy="too late to put them back")


@pytest.fixture
async def on_timelock(restored: Scene) -> NotFastForwarded:
    """The bound was given up before the removal."""
    given_up = Cell(*BOUND_POSITION, INVALIDATED, restored.cluster.wall.micros())
    await restored.cluster.put(restored.keyspace, "_timestamp", given_up, consistency=Consistency.ALL)
    row = await timestamp_row(restored.context)
    return NotFastForwarded(
        Header(session="a-session", cluster="practice", keyspace="shop", after=1, removal="delete", timestamp_row=row)
    )


async def test_the_row_proves_nothing_of_timelock(restored: Scene, on_timelock: NotFastForwarded) -> None:
    restored.context.state = SessionState()
    result = await restored.check(on_timelock)
    assert_unknown(result, "does not show whether", "journal of session a-session is not in", remedy="Run it where")


async def test_another_sessions_journal_proves_nothing_either(restored: Scene, on_timelock: NotFastForwarded) -> None:
    restored.context.state.session = "another"
    assert_unknown(
        await restored.check(on_timelock), "journal of session a-session is not in", remedy="copy its journal"
    )


async def test_the_sessions_own_journal_says_that_it_has_not(restored: Scene, on_timelock: NotFastForwarded) -> None:
    result = await restored.check(on_timelock)
    assert_warned(result, "session a-session has not fast-forwarded", remedy="no service was started")


async def test_or_that_it_has(restored: Scene, on_timelock: NotFastForwarded) -> None:
    restored.begin("fast-forward")
    assert_blocked(await restored.check(on_timelock), "a-session has fast-forwarded", remedy="Restore again")


async def test_a_node_down_is_unknown(restored: Scene, guard: NotFastForwarded) -> None:
    restored.cluster.stop_node(THIRD)
    assert_unknown(await restored.check(guard), THIRD, remedy=LOOK_AGAIN)
