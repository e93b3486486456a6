"""The list of sessions: how far each came, damaged ones included."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from atlasdb_recovery.events import (
    Event,
    Noted,
    SessionAborted,
    SessionCompleted,
    SessionParked,
    SessionResumed,
    SessionStarted,
    StepFailed,
    StepIntended,
    StepPerformed,
    StepVerified,
)
from atlasdb_recovery.journal.record import Journal
from atlasdb_recovery.journal.sessions import SessionSummary, new_session_id, sessions

BEGAN = datetime(2026, 11, 23, 3, 15, 2, tzinfo=UTC)
STARTED = SessionStarted(
    session="s",
    procedure="restore",
    keyspace="orders",
    mode="LIVE",
    version="0.1.0",
    operator="ann",
    host="bastion",
    process=1,
    settings={},
)
INTENDED = StepIntended(step="repair", fingerprint="ab", attempt=1)
PERFORMED, VERIFIED = StepPerformed(step="repair", seconds=1.0), StepVerified(step="repair", evidence=("seen",))


def kept(state_dir: Path, *events: Event, session: str = "s") -> Journal:
    minutes = iter(range(1000))
    journal = Journal.create(state_dir, session, clock=lambda: BEGAN + timedelta(minutes=next(minutes)))
    for event in events:
        journal.append(event)
    return journal


def only(state_dir: Path) -> SessionSummary:
    (summary,) = sessions(state_dir)
    return summary


@pytest.mark.parametrize(
    ("events", "state", "unproven"),
    [
        ([], "unfinished", ()),
        ([INTENDED], "unfinished", ("repair",)),
        ([INTENDED, PERFORMED], "unfinished", ("repair",)),
        ([INTENDED, StepFailed(step="repair", problem="no")], "unfinished", ("repair",)),
        ([INTENDED, SessionParked(reason="later")], "parked", ("repair",)),
        ([INTENDED, PERFORMED, VERIFIED, SessionCompleted(evidence=())], "completed", ()),
        ([INTENDED, SessionAborted(reason="given up")], "aborted", ("repair",)),
        ([SessionParked(reason="x"), SessionResumed(operator="bob", host="b", process=2)], "unfinished", ()),
        ([INTENDED, VERIFIED, INTENDED], "unfinished", ("repair",)),
    ],
)
def test_how_far_it_came(tmp_path: Path, events: list[Event], state: str, unproven: tuple[str, ...]) -> None:
    kept(tmp_path, STARTED, *events).close()
    found = only(tmp_path)
    assert (found.state, found.unproven, found.damage) == (state, unproven, "")
    assert (found.procedure, found.keyspace, found.mode) == ("restore", "orders", "LIVE")
    assert found.started == "2026-11-23T03:15:02.000Z"
    assert found.last == f"2026-11-23T03:{15 + len(events):02}:02.000Z"
    assert found.can_be_resumed == (state in {"parked", "unfinished"})


def test_a_session_whose_process_lives_is_running(tmp_path: Path) -> None:
    journal = kept(tmp_path, STARTED, INTENDED)
    assert only(tmp_path).state == "running"
    journal.close()
    assert only(tmp_path).state == "unfinished"


def test_the_newest_comes_first_and_a_damaged_one_is_listed_as_such(tmp_path: Path) -> None:
    kept(tmp_path, STARTED, INTENDED, VERIFIED, session="20261122T000000Z-restore-orders-0001").close()
    damaged = kept(tmp_path, STARTED, INTENDED, session="20261123T000000Z-restore-orders-0002")
    damaged.close()
    content = damaged.path.read_bytes()
    damaged.path.write_bytes(content.replace(b"bastion", b"bastard"))
    newest, older = sessions(tmp_path)
    assert (newest.id, older.id) == ("20261123T000000Z-restore-orders-0002", "20261122T000000Z-restore-orders-0001")
    assert newest.damage.startswith("line 2: does not follow")
    assert not newest.can_be_resumed
    assert newest.keyspace == "orders"
    assert older.damage == ""


def test_a_torn_last_line_does_not_hinder_resuming(tmp_path: Path) -> None:
    journal = kept(tmp_path, STARTED, SessionParked(reason="later"))
    journal.close()
    with journal.path.open("ab") as file:
        file.write(b'{"seq":3,')
    found = only(tmp_path)
    assert (found.state, found.damage, found.can_be_resumed) == ("parked", "", True)


def test_what_cannot_be_read_is_listed_too(tmp_path: Path) -> None:
    (tmp_path / "sessions" / "s" / "journal.jsonl").mkdir(parents=True)
    assert "cannot be read" in only(tmp_path).damage


def test_no_state_directory_no_sessions(tmp_path: Path) -> None:
    assert sessions(tmp_path / "nowhere") == []


def test_session_ids_sort_by_time_and_are_safe_file_names() -> None:
    assert new_session_id("restore", "orders", BEGAN, b"\x3f\x2a") == "20261123T031502Z-restore-orders-3f2a"
    earlier = new_session_id("restore", "zzz", BEGAN)
    assert earlier < new_session_id("backup", "aaa", BEGAN + timedelta(seconds=1))
    assert len({new_session_id("restore", "orders", BEGAN) for _ in range(5)}) > 1


@pytest.mark.parametrize("keyspace", ["../../etc", "a b\n", "", "schlüssel", "k" * 300, "-rf"])
def test_an_odd_keyspace_makes_a_plain_id_that_can_be_opened(tmp_path: Path, keyspace: str) -> None:
    session = new_session_id("restore", keyspace, BEGAN)
    assert re.fullmatch(r"20261123T031502Z-restore-[A-Za-z0-9_]{1,48}-[0-9a-f]{4}", session)
    kept(tmp_path, Noted(level="note", text="x"), session=session).close()
    assert only(tmp_path).id == session
