"""Backup and restore of a keyspace on TimeLock by the commands as typed: real nodes, TimeLock's protocol over HTTP.

The TimeLock is the simulated one, which answers as the recorded real ones did.
"""

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest

from atlasdb_recovery.atlas import manifest
from atlasdb_recovery.atlas.names import TIMESTAMP
from atlasdb_recovery.cassandra.ports import Consistency
from atlasdb_recovery.practice.exercise import Exercise
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_practice import connected
from atlasdb_recovery.practice.simulated.timelock.asked import Asked
from atlasdb_recovery.practice.simulated.timelock.http_servers import SimulatedTimeLock
from atlasdb_recovery.practice.simulated.timelock.pages import Reply
from tests.real.operator import HistoryWithAllNodesUp, Operator, judged

KEYSPACE = "accounts"
STAGES = 40
KEY, BOUND, SET_ASIDE = b"ts", b"ts", b"oldTs"


class LosesTheLock(SimulatedTimeLock):
    """Once, when it is asked for a refresh while files lie in this directory: as if one had come too late."""

    copied_into: Path
    has_lost = False

    def reply(self, node: int, asked: Asked) -> Reply | None:
        is_refresh = asked.target.endswith("refresh-locks")
        if is_refresh and not self.has_lost and any(self.copied_into.rglob("*.db")):
            self.has_lost = True
            self.lose_locks(KEYSPACE)
        return super().reply(node, asked)


@pytest.fixture
def timelock(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LosesTheLock]:
    """Each version's tests may run beside the other's: addresses of their own."""
    number = 23 if "cluster_5_0" in request.fixturenames else 24
    with LosesTheLock([f"127.0.{number}.{node}" for node in (1, 2, 3)]) as servers:
        servers.ensemble.leader = 1
        servers.copied_into = tmp_path / "backup"
        yield servers


async def backed_up_and_lost(real: RealCluster, operator: Operator, timelock: LosesTheLock) -> Exercise:
    """A service that began without TimeLock and was migrated to it: its first backup fails, the second is whole."""
    async with connected(real) as practice:
        exercise = HistoryWithAllNodesUp(practice, keyspace=KEYSPACE, stages=STAGES)
        await exercise.make_history()
        await exercise.timestamps.migrate(timelock)
        exercise.start_service()
        try:
            fetched = await operator.runs("atlasdb", "--config", f"{KEYSPACE}.yml", "timestamp", "fetch")
            print(fetched.out)
            assert (fetched.code, "from TimeLock's namespace" in fetched.out) == (0, True), fetched
            await loses_the_lock(operator, timelock)
            backed_up = await operator.recovers("backup")
            print(backed_up.out)
            assert backed_up.code == 0, backed_up
        finally:
            await exercise.kill_service()
        await exercise.lose_keyspace()
    return exercise


async def loses_the_lock(operator: Operator, timelock: LosesTheLock) -> None:
    """For one refresh, while the store is being copied."""
    failed = await operator.recovers("backup")
    print(failed.out)
    assert (failed.code, timelock.has_lost) == (4, True), failed
    assert "the lock on the immutable timestamp was lost while the store was being backed up" in failed.out
    assert "Take a new one, from the beginning, in an empty backup directory" in failed.out
    backup = operator.directory / "backup"
    assert manifest.load(backup) is None
    assert not (backup / "fast-forward.timestamp").exists()
    rmtree(backup)
    backup.mkdir()


async def restored(real: RealCluster, operator: Operator, timelock: LosesTheLock) -> None:
    sealed = manifest.load(operator.directory / "backup")
    assert sealed is not None
    assert sealed.timelock is not None
    assert 0 < (sealed.timelock.immutable_timestamp or 0) < sealed.backup_timestamp < sealed.fast_forward_timestamp
    looked = await operator.runs("atlasdb-recovery", "doctor")
    print(looked.out)
    assert looked.code == 0, looked
    assert f"{timelock.uris[1]} leads" in looked.out
    ended = await operator.recovers("restore")
    print(ended.out)
    assert ended.code == 0, ended
    assert f"Restore complete: keyspace {KEYSPACE}" in ended.out
    assert timelock.fresh(KEYSPACE) > sealed.fast_forward_timestamp
    async with connected(real) as practice:
        cells = await practice.cluster.read_partition(KEYSPACE, TIMESTAMP, KEY, consistency=Consistency.ALL)
        assert {cell.column1: len(cell.value) for cell in cells} == {BOUND: 1, SET_ASIDE: 8}


async def whole(real: RealCluster, directory: Path, timelock: LosesTheLock, scan: str) -> None:
    operator = Operator(real, KEYSPACE, directory, timelock={"serversList": {"servers": list(timelock.uris)}})
    try:
        exercise = await backed_up_and_lost(real, operator, timelock)
        operator.change_settings(scan=scan)
        await restored(real, operator, timelock)
        print(await judged(real, operator, exercise))
        assert operator.leaks() == []
    finally:
        async with connected(real) as practice:
            await practice.cluster.change_schema(f"DROP KEYSPACE IF EXISTS {KEYSPACE}")


@pytest.mark.timeout(600)
async def test_a_backup_and_a_restore_on_the_fork(
    cluster_2_2: RealCluster, tmp_path: Path, timelock: LosesTheLock
) -> None:
    await whole(cluster_2_2, tmp_path, timelock, "full")


@pytest.mark.deep
@pytest.mark.timeout(600)
async def test_a_backup_and_a_restore_on_5_0(cluster_5_0: RealCluster, tmp_path: Path, timelock: LosesTheLock) -> None:
    await whole(cluster_5_0, tmp_path, timelock, "from-immutable-timestamp")
