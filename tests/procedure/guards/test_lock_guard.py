"""One operator at a time: the lock in the state directory and in the backup directory."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.journal.lock import Holder, OperatorLock, lock_paths
from atlasdb_recovery.procedure.guards.lock_guard import LockFree
from tests.procedure.guards.scene import Scene, assert_blocked, assert_passed, assert_unknown

TAKES = """
import sys
from pathlib import Path
from atlasdb_recovery.journal.lock import Holder, OperatorLock
lock = OperatorLock.acquire([Path(path) for path in sys.argv[1:]], Holder.here("kim", "restore-of-kim"))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def paths(lost: Scene) -> list[str]:
    found = lock_paths(lost.context.state_directory, lost.context.backup_dir, lost.cluster.name, lost.keyspace)
    return [str(path) for path in found]


@pytest.fixture(params=[0, 1], ids=["state directory", "backup directory"])
def held_elsewhere(request: pytest.FixtureRequest, paths: list[str]) -> Iterator[str]:
    """Another process holds one of the two."""
    path = paths[request.param]
    with subprocess.Popen(
        [sys.executable, "-c", TAKES, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield path
        process.terminate()


async def test_free(lost: Scene) -> None:
    assert_passed(await lost.check(LockFree()), "free in both places")


async def test_held_by_another_process_in_either_place(lost: Scene, held_elsewhere: str) -> None:
    result = await lost.check(LockFree())
    assert_blocked(result, held_elsewhere, "kim on", "session restore-of-kim", remedy="Talk to the holder")


async def test_of_a_holder_on_another_host_nothing_is_known_and_it_blocks(lost: Scene, paths: list[str]) -> None:
    holder = msgspec.structs.replace(Holder.here("kim", "theirs", datetime.now(UTC)), machine="elsewhere", host="db-7")
    Path(paths[1]).write_bytes(msgspec.json.encode(holder))
    result = await lost.check(LockFree())
    assert_blocked(result, "kim on db-7", "session theirs", remedy="atlasdb-recovery resume --take-over")


async def test_a_lock_file_that_cannot_be_read_blocks(lost: Scene, paths: list[str]) -> None:
    Path(paths[0]).write_text("not json")
    assert_blocked(await lost.check(LockFree()), paths[0], "somebody", remedy="Talk to the holder")


async def test_our_own_lock_is_not_another_operators(lost: Scene) -> None:
    paths = lock_paths(lost.context.state_directory, lost.context.backup_dir, lost.cluster.name, lost.keyspace)
    with OperatorLock.acquire(paths, Holder.here("me", "mine")):
        assert_passed(await lost.check(LockFree()))


async def test_without_the_cluster_it_is_unknown(lost: Scene) -> None:
    for address in lost.cluster.addresses:
        lost.cluster.stop_node(address)
    assert_unknown(await lost.check(LockFree()), "could not look", remedy="Talk to the holder")
