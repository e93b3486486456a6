"""The commands as typed on real nodes: a backup of a running service, the restore, and AtlasDB's own lines."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.practice.exercise import Exercise
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_practice import connected
from atlasdb_recovery.practice.timestamp_endpoint import TimestampEndpoint
from tests.real.operator import HistoryWithAllNodesUp, Operator, judged

KEYSPACE = "orders"
STAGES = 40


async def backed_up_and_lost(real: RealCluster, operator: Operator) -> Exercise:
    """By the command, while the service runs and hands out B and F itself."""
    async with connected(real) as practice:
        exercise = HistoryWithAllNodesUp(practice, keyspace=KEYSPACE, stages=STAGES)
        await exercise.make_history()
        exercise.start_service()
        with TimestampEndpoint(exercise.timestamps) as endpoint:
            ended = await operator.recovers("backup", "--timestamps-servers", endpoint.uri)
        await exercise.kill_service()
        assert ended.code == 0, ended
        assert f"Backup complete: keyspace {KEYSPACE}" in ended.out
        await exercise.lose_keyspace()
    return exercise


async def committed_after(operator: Operator, after: int) -> set[int]:
    ended = await operator.runs("atlasdb-recovery", "inspect", "transactions", "--after", str(after))
    assert ended.code == 0, ended
    return {row["commit"] for row in map(json.loads, ended.out.splitlines())}


async def atlasdbs_lines_are_true(operator: Operator, commits: Sequence[int]) -> None:
    """As AtlasDB's page prints them, and in the Java tool's order, on the keyspace that has just been restored."""
    page = ["--config", f"{KEYSPACE}.yml", "--config-root", "/atlasdb", "timestamp"]
    java = ["--offline", "-c", f"{KEYSPACE}.yml", "timestamp"]
    fetched = await operator.runs("atlasdb", *page, "fetch", "--file", "b2/backup.timestamp")
    assert fetched.code == 0, fetched
    fresh = timestamp_file.read(operator.directory / "b2" / "backup.timestamp")
    assert fetched.out.splitlines()[0] == f"The fresh timestamp is: {fresh}"
    cut = sorted(commits)[len(commits) // 2]
    refused = await operator.runs("atlasdb", *page, "clean-transactions", "--timestamp", str(cut))
    assert (refused.code, "--offline" in refused.err) == (5, True), refused
    assert await committed_after(operator, cut)
    cleaned = await operator.runs("atlasdb", *java, "-t", str(cut), "clean-transactions")
    assert cleaned.code == 0, cleaned
    assert f"no transaction committed after {cut} is left" in cleaned.out
    assert await committed_after(operator, cut) == set()
    assert cut in await committed_after(operator, cut - 1)
    target = fresh + 50_000_000
    forwarded = await operator.runs("atlasdb", *page, "fast-forward", "--offline", "--timestamp", str(target))
    assert forwarded.code == 0, forwarded
    again = await operator.runs("atlasdb", *java, "fetch")
    assert int(again.out.splitlines()[0].split()[-1]) > target


async def whole(real: RealCluster, directory: Path) -> None:
    operator = Operator(real, KEYSPACE, directory)
    try:
        exercise = await backed_up_and_lost(real, operator)
        looked = await operator.runs("atlasdb-recovery", "doctor")
        assert looked.code == 0, looked
        restored = await operator.recovers("restore")
        assert restored.code == 0, restored
        assert f"Restore complete: keyspace {KEYSPACE}" in restored.out
        assert "\x1b" not in restored.out
        print(await judged(real, operator, exercise))
        backup = timestamp_file.read(directory / "backup" / "backup.timestamp")
        commits = [t.commit for t in exercise.writer.truth.transactions if t.commit is not None and t.commit <= backup]
        await atlasdbs_lines_are_true(operator, commits)
        assert operator.leaks() == []
    finally:
        async with connected(real) as practice:
            await practice.cluster.change_schema(f"DROP KEYSPACE IF EXISTS {KEYSPACE}")


@pytest.mark.deep
@pytest.mark.timeout(600)
async def test_a_backup_a_restore_and_atlasdbs_lines_on_5_0(cluster_5_0: RealCluster, tmp_path: Path) -> None:
    await whole(cluster_5_0, tmp_path)


@pytest.mark.deep
@pytest.mark.timeout(600)
async def test_a_backup_a_restore_and_atlasdbs_lines_on_the_fork(cluster_2_2: RealCluster, tmp_path: Path) -> None:
    await whole(cluster_2_2, tmp_path)
