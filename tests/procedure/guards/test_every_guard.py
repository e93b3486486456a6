"""What holds of every guard: named, explained, remedied; none passes where it could not look, none changes anything."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from atlasdb_recovery.cassandra.ports import ClusterUnreachable
from atlasdb_recovery.practice.simulated import CommandFault, Dialect
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, GuardStatus, passed
from atlasdb_recovery.procedure.guards.lock_guard import LockFree
from atlasdb_recovery.procedure.guards.put_back_guard import NotFastForwarded
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
OF_THIS_MACHINE = {"DirectoriesWritable", "BackupDirectoryUnused", "TimestampsInOrder", "BackupSealed"}
"""Those that look at files alone."""
ASK_NODETOOL = {"EveryNodeUp", "NodetoolAnswers", "NothingRunning", "ThriftClosed", "ThriftStaysClosed"}


def made(kind: type[Guard]) -> Guard:
    return NotFastForwarded(HEADER) if kind is NotFastForwarded else kind()


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
    assert of_restore | of_backup | of_put_back == {kind.__name__ for kind in EVERY}
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


@EACH
async def test_with_the_whole_cluster_down_none_passes(kind: type[Guard], tmp_path: Path) -> None:
    scene = await Scene.restored(Dialect.PALANTIR, tmp_path)
    scene.establish("thrift-disabled", [FIRST])
    for address in scene.cluster.addresses:
        scene.cluster.stop_node(address)
    result = await scene.check(made(kind))
    assert result.remedy
    if kind.__name__ not in OF_THIS_MACHINE:
        assert not result.status.lets_pass, result


@EACH
async def test_with_nodetool_silent_none_that_asks_it_passes(kind: type[Guard], tmp_path: Path) -> None:
    scene = await Scene.restored(Dialect.PALANTIR, tmp_path)
    scene.establish("thrift-disabled", [FIRST])
    scene.cluster.faults.commands += [CommandFault(hangs=True)] * 50
    result = await scene.check(made(kind))
    if kind.__name__ in ASK_NODETOOL | {"NoClientsConnected", "TimestampAuthorityUsable"}:
        assert result.status is GuardStatus.UNKNOWN, result


@EACH
async def test_looking_changes_nothing(kind: type[Guard], tmp_path: Path) -> None:
    scene = await Scene.restored(Dialect.APACHE, tmp_path)
    await scene.check(made(kind))
    before, files = everything(scene), sorted(tmp_path.rglob("*"))
    await scene.check(made(kind))
    assert everything(scene) == before
    assert sorted(tmp_path.rglob("*")) == files


def everything(scene: Scene) -> object:
    """What all nodes hold, Paxos rows and truncations included."""
    nodes = scene.cluster.nodes.items()
    held = {address: {table: dict(store.cells) for table, store in node.stores.items()} for address, node in nodes}
    rest = {address: (sorted(node.paxos), dict(node.truncated_at), node.thrift_active) for address, node in nodes}
    return held, rest, scene.cluster.schema_version


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
async def test_whatever_goes_wrong_while_it_looks_blocks(lost: Scene, error: Exception) -> None:
    result = await checked(Raises(error), lost.context)
    assert result.status is GuardStatus.UNKNOWN
    assert not result.status.lets_pass
    assert type(error).__name__ in result.evidence
    assert "did not finish" not in result.evidence


async def test_stopping_is_not_a_result(lost: Scene) -> None:
    with pytest.raises(asyncio.CancelledError):
        await checked(Raises(asyncio.CancelledError()), lost.context)


class NeverEnds(Guard):
    proves = "Nothing."
    remedy = "Wait."
    deadline = 0.01

    async def check(self, context: Context) -> GuardResult:
        await asyncio.Event().wait()
        return passed("never")


async def test_one_that_does_not_end_is_unknown(lost: Scene) -> None:
    result = await checked(NeverEnds(), lost.context)
    assert result.status is GuardStatus.UNKNOWN
    assert "did not finish" in result.evidence
