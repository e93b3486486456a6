"""The journal of a session: append-only, on disk before it is acknowledged, and checkable by anybody.

It lies in `<state_dir>/sessions/<session>/journal.jsonl`; the directory can be copied to another host as it is.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, Self

from atlasdb_recovery.events import AT_WORK, Event, Noted
from atlasdb_recovery.journal.chain import ChainBroken, Link, Record, linked, links

__all__ = [
    "EventJournal",
    "Journal",
    "JournalDamaged",
    "JournalError",
    "JournalInUse",
    "JournalMissing",
    "JournalUnwritable",
    "MemoryJournal",
    "Record",
    "journal_path",
]

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class JournalError(Exception):
    """The journal cannot be used; the message says why and what to do."""


class JournalMissing(JournalError):
    """There is no such session."""


class JournalDamaged(JournalError):
    """Something changed the journal after it was written."""

    def __init__(self, path: Path, line: int, what: str) -> None:
        super().__init__(
            f"{path}, line {line}: {what}. What is written from line {max(1, line - 1)} on cannot be trusted, so this "
            "session cannot be resumed. Keep the file, put back an untouched copy if there is one, or start a new "
            "session: it asks the cluster what is already done."
        )
        self.path = path
        self.line = line
        self.what = what


class JournalUnwritable(JournalError):
    """A record may not be on disk. The procedure must stop: nothing may be done that is not on record."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written: {error.strerror or error}. Nothing may be done that is not on record, so the "
            "procedure stops here. Free space or repair the disk, then resume the session."
        )
        self.path = path


class JournalInUse(JournalError):
    """Another process on this machine is writing this journal. `by`: who began or resumed it, where that is known."""

    def __init__(self, path: Path, by: str = "") -> None:
        super().__init__(
            f"{path} is being written by another process: this session is running. Go on there, or end that process."
            + (f" It was begun or resumed by {by}." if by else "")
        )
        self.path = path


class EventJournal(Protocol):
    """Where events are kept, in order."""

    def append(self, event: Event, *, sync: bool = True) -> Record:
        """Returns once the record is on disk; where `sync` is False, once it was handed to the system."""
        ...

    def records(self) -> Iterator[Record]: ...

    def close(self) -> None: ...


def journal_path(state_dir: Path, session: str) -> Path:
    """Where the session's journal lies. Raises JournalMissing for what can't be a session's name."""
    if not session or not all(c.isalnum() or c in "-_" for c in session) or not session.isascii():
        raise JournalMissing(f"{session!r} is not a session. `atlasdb-recovery history` lists the sessions.")
    return state_dir / "sessions" / session / "journal.jsonl"


class Journal:
    """One session's journal, open for appending by this process alone. Made by `create` or `open`."""

    def __init__(
        self, path: Path, descriptor: int, last: Link | None, *, clock: Clock, secrets: frozenset[str]
    ) -> None:
        self.path = path
        self._descriptor = descriptor
        self._last = last
        self._clock = clock
        self._secrets = secrets
        self._failure: OSError | None = None

    @classmethod
    def create(
        cls, state_dir: Path, session: str, *, clock: Clock = utc_now, secrets: frozenset[str] = frozenset()
    ) -> Self:
        """A new, empty journal. Raises JournalUnwritable, also where the session already exists."""
        path = journal_path(state_dir, session)
        try:
            _make_directory(path.parent)
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            _hold(descriptor, path)
            _sync_directory(path.parent)
        except OSError as error:
            raise JournalUnwritable(path, error) from error
        return cls(path, descriptor, None, clock=clock, secrets=secrets)

    @classmethod
    def open(
        cls, state_dir: Path, session: str, *, clock: Clock = utc_now, secrets: frozenset[str] = frozenset()
    ) -> Self:
        """The journal of a session to be resumed, once its chain has been checked from the first line to the last.

        A last line that a crash cut short is moved to `journal.jsonl.torn-<n>`, and a warning is appended.
        Raises JournalMissing, JournalDamaged, JournalInUse, JournalUnwritable.
        """
        path = journal_path(state_dir, session)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            raise JournalMissing(
                f"there is no session {session} in {state_dir}. `atlasdb-recovery history` lists the sessions."
            ) from None
        except OSError as error:
            raise JournalUnwritable(path, error) from error
        try:
            _hold(descriptor, path)
            last, torn = _checked(path)
            journal = cls(path, descriptor, last, clock=clock, secrets=secrets)
            if torn is not None:
                journal._set_aside(torn)
        except OSError as error:
            os.close(descriptor)
            raise JournalUnwritable(path, error) from error
        except JournalError:
            os.close(descriptor)
            raise
        return journal

    def append(self, event: Event, *, sync: bool = True) -> Record:
        """Record that something happened. With `sync` it returns only when the record is on disk.

        What only shows a command at work is never waited for.
        After a failure every further call fails too: what the disk holds is then unknown until the journal is opened
        again. Raises JournalUnwritable.
        """
        if self._failure is not None:
            raise JournalUnwritable(self.path, self._failure)
        link, line = linked(event, self._last, self._clock(), self._secrets)
        try:
            _write(self._descriptor, line)
            if sync and not isinstance(event, AT_WORK):
                os.fsync(self._descriptor)
        except OSError as error:
            self._failure = error
            raise JournalUnwritable(self.path, error) from error
        self._last = link
        return link.record

    def records(self) -> Iterator[Record]:
        """Every record so far, read back from the file. Raises JournalDamaged."""
        try:
            with self.path.open("rb") as file:
                for link in links(file):
                    yield link.record
        except ChainBroken as broken:
            raise JournalDamaged(self.path, broken.line, broken.what) from None

    def close(self) -> None:
        """Let go of the file. Closing twice is allowed; appending afterwards is not."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _set_aside(self, broken: ChainBroken) -> None:
        with self.path.open("rb") as file:
            file.seek(broken.start)
            cut = file.read()
        aside = _first_free(self.path)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _write(descriptor, cut)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _sync_directory(self.path.parent)
        os.ftruncate(self._descriptor, broken.start)
        os.fsync(self._descriptor)
        what = f"The journal's last line was cut short ({len(cut)} bytes), so it was never acknowledged"
        self.append(Noted(level="warning", text=f"{what}. It was moved to {aside.name}."))


class MemoryJournal:
    """The same, kept in memory: for rehearsals and tests that need no disk."""

    def __init__(self, *, clock: Clock = utc_now, secrets: frozenset[str] = frozenset()) -> None:
        self._links: list[Link] = []
        self._clock = clock
        self._secrets = secrets

    def append(self, event: Event, *, sync: bool = True) -> Record:
        link, _ = linked(event, self._links[-1] if self._links else None, self._clock(), self._secrets)
        self._links.append(link)
        return link.record

    def records(self) -> Iterator[Record]:
        return iter([link.record for link in self._links])

    def close(self) -> None:
        """Nothing to let go of."""


def _checked(path: Path) -> tuple[Link | None, ChainBroken | None]:
    last = None
    try:
        with path.open("rb") as file:
            for link in links(file):
                last = link
    except ChainBroken as broken:
        if not broken.torn:
            raise JournalDamaged(path, broken.line, broken.what) from None
        return last, broken
    return last, None


def _hold(descriptor: int, path: Path) -> None:
    """Keep other processes of this machine off. A listing may hold the file for a moment: hence the short patience."""
    until = time.monotonic() + 1.0
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise JournalInUse(path) from None
            time.sleep(0.02)
        except OSError:
            return  # a file system without locks: the operator lock still stands
        else:
            return


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _first_free(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.torn-{number}")).exists():
        number += 1
    return aside


def _make_directory(directory: Path) -> None:
    """Create it and what is missing above it, each entry on disk before the next."""
    if directory.is_dir():
        return
    _make_directory(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    _sync_directory(directory.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
