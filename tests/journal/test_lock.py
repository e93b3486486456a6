"""Exactly one operator at a time, and a lock left behind is told from one that is held."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from atlasdb_recovery.journal.lock import (
    FILE_NAME,
    Holder,
    LockHeld,
    LockLost,
    LockUnusable,
    OperatorLock,
    holders,
    lock_paths,
)

CONTENDER = """
import sys
from pathlib import Path
from atlasdb_recovery.journal.lock import Holder, LockHeld, OperatorLock
paths = [Path(p) for p in sys.argv[1:]]
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "go":
        try:
            lock = OperatorLock.acquire(paths, Holder.here("bob", "s0"))
            print("won", len(lock.taken_from), flush=True)
        except LockHeld as held:
            print("lost", held.is_alive, flush=True)
"""


class Contender:
    """Another process that tries for the same locks when told to."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        command = [sys.executable, "-c", CONTENDER, *map(str, paths)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.heard() == "ready"

    def heard(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "backup").mkdir()
    return lock_paths(tmp_path / "state", tmp_path / "backup", "prod eu/1", "orders")


@pytest.fixture
def contenders(paths: tuple[Path, Path]) -> Iterator[list[Contender]]:
    started = [Contender(paths) for _ in range(4)]
    yield started
    for contender in started:
        contender.kill()


def elsewhere(**changes: object) -> bytes:
    """The lock of a holder on a machine that cannot be looked at from here."""
    holder = {"user": "eve", "host": "far", "process": 1, "session": "s9", "since": "2026-11-23T03:00:00Z"}
    return json.dumps(holder | {"process_started": 1.0, "machine": "another"} | changes).encode()


def test_a_lock_lies_in_both_places_names_its_holder_and_goes_when_released(paths: tuple[Path, Path]) -> None:
    holder = Holder.here("ann", "20261123T031502Z-restore-orders-3f2a")
    with OperatorLock.acquire(paths, holder) as lock:
        assert lock.taken_from == ()
        for path in paths:
            content = json.loads(path.read_bytes())
            assert (content["user"], content["process"]) == ("ann", os.getpid())
            assert content["session"] == "20261123T031502Z-restore-orders-3f2a"
        lock.check()
    assert [list(path.parent.iterdir()) for path in paths] == [[], []]
    assert paths[1].name == FILE_NAME


def test_keyspaces_and_clusters_do_not_hinder_each_other(tmp_path: Path, paths: tuple[Path, Path]) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with OperatorLock.acquire(paths, Holder.here("ann", "s1")):
        for cluster, keyspace in (("prod eu/1", "users"), ("prod eu/2", "orders")):
            OperatorLock.acquire(
                lock_paths(tmp_path / "state", other, cluster, keyspace), Holder.here("ann", "s2")
            ).release()


@pytest.mark.parametrize("take_over", [False, True])
def test_a_holder_that_lives_keeps_its_lock_and_is_named(
    paths: tuple[Path, Path], contenders: list[Contender], take_over: bool
) -> None:
    contenders[0].go()
    assert contenders[0].heard() == "won 0"
    with pytest.raises(LockHeld) as held:
        OperatorLock.acquire(paths, Holder.here("ann", "s1"), take_over=take_over)
    assert held.value.is_alive is True
    assert held.value.holder.process == contenders[0].process.pid
    for word in ("bob on ", f"process {contenders[0].process.pid}", "session s0, since 20", "still running", "end it"):
        assert word in str(held.value)


def test_of_racing_processes_exactly_one_wins(contenders: list[Contender]) -> None:
    for contender in contenders:
        contender.go()
    heard = [contender.heard() for contender in contenders]
    assert sorted(heard) == ["lost True"] * 3 + ["won 0"]


def test_of_processes_racing_for_a_dead_ones_lock_exactly_one_wins(
    paths: tuple[Path, Path], contenders: list[Contender]
) -> None:
    dead, *racing = contenders
    dead.go()
    assert dead.heard() == "won 0"
    dead.kill()
    for contender in racing:
        contender.go()
    heard = sorted(contender.heard() for contender in racing)
    assert heard == ["lost True"] * 2 + ["won 1"]
    assert json.loads(paths[0].read_bytes())["process"] != dead.process.pid


def test_a_dead_holders_lock_is_taken_over_without_asking_and_named(
    paths: tuple[Path, Path], contenders: list[Contender]
) -> None:
    contenders[0].go()
    assert contenders[0].heard() == "won 0"
    contenders[0].kill()
    with OperatorLock.acquire(paths, Holder.here("ann", "s1")) as lock:
        assert [holder.process for holder in lock.taken_from] == [contenders[0].process.pid]
        assert "bob on " in str(lock.taken_from[0])
        lock.check()


def test_a_process_id_that_was_given_to_another_process_since_is_no_sign_of_life(paths: tuple[Path, Path]) -> None:
    mine = Holder.here("bob", "s0")
    started = psutil.Process().create_time()
    content = elsewhere(process=os.getpid(), process_started=started - 3600, machine=mine.machine)
    paths[0].write_bytes(content)
    OperatorLock.acquire(paths, Holder.here("ann", "s1")).release()
    paths[0].write_bytes(elsewhere(process=os.getpid(), process_started=started, machine=mine.machine))
    with pytest.raises(LockHeld) as held:
        OperatorLock.acquire(paths, Holder.here("ann", "s1"))
    assert held.value.is_alive is True


@pytest.mark.parametrize("content", [elsewhere(), b"", b"not json", b"\xff", elsewhere(process="x")])
def test_of_a_holder_that_cannot_be_looked_at_only_an_explicit_take_over_frees(
    paths: tuple[Path, Path], content: bytes
) -> None:
    paths[1].write_bytes(content)
    with pytest.raises(LockHeld, match=r"cannot be told from here.*resume --take-over") as held:
        OperatorLock.acquire(paths, Holder.here("ann", "s1"))
    assert held.value.is_alive is None
    assert paths[1].read_bytes() == content
    assert not paths[0].exists()
    with OperatorLock.acquire(paths, Holder.here("ann", "s1"), take_over=True) as lock:
        assert lock.taken_from == (held.value.holder,)
        assert json.loads(paths[1].read_bytes())["user"] == "ann"


def test_holders_are_the_others_that_live_or_may_live(paths: tuple[Path, Path], contenders: list[Contender]) -> None:
    assert holders(paths) == []
    with OperatorLock.acquire(paths, Holder.here("ann", "s1")):
        assert holders(paths) == []
    contenders[0].go()
    assert contenders[0].heard() == "won 0"
    assert [(path, holder.process) for path, holder in holders(paths)] == [
        (path, contenders[0].process.pid) for path in paths
    ]
    contenders[0].kill()
    assert holders(paths) == []
    paths[1].write_bytes(elsewhere())
    assert [(path, holder.user) for path, holder in holders(paths)] == [(paths[1], "eve")]


def test_a_lock_that_is_held_is_never_taken_over_whatever_its_text_says(paths: tuple[Path, Path]) -> None:
    paths[1].write_bytes(elsewhere())
    with paths[1].open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockHeld) as held:
            OperatorLock.acquire(paths, Holder.here("ann", "s1"), take_over=True)
    assert held.value.is_alive is True
    assert paths[1].read_bytes() == elsewhere()


def test_a_lock_released_at_this_very_moment_is_free(paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    paths[0].write_bytes(elsewhere())
    really = fcntl.flock
    theirs = paths[0].stat().st_ino

    def released(descriptor: int, operation: int) -> None:
        if os.fstat(descriptor).st_ino == theirs:
            paths[0].unlink(missing_ok=True)
        really(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", released)
    with OperatorLock.acquire(paths, Holder.here("ann", "s1")) as lock:
        assert lock.taken_from == ()
        lock.check()


def test_a_hostile_holder_is_shown_as_plain_text(paths: tuple[Path, Path]) -> None:
    paths[1].write_bytes(elsewhere(user="\x1b[2Jeve\n"))
    with pytest.raises(LockHeld) as held:
        OperatorLock.acquire(paths, Holder.here("ann", "s1"))
    assert "\\x1b[2Jeve\\x0a on far" in str(held.value)


def test_a_lock_taken_over_by_somebody_else_is_noticed_and_not_removed(paths: tuple[Path, Path]) -> None:
    lock = OperatorLock.acquire(paths, Holder.here("ann", "s1"))
    paths[1].unlink()
    paths[1].write_bytes(elsewhere())
    with pytest.raises(LockLost, match="eve on far, process 1, session s9.*Stop here"):
        lock.check()
    lock.release()
    assert paths[1].read_bytes() == elsewhere()
    assert not paths[0].exists()


def test_a_removed_lock_is_noticed(paths: tuple[Path, Path]) -> None:
    with OperatorLock.acquire(paths, Holder.here("ann", "s1")) as lock:
        paths[0].unlink()
        with pytest.raises(LockLost, match="somebody has removed it"):
            lock.check()


def test_a_missing_directory_is_said_and_nothing_stays_locked(paths: tuple[Path, Path], tmp_path: Path) -> None:
    missing = tmp_path / "unmounted" / FILE_NAME
    with pytest.raises(LockUnusable, match="there is no directory .*unmounted.*mount"):
        OperatorLock.acquire((paths[0], missing), Holder.here("ann", "s1"))
    assert not paths[0].exists()


def test_a_state_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(LockUnusable, match="cannot be used as a lock"):
        lock_paths(tmp_path / "state", tmp_path, "c", "k")


def test_a_read_only_directory_is_said(paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    really = os.open

    def refuse(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT and Path(path).parent == paths[1].parent:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return really(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(LockUnusable, match="Read-only file system.*Make the directory writable"):
        OperatorLock.acquire(paths, Holder.here("ann", "s1"))
    assert not paths[0].exists()


def test_file_systems_without_hard_links_can_hold_a_lock(
    paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    with OperatorLock.acquire(paths, Holder.here("ann", "s1")) as lock:
        lock.check()
        with pytest.raises(LockHeld):
            OperatorLock.acquire(paths, Holder.here("ann", "s2"))
    assert [list(path.parent.iterdir()) for path in paths] == [[], []]
