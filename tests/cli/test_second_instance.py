"""Two operators: the second is told who holds the lock; a dead holder's is taken, another machine's only if asked."""

import getpass
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.events import Noted, SessionResumed
from atlasdb_recovery.journal.lock import Holder, lock_places
from tests.cli.rehearsal import Rehearsal
from tests.cli.terminal import Terminal, program

OFFLINE = "Type yes, or how it was done\n> "


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Terminal]:
    """Somebody whose restore waits at its first question."""
    with program(tmp_path, "restore") as terminal:
        terminal.until(OFFLINE)
        yield terminal


def second(directory: Path) -> Rehearsal:
    """The same directories and the same cluster's name, seen by another process."""
    return Rehearsal(directory)


def test_a_second_restore_is_refused_and_told_by_whom(other: Terminal, tmp_path: Path) -> None:
    ended = second(tmp_path).unattended("restore")
    assert ended.code == 3
    assert (
        f"is held by {getpass.getuser()} on {os.uname().nodename}, process {other.process.pid}, session " in ended.err
    )
    assert "That process is still running." in ended.err
    assert len(second(tmp_path).sessions()) == 1


@pytest.mark.parametrize("given", [True, False], ids=["by id", "the newest"])
def test_the_running_session_is_not_resumed_twice(other: Terminal, tmp_path: Path, given: bool) -> None:
    rehearsal = second(tmp_path)
    ended = rehearsal.unattended("resume", *(rehearsal.sessions() if given else ()))
    assert ended.code == 3
    assert "this session is running" in ended.err
    assert f"by {getpass.getuser()}@{os.uname().nodename}" in ended.err


@pytest.mark.parametrize("take_over", [False, True])
def test_take_over_does_not_take_a_lock_from_a_process_that_runs(
    other: Terminal, tmp_path: Path, take_over: bool
) -> None:
    ended = second(tmp_path).unattended("restore", *(["--take-over"] if take_over else []))
    assert ended.code == 3
    assert str(other.process.pid) in ended.err


def test_the_drop_in_heeds_the_lock_too(other: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsal = second(tmp_path)
    monkeypatch.chdir(tmp_path)
    for command in ("clean-transactions", "fast-forward"):
        ended = rehearsal.atlasdb(
            "--offline", "-c", "install.yml", "timestamp", "-f", "backup/backup.timestamp", command
        )
        assert ended.code == 3, ended
        assert f"process {other.process.pid}" in ended.err


def test_doctor_names_the_holder(other: Terminal, tmp_path: Path) -> None:
    ended = second(tmp_path).recovery("doctor", "--json")
    assert ended.code == 3
    found = {guard["guard"]: guard for guard in map(json.loads, ended.out.splitlines())}
    assert found["LockFree"]["status"] == "blocked"
    assert f"process {other.process.pid}" in found["LockFree"]["evidence"]


def test_the_lock_of_a_killed_process_is_taken_over_and_journalled(tmp_path: Path) -> None:
    with program(tmp_path, "restore") as terminal:
        terminal.until(OFFLINE)
        terminal.process.send_signal(signal.SIGKILL)
        terminal.process.wait()
        killed = terminal.process.pid
    rehearsal = second(tmp_path)
    ended = rehearsal.unattended("resume")
    assert ended.code == 0, ended
    (session,) = rehearsal.sessions()
    taken = [e.lock_taken_from for e in events(rehearsal, session) if isinstance(e, SessionResumed)]
    assert len(taken) == 1
    assert f"process {killed}" in taken[0]


def test_a_lock_of_another_machine_is_taken_only_if_asked(lost: Rehearsal) -> None:
    here = Holder.here("ann", "20260101T000000Z-restore-shop-0000")
    elsewhere = msgspec.structs.replace(here, host="db-admin-7", machine="another", process=4711)
    paths = lock_places(lost.directory / "state", lost.backup_dir, "practice", lost.keyspace)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(elsewhere))
    ended = lost.unattended("restore")
    assert ended.code == 3
    assert "is held by ann on db-admin-7, process 4711" in ended.err
    assert "--take-over" in ended.err
    assert lost.sessions() == []
    ended = lost.unattended("restore", "--take-over")
    assert ended.code == 0, ended
    assert "WARNING: the lock was taken over from ann on db-admin-7, process 4711" in ended.out
    (session,) = lost.sessions()
    assert [e.text for e in events(lost, session) if isinstance(e, Noted) and "db-admin-7" in e.text]
    assert not [path for path in paths if path.exists()]


def events(rehearsal: Rehearsal, session: str) -> list[object]:
    return [record.event for record in rehearsal.journal(session)]
