"""The whole procedure on real clusters, with every store method and both removal methods, judged by the oracle."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import WhiteListRoundRobinPolicy

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.atlas.manifest import MANIFEST_NAME
from atlasdb_recovery.atlas.timestamp_file import BACKUP_FILE, FAST_FORWARD_FILE
from atlasdb_recovery.events import CommandEnded, CommandStarted, Event, GuardChecked, StepFailed
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_settings import write_settings
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.guards.replay_guard import NothingOldCanReplay
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.step import Step
from atlasdb_recovery.procedure.steps.names import REPAIR
from atlasdb_recovery.settings import load
from tests.real.lost import Lost, lost, proven_right
from tests.real.pace import Pace
from tests.real.store_tool import restore as restore_by_hand
from tests.restore.arena import CAREFUL, Arena, ScriptedFrontEnd
from tests.restore.real_rows import BACKUPS

LOST = {"5.0": "lost_5_0", "2.2-palantir": "lost_2_2"}
STORES = ("snapshot", "command", "external")
REMOVALS = ("delete", "abort")
QUICK = [
    ("lost_5_0", "snapshot", "delete", None),
    ("lost_5_0", "command", "abort", None),
    ("lost_5_0", "external", "delete", BACKUPS[1]),
    ("lost_2_2", "snapshot", "abort", None),
    ("lost_2_2", "command", "delete", None),
    ("lost_2_2", "external", "abort", BACKUPS[2]),
]
"""Of each version every store method, and both removal methods; twice an earlier B, amid rows of the real AtlasDB."""
REST = [
    (version, store, removal, backup)
    for version in LOST.values()
    for store in STORES
    for removal in REMOVALS
    for backup in ([None, *BACKUPS] if store == "snapshot" else [None])
    if (version, store, removal, backup) not in QUICK
]


class FollowsTheRemedy(ScriptedFrontEnd):
    """Under which ids another tool will create the tables is not known, so what the lost ones left has to go.

    Nodes on a starved machine take each other for down now and then: a repair that failed of that is retried, once.
    """

    def __init__(self, real: RealCluster, answers: Mapping[str, Any]) -> None:
        super().__init__(answers)
        self.real = real
        self.has_retried = False

    async def after_failure(self, step: Step, failure: StepFailed) -> Choice:
        print(self.failures())
        if step.name != REPAIR or self.has_retried:
            return Choice.STOP
        self.has_retried = True
        return Choice.RETRY

    async def after_refusal(self, step: Step, refusals: Sequence[GuardChecked]) -> Choice:
        if [each.guard for each in refusals] != [NothingOldCanReplay().name] or "TRUNCATE" not in refusals[0].remedy:
            return Choice.STOP
        await asyncio.to_thread(truncate_paxos, self.real)
        return Choice.RETRY


async def restored(arena: Arena, real: RealCluster, store: str, removal: str) -> Sequence[Event]:
    settings = write_settings(real, arena.exercise.keyspace, arena.directory)
    changed = msgspec.structs.replace(
        arena.settings.store,
        method=store,
        restore_command=f"{sys.executable} -m tests.real.store_tool {settings}",
    )
    arena.settings = msgspec.structs.replace(arena.settings, removal=removal, store=changed)
    answers = dict(CAREFUL)
    if store == "external":
        await restore_by_hand(load(settings))
        answers["store-restored"] = "by the test's own tool"
    front_end, journal = FollowsTheRemedy(real, answers), MemoryJournal()
    outcome = await arena.restore(front_end, journal=journal)
    assert outcome is Outcome.DONE, (front_end.refusals(), front_end.failures())
    await proven_right(arena)
    pace = Pace(journal.records())
    print(f"{real.version} {store} {removal}: {pace.describe()}")
    assert pace.until_first_change + pace.guards < 180, pace.describe()
    return front_end.events


def truncate_paxos(real: RealCluster) -> None:
    """On each node, as the remedy says."""
    for address in real.addresses:
        profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy([address]), request_timeout=60)
        with Cluster([address], port=real.native_port, execution_profiles={EXEC_PROFILE_DEFAULT: profile}) as driver:
            driver.connect().execute("TRUNCATE system.paxos")


@pytest.mark.parametrize(("lost_keyspace", "store", "removal", "backup"), QUICK, indirect=["lost_keyspace"])
async def test_a_restore_is_right(
    lost_keyspace: Lost, tmp_path: Path, store: str, removal: str, backup: int | None
) -> None:
    async with lost_keyspace.arena(tmp_path) as arena:
        if backup is not None:
            arena.restore_to(backup)
        await restored(arena, lost_keyspace.real, store, removal)


@pytest.mark.deep
@pytest.mark.parametrize(("lost_keyspace", "store", "removal", "backup"), REST, indirect=["lost_keyspace"])
async def test_every_other_restore_is_right(
    lost_keyspace: Lost, tmp_path: Path, store: str, removal: str, backup: int | None
) -> None:
    async with lost_keyspace.arena(tmp_path) as arena:
        if backup is not None:
            arena.restore_to(backup)
        await restored(arena, lost_keyspace.real, store, removal)


@pytest.mark.deep
@pytest.mark.parametrize("lost_keyspace", LOST.values(), indirect=True)
async def test_a_b_of_another_keyspace_stops_it_before_the_repair(lost_keyspace: Lost, tmp_path: Path) -> None:
    """Backups of two files: nothing would be removed, and nothing would fail."""
    async with lost_keyspace.arena(tmp_path) as arena:
        (arena.settings.backup_dir / MANIFEST_NAME).unlink()
        timestamp_file.write(arena.settings.backup_dir / BACKUP_FILE, 52_004_711)
        timestamp_file.write(arena.settings.backup_dir / FAST_FORWARD_FILE, 52_031_940)
        front_end = FollowsTheRemedy(lost_keyspace.real, CAREFUL)
        assert await arena.restore(front_end) is Outcome.REFUSED, front_end.failures()
        assert set(front_end.refusals()) == {"BackupTimestampHandedOut"}


@pytest.mark.deep
@pytest.mark.real
@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("version", list(LOST))
async def test_two_data_centres(tmp_path: Path, version: str, replicas: int) -> None:
    """With one replica in each, nodes 1 and 3 share none, nor do 2 and 4: they are repaired together."""
    real = await RealCluster.start(version, tmp_path / "nodes", data_centers=("east", "west", "east", "west"))
    try:
        keyspace = {"class": "NetworkTopologyStrategy", "east": str(replicas), "west": str(replicas)}
        async with (
            lost(real, tmp_path / "lost", replication=keyspace, always_up=replicas == 1) as lost_keyspace,
            lost_keyspace.arena(tmp_path) as arena,
        ):
            repair = msgspec.structs.replace(arena.settings.repair, parallel=True)
            arena.settings = msgspec.structs.replace(arena.settings, repair=repair)
            events = await restored(arena, real, "snapshot", "delete")
            together = most_at_once(events, "repair")
            assert together == (2 if replicas == 1 else 1)
    finally:
        await real.stop()
    assert list((tmp_path / "nodes").iterdir()) == []


def most_at_once(events: Sequence[Event], step: str) -> int:
    """How many nodes were at a command of this step at the same time."""
    running, most = set[str](), 0
    for event in events:
        if event.step == step and isinstance(event, CommandStarted):
            running.add(event.source)
        elif event.step == step and isinstance(event, CommandEnded):
            running.discard(event.source)
        most = max(most, len(running))
    return most
