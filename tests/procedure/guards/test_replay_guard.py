"""Nothing of the tables' earlier life may come back: Paxos rows and hints, with every store method."""

import sys
from pathlib import Path

import pytest

from atlasdb_recovery.atlas import manifest
from atlasdb_recovery.atlas.names import deterministic_table_id
from atlasdb_recovery.cassandra.ports import Consistency
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated.node import PaxosRow
from atlasdb_recovery.procedure.guards.replay_guard import NothingOldCanReplay
from tests.procedure.guards.scene import (
    FIRST,
    SECOND,
    THIRD,
    Scene,
    assert_blocked,
    assert_not_applicable,
    assert_passed,
    assert_unknown,
)

METHODS = ["snapshot", "external", "command"]


def choose(scene: Scene, method: str) -> None:
    scene.store(method, backup_command=sys.executable, restore_command=sys.executable)


def leave_paxos_row(scene: Scene, address: str, table_id: str) -> None:
    scene.cluster.nodes[address].paxos[table_id, b"key"] = PaxosRow()


@pytest.mark.parametrize("method", METHODS)
async def test_nothing_is_left_before_and_after(dialect: Dialect, method: str, tmp_path: Path) -> None:
    lost = await Scene.lost(dialect, tmp_path / "lost")
    lost.cluster.clear_paxos()
    choose(lost, method)
    assert_passed(await lost.check(NothingOldCanReplay()), "no Paxos rows and no hints")
    restored = await Scene.restored(dialect, tmp_path / "restored")
    choose(restored, method)
    assert_passed(await restored.check(NothingOldCanReplay()), "no Paxos rows and no hints")


async def test_tables_that_get_new_ids_inherit_nothing(lost: Scene) -> None:
    """The service's own conditional writes left rows in system.paxos, and DROP does not take them."""
    assert_passed(await lost.check(NothingOldCanReplay()), FIRST, "under ids that the restored tables will not have")


@pytest.mark.parametrize("method", ["external", "command"])
async def test_another_tool_may_use_the_backups_ids_again(lost: Scene, method: str) -> None:
    choose(lost, method)
    result = await lost.check(NothingOldCanReplay())
    assert_blocked(result, f"{FIRST} has", f"{THIRD} has", "system.paxos", remedy="TRUNCATE system.paxos on each node")
    assert "truncatehints" not in result.remedy


@pytest.mark.parametrize("table", ["_transactions", "_transactions2", "_timestamp", "_coordination"])
async def test_it_may_also_use_the_ids_that_atlasdb_gives(lost: Scene, table: str) -> None:
    (lost.context.backup_dir / manifest.MANIFEST_NAME).unlink()
    choose(lost, "external")
    assert_passed(await lost.check(NothingOldCanReplay()))
    leave_paxos_row(lost, SECOND, deterministic_table_id(lost.keyspace, table))
    result = await lost.check(NothingOldCanReplay())
    assert_blocked(result, f"{SECOND} has 1 rows", remedy="TRUNCATE system.paxos")
    assert FIRST not in result.evidence


async def test_rows_of_other_tables_are_not_ours(lost: Scene) -> None:
    lost.cluster.clear_paxos()
    choose(lost, "external")
    leave_paxos_row(lost, SECOND, deterministic_table_id("other", "_transactions"))
    assert_passed(await lost.check(NothingOldCanReplay()), "no Paxos rows")


@pytest.mark.parametrize("method", METHODS)
async def test_rows_of_the_restored_tables_block_until_they_are_truncated(
    dialect: Dialect, method: str, tmp_path: Path
) -> None:
    scene = await Scene.restored(dialect, tmp_path)
    choose(scene, method)
    leave_paxos_row(scene, FIRST, scene.cluster.table(scene.keyspace, "_transactions2").id)
    assert_blocked(await scene.check(NothingOldCanReplay()), f"{FIRST} has 1 rows", remedy="while nobody is connected")
    await scene.cluster.change_schema("TRUNCATE system.paxos")
    assert_passed(await scene.check(NothingOldCanReplay()))


@pytest.mark.parametrize("method", METHODS)
async def test_hints_block_whatever_the_method_until_they_are_gone(
    dialect: Dialect, method: str, tmp_path: Path
) -> None:
    scene = await Scene.lost(dialect, tmp_path)
    choose(scene, method)
    scene.cluster.clear_paxos()
    scene.cluster.nodes[THIRD].hints = 12
    result = await scene.check(NothingOldCanReplay())
    assert_blocked(result, f"{THIRD} holds 12 hints", remedy="nodetool truncatehints on each node named")
    assert "system.paxos" not in result.remedy
    scene.cluster.nodes[THIRD].hints = 0
    assert_passed(await scene.check(NothingOldCanReplay()))


async def test_both_are_told_with_both_remedies(restored: Scene) -> None:
    leave_paxos_row(restored, FIRST, restored.cluster.table(restored.keyspace, "_timestamp").id)
    restored.cluster.nodes[THIRD].hints = 1
    result = await restored.check(NothingOldCanReplay())
    assert_blocked(result, f"{FIRST} has 1 rows", f"{THIRD} holds 1 hints", remedy="TRUNCATE system.paxos")
    assert "truncatehints" in result.remedy


async def test_looking_at_the_bound_leaves_nothing_that_would_block(restored: Scene) -> None:
    """Serial reads leave Paxos rows of their own; the guards and steps before this one read at ALL."""
    from atlasdb_recovery.procedure.guards import preflight

    for guard in preflight.before_repair():
        await restored.check(guard)
    assert_passed(await restored.check(NothingOldCanReplay()))


async def test_this_sessions_own_conditional_writes_are_not_left_over(restored: Scene) -> None:
    await restored.cluster.put_unless_exists(
        restored.keyspace, "_transactions", (b"\x01", b"t", -1), b"\x02", commit=Consistency.ALL
    )
    assert_blocked(await restored.check(NothingOldCanReplay()), FIRST, remedy="TRUNCATE system.paxos")
    restored.begin("clean-transactions")
    assert_not_applicable(await restored.check(NothingOldCanReplay()), "this session's own")


async def test_a_node_that_does_not_answer_is_unknown(restored: Scene) -> None:
    restored.cluster.stop_node(SECOND)
    assert_unknown(await restored.check(NothingOldCanReplay()), SECOND, remedy="Then check again")
