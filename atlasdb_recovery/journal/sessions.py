"""The sessions of a state directory, how far each one came, and how one is given up."""

import fcntl
import re
import secrets
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from atlasdb_recovery.events import (
    Event,
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
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.journal.reader import JournalReader
from atlasdb_recovery.journal.record import Journal, JournalError

LONGEST_NAME = 48
CLEAN = "clean"
"""The procedure of AtlasDB's own `clean-transactions`: it is no session, and has no journal."""


def new_session_id(procedure: str, keyspace: str, now: datetime, entropy: bytes | None = None) -> str:
    """Sortable by time, unique, readable: `20261123T031502Z-restore-orders-3f2a`. `entropy` is two bytes."""
    names = (re.sub(r"[^A-Za-z0-9_]", "_", name)[:LONGEST_NAME] or "_" for name in (procedure, keyspace))
    suffix = (secrets.token_bytes(2) if entropy is None else entropy).hex()
    return "-".join((f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}", *names, suffix))


def procedure_of(session: str) -> str:
    """What `new_session_id` was given; "" for any other name."""
    parts = session.split("-")
    return parts[1] if len(parts) > 1 else ""


class SessionSummary(msgspec.Struct):
    """One session of the list. Times are ISO 8601, UTC; "" where the journal does not tell."""

    id: str
    procedure: str = ""
    keyspace: str = ""
    mode: str = ""
    operator: str = ""
    started: str = ""
    last: str = ""
    state: str = "unfinished"
    """running | parked | completed | aborted | unfinished (its process ended without a word)"""
    reason: str = ""
    began: bool = False
    """Whether one of its steps was ever begun."""
    unproven: tuple[str, ...] = ()
    """Steps that were begun or failed and are not verified, in the order they were met."""
    damage: str = ""
    """What is wrong with the journal; then it cannot be resumed."""

    @property
    def can_be_resumed(self) -> bool:
        return self.state in {"parked", "unfinished"} and not self.damage


class SessionOver(JournalError):
    """The session has come to its end: it is complete, or given up."""


def abort(state_dir: Path, session: str, reason: str, *, secrets: frozenset[str] = frozenset()) -> None:
    """Gives a session up: it stays on record, and is not resumed any more. Nothing on the cluster is changed or undone.

    Raises SessionOver, JournalInUse where it is running, and what else `Journal.open` raises.
    """
    with closing(Journal.open(state_dir, session, secrets=secrets)) as journal:
        found, proven = SessionSummary(id=session), dict[str, bool]()
        for record in journal.records():
            _fold(found, proven, record.event)
        if found.state in {"completed", "aborted"}:
            raise SessionOver(f"session {session} is {found.state} already: there is nothing to give up")
        journal.append(SessionAborted(reason=plain(reason)))


def sessions(state_dir: Path) -> list[SessionSummary]:
    """Every session in this directory, the newest first; damaged journals as far as they can be read."""
    return [summary(path) for path in sorted((state_dir / "sessions").glob("*/journal.jsonl"), reverse=True)]


def summary(path: Path) -> SessionSummary:
    """What the journal at `path` tells of its session."""
    found, proven = SessionSummary(id=path.parent.name), dict[str, bool]()
    reader = JournalReader(path)
    for record in reader:
        found.started = found.started or record.at
        found.last = record.at
        _fold(found, proven, record.event)
    found.unproven = tuple(step for step, is_proven in proven.items() if not is_proven)
    found.damage = "" if reader.integrity.is_torn else reader.integrity.damage
    if found.state in {"unfinished", "parked"} and is_being_written(path):
        found.state = "running"
    return found


def _fold(found: SessionSummary, proven: dict[str, bool], event: Event) -> None:
    if isinstance(event, StepIntended | StepPerformed | StepVerified | StepFailed):
        proven[event.step] = isinstance(event, StepVerified)
        found.state, found.reason, found.began = "unfinished", "", True
    fold = _FOLDS.get(type(event))
    if fold is not None:
        fold(found, event)


def _started(found: SessionSummary, event: SessionStarted) -> None:
    found.procedure, found.keyspace, found.mode = event.procedure, event.keyspace, event.mode
    found.operator = f"{event.operator}@{event.host}"


def _resumed(found: SessionSummary, event: SessionResumed) -> None:
    found.operator, found.state, found.reason = f"{event.operator}@{event.host}", "unfinished", ""


def _parked(found: SessionSummary, event: SessionParked) -> None:
    found.state, found.reason = "parked", event.reason


def _completed(found: SessionSummary, event: SessionCompleted) -> None:
    found.state, found.reason = "completed", ""


def _aborted(found: SessionSummary, event: SessionAborted) -> None:
    found.state, found.reason = "aborted", event.reason


_FOLDS: dict[type[Event], Callable[[SessionSummary, Any], None]] = {
    SessionStarted: _started,
    SessionResumed: _resumed,
    SessionParked: _parked,
    SessionCompleted: _completed,
    SessionAborted: _aborted,
}


def is_being_written(path: Path) -> bool | None:
    """Whether a process of this machine has the journal open for appending; None where the file system has no locks."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False
