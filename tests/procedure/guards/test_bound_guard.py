"""B was handed out by this keyspace: its restored timestamp bound is not below it."""

import pytest

from atlasdb_recovery.atlas.timestamp_bound import BOUND_POSITION, INVALIDATED
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.procedure.facts import BACKUP_TIMESTAMP
from atlasdb_recovery.procedure.guards.bound_guard import BackupTimestampHandedOut
from atlasdb_recovery.procedure.timestamp_row import stored_bound
from tests.procedure.guards.scene import Scene, assert_blocked, assert_not_applicable, assert_passed


async def test_b_is_at_or_below_the_bound(restored: Scene) -> None:
    assert_passed(await restored.check(BackupTimestampHandedOut()), "B = ", "stored timestamp bound is")
    restored.establish(BACKUP_TIMESTAMP, await stored_bound(restored.context))
    assert_passed(await restored.check(BackupTimestampHandedOut()), "B = ")


@pytest.mark.parametrize("above", [1, 10**9])
async def test_b_above_it_is_another_keyspaces_or_later_than_the_copy(restored: Scene, above: int) -> None:
    bound = await stored_bound(restored.context)
    assert bound is not None
    restored.establish(BACKUP_TIMESTAMP, bound + above)
    assert_blocked(await restored.check(BackupTimestampHandedOut()), str(bound), remedy="belong to this backup")


async def test_without_a_bound_nothing_was_handed_out(restored: Scene) -> None:
    await restored.cluster.change_schema(f'TRUNCATE "{restored.keyspace}"."_timestamp"')
    assert_blocked(await restored.check(BackupTimestampHandedOut()), "bound is empty", remedy="belong to this backup")


async def test_a_bound_that_was_given_up_tells_nothing(restored: Scene) -> None:
    given_up = Cell(*BOUND_POSITION, INVALIDATED, restored.cluster.wall.micros())
    await restored.cluster.put(restored.keyspace, "_timestamp", given_up, consistency=Consistency.ALL)
    assert_not_applicable(await restored.check(BackupTimestampHandedOut()), "no stored bound tells it")
