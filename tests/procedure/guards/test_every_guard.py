"""What holds of every guard: named, explained, remedied; none passes where it could not look, none changes anything."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from atlasdb_recovery.cassandra.ports import ClusterUnreachable
from atlasdb_recovery.practice.simulated import CommandFault, Dialect
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import LOOK_AGAIN, Guard, GuardResult, GuardStatus, passed
from atlasdb_recovery.procedure.guards.lock_guard import LockFree
from atlasdb_recovery.procedure.guards.put_back_guard import NotFastForwarded
from atlasdb_recovery.procedure.guards.sealed_timestamp import TimestampOfBackup
from atlasdb_recovery.procedure.removal.pre_images import Header
from atlasdb_recovery.procedure.runner import checked
from tests.procedure.guards.scene import FIRST, Scene


def subclasses(kind: type[Guard]) -> Iterator[type[Guard]]:
    for below in kind.__subclasses__():
        if below.__module__.startswith("atlasdb_recovery."):
            yield below
        yield from subclasses(below)


EVERY = sorted(set(subclasses(Guard)), key=lambda kind: kind.__name__)
HEADER = Header(session="a-session", cluster="practice", keyspace="shop", after=1, removal="delete")
OF_THIS_MACHINE = {
    "DirectoriesWritable",
    "BackupDirectoryUnused",
    "TimestampsInOrder",
    "TimestampOfBackup",
    "BackupSealed",
    "ScanProven",
    "SweepHeldBack",
    "ImmutableTimestampLocked",
}
"""Those that ask no node: of files, or of whether the timestamp service has a lock to hold."""
ASK_NODETOOL = {
    "EveryNodeUp",
    "NodetoolAnswers",
    "NothingRunning",
    "ThriftClosed",
    "ThriftStaysClosed",
    "NoClientsConnected",
    "TimestampAuthorityUsable",
}
"""On the fork, on which clients cannot be listed."""


def made(kind: type[Guard]) -> Guard:
    if kind is NotFastForwarded:
        return NotFastForwarded(HEADER)
    return TimestampOfBackup(1, is_forward=False, is_of_file=True) if kind is TimestampOfBackup else kind()


EACH = pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)


@EACH
def test_it_says_what_it_proves_and_what_to_do(kind: type[Guard]) -> None:
    guard = made(kind)
    assert guard.name == kind.__name__
    assert guard.proves.endswith(".")
    assert guard.remedy.endswith(".")
    assert len(guard.remedy.split()) > 5


def test_doctor_runs_every_guard_of_every_step() -> None:
    of_restore = {guard.name for guard in preflight.all_for("restore")} | {LockFree().name}
    of_backup = {guard.name for guard in preflight.all_for("backup")} | {LockFree().name}
    of_put_back = {guard.name for guard in preflight.before_put_back(HEADER)}
    of_atlasdbs_lines = {TimestampOfBackup.__name__}
    assert of_restore | of_backup | of_put_back | of_atlasdbs_lines == {kind.__name__ for kind in EVERY}
    assert of_put_back - of_restore - of_backup == {"NotFastForwarded"}
    steps: list[Callable[[], Any]] = [
        preflight.before_restore,
        preflight.before_store_restore,
        preflight.before_repair,
        preflight.before_removal,
        preflight.before_fast_forward,
        preflight.before_proof,
    ]
    assert {guard.name for step in steps for guard in step()} <= of_restore


async def test_with_the_whole_cluster_down_none_passes(tmp_path: Path) -> None:
    scene = await Scene.restored(Dialect.PALANTIR, tmp_path)
    scene.establish("thrift-disabled", [FIRST])
    for address in scene.cluster.addresses:
        scene.cluster.stop_node(address)
    results = {kind.__name__: await scene.check(made(kind)) for kind in EVERY}
    assert all(result.remedy for result in results.values() if not result.status.lets_pass)
    drastic = [kind.__name__ for kind in EVERY if kind.remedy_is_drastic and kind.__name__ not in OF_THIS_MACHINE]
    assert {results[name].remedy for name in drastic} == {LOOK_AGAIN}
    assert {name for name, result in results.items() if result.status.lets_pass} <= OF_THIS_MACHINE


async def test_with_nodetool_silent_none_that_asks_it_passes(tmp_path: Path) -> None:
    scene = await Scene.restored(Dialect.PALANTIR, tmp_path)
    scene.establish("thrift-disabled", [FIRST])
    asking = [kind for kind in EVERY if kind.__name__ in ASK_NODETOOL]
    assert len(asking) == len(ASK_NODETOOL)
    for kind in asking:
        scene.cluster.faults.commands = [CommandFault(hangs=True)] * 50
        result = await scene.check(made(kind))
        assert result.status is GuardStatus.UNKNOWN, (kind, result)


async def test_looking_changes_nothing(tmp_path: Path) -> None:
    """The first look may: it reads at ALL, and what it reads is repaired."""
    scene = await Scene.restored(Dialect.APACHE, tmp_path)
    for kind in EVERY:
        await scene.check(made(kind))
    before, files = everything(scene), sorted(tmp_path.rglob("*"))
    for kind in EVERY:
        await scene.check(made(kind))
    assert everything(scene) == before
    assert sorted(tmp_path.rglob("*")) == files


def everything(scene: Scene) -> object:
    """What all nodes hold, Paxos rows and truncations included."""
    nodes = scene.cluster.nodes.items()
    held = {address: {table: dict(store.cells) for table, store in node.stores.items()} for address, node in nodes}
    rest = {address: (sorted(node.paxos), dict(node.truncated_at), node.thrift_active) for address, node in nodes}
    return held, rest, scene.cluster.schema_version


NO_CONTEXT = cast(Context, None)


class Raises(Guard):
    proves = "Nothing."
    remedy = "Mend it, then check again, as it says above."

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def check(self, context: Context) -> GuardResult:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        ClusterUnreachable("no node answered"),
        KeyError("host_id"),
        TimeoutError("the read timed out"),
        ZeroDivisionError(),
        OSError(5, "Input/output error"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_goes_wrong_while_it_looks_blocks(error: Exception) -> None:
    result = await checked(Raises(error), NO_CONTEXT)
    assert result.status is GuardStatus.UNKNOWN
    assert not result.status.lets_pass
    assert type(error).__name__ in result.evidence
    assert "did not finish" not in result.evidence


async def test_stopping_is_not_a_result() -> None:
    with pytest.raises(asyncio.CancelledError):
        await checked(Raises(asyncio.CancelledError()), NO_CONTEXT)


class NeverEnds(Guard):
    proves = "Nothing."
    remedy = "Wait."
    deadline = 0.01

    async def check(self, context: Context) -> GuardResult:
        await asyncio.Event().wait()
        return passed("never")


async def test_one_that_does_not_end_is_unknown() -> None:
    result = await checked(NeverEnds(), NO_CONTEXT)
    assert result.status is GuardStatus.UNKNOWN
    assert "did not finish" in result.evidence
