"""One operator at a time: a lock in the state directory and one in the backup directory, taken together.

A lock is a file that names its holder, and that the holder's process keeps flock'ed: on one machine a lock whose
process has died is told from one that is held. Of a holder on another machine nothing can be known from here.
"""

import errno
import fcntl
import os
import re
import secrets
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import psutil

from atlasdb_recovery.foreign import plain

FILE_NAME = "atlasdb-recovery.lock"
PATIENCE = 1.0
"""Seconds to wait for a lock that another process of this machine is taking over from a dead one right now."""
WITHOUT_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock."""

    user: str
    host: str
    process: int
    session: str
    since: str
    """ISO 8601, UTC"""
    process_started: float = 0.0
    """Unix seconds; with `process` it names one process for good."""
    machine: str = ""
    """Where `process` means something: the running kernel and its process namespace."""

    @classmethod
    def here(cls, user: str, session: str, now: datetime | None = None) -> Self:
        """This very process."""
        return cls(
            user=user,
            host=socket.gethostname(),
            process=os.getpid(),
            session=session,
            since=(now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            process_started=psutil.Process().create_time(),
            machine=_this_machine(),
        )

    def __str__(self) -> str:
        return plain(f"{self.user} on {self.host}, process {self.process}, session {self.session}, since {self.since}")

    @property
    def is_this_process(self) -> bool:
        return (self.machine, self.process) == (_this_machine(), os.getpid())

    def is_alive(self) -> bool | None:
        """Whether that process still runs; None where it cannot be told from here."""
        if not self.machine or self.machine != _this_machine():
            return None
        try:
            process = psutil.Process(self.process)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return abs(process.create_time() - self.process_started) < 1.0
        except (psutil.NoSuchProcess, ValueError, OverflowError):
            return False
        except psutil.AccessDenied:
            return None


UNREADABLE = Holder(user="somebody", host="an unknown host", process=0, session="unknown", since="unknown")
"""Stands for the holder of a lock file that cannot be understood."""


class LockError(Exception):
    """The lock could not be had; the message says why and what to do."""


class LockHeld(LockError):
    """Somebody else works on this keyspace or backup. `is_alive` is None where it cannot be told from here."""

    def __init__(self, path: Path, holder: Holder, is_alive: bool | None) -> None:
        remedy = (
            f"That process is still running. Go on there, or end it ({holder.process}); it parks its session."
            if is_alive
            else "Whether that process still runs cannot be told from here. Ask them, and look on that host; "
            "once it is certain that nothing runs there: atlasdb-recovery resume --take-over."
        )
        super().__init__(f"{path} is held by {holder}. Two operators at once would undo each other's work. {remedy}")
        self.path = path
        self.holder = holder
        self.is_alive = is_alive


class LockUnusable(LockError):
    """A lock file cannot be read or written."""

    def __init__(self, path: Path, error: OSError) -> None:
        what, remedy = error.strerror or str(error), "Make the directory writable for this user"
        if isinstance(error, FileNotFoundError):
            what, remedy = f"there is no directory {path.parent}", "Check the path, mount or create it"
        super().__init__(
            f"{path} cannot be used as a lock: {what}. Without it a second operator would not be noticed. {remedy}, "
            "then try again."
        )
        self.path = path


class LockLost(LockError):
    """A lock that this process took is not its own any more."""

    def __init__(self, path: Path, holder: Holder | None) -> None:
        who = f"{holder} has taken it over" if holder else "somebody has removed it"
        super().__init__(
            f"{path} is not held by this process any more: {who}. Stop here, and find out who works on this keyspace."
        )
        self.path = path
        self.holder = holder


def lock_paths(state_dir: Path, backup_dir: Path, cluster: str, keyspace: str) -> tuple[Path, Path]:
    """The same as `lock_places`, with the directory of the first made."""
    path, beside_the_backup = lock_places(state_dir, backup_dir, cluster, keyspace)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LockUnusable(path, error) from error
    return path, beside_the_backup


def lock_places(state_dir: Path, backup_dir: Path, cluster: str, keyspace: str) -> tuple[Path, Path]:
    """Where the locks of one keyspace of one cluster, and of one backup, lie. Makes nothing."""
    return state_dir / "locks" / f"{_file_safe(cluster)}-{_file_safe(keyspace)}.lock", backup_dir / FILE_NAME


def holders(paths: Sequence[Path]) -> list[tuple[Path, Holder]]:
    """Who else holds one of these locks, looked at without taking them: this process and dead ones are left out."""
    found = [(path, _holder_of(path)) for path in paths if path.exists()]
    return [(path, holder) for path, holder in found if not holder.is_this_process and holder.is_alive() is not False]


class OperatorLock:
    """Locks that this process holds until `release`. `taken_from` names whose locks it found left behind."""

    def __init__(self) -> None:
        self._held: list[tuple[Path, int]] = []
        self.taken_from: tuple[Holder, ...] = ()

    @classmethod
    def acquire(cls, paths: Sequence[Path], holder: Holder, *, take_over: bool = False) -> Self:
        """Every one of these locks, or none.

        A lock whose process is known to have died is taken over, and named in `taken_from`; `take_over` does so also
        where that cannot be known. A process that is known to run keeps its lock. Raises LockHeld, LockUnusable.
        """
        lock = cls()
        try:
            for path in sorted(set(paths)):  # one order for all: of two contenders exactly one wins
                lock._take(path, holder, take_over)
        except OSError as error:
            lock.release()
            raise LockUnusable(path, error) from error
        except LockError:
            lock.release()
            raise
        return lock

    def check(self) -> None:
        """Raises LockLost if somebody has taken a lock over or removed it: to be asked before every change."""
        for path, descriptor in self._held:
            if not _is_at(path, descriptor):
                raise LockLost(path, _holder_of(path) if path.exists() else None)

    def release(self) -> None:
        """Remove our own locks, and no others. May be called twice."""
        while self._held:
            path, descriptor = self._held.pop()
            try:
                if _is_at(path, descriptor):
                    path.unlink()
            except OSError:
                pass  # left behind it is recognised as that of a dead process
            finally:
                os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def _take(self, path: Path, holder: Holder, take_over: bool) -> None:
        ours, descriptor = _prepared(path, holder)
        try:
            until = time.monotonic() + PATIENCE
            while not _placed(ours, path) and not self._replaced(path, ours, take_over, until):
                time.sleep(0.005)
        except BaseException:
            os.close(descriptor)
            raise
        finally:
            ours.unlink(missing_ok=True)
        self._held.append((path, descriptor))

    def _replaced(self, path: Path, ours: Path, take_over: bool, until: float) -> bool:
        """Put ours in the place of a lock left behind. False if that one is changing hands at this moment."""
        try:
            theirs = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            is_locked = not _flocked(theirs)
            if not _is_at(path, theirs):
                return False
            holder = _holder_of(path)
            is_alive = holder.is_alive()
            if is_locked and is_alive is False and time.monotonic() < until:
                return False
            is_alive = is_locked or is_alive
            if is_alive or (is_alive is None and not take_over):
                raise LockHeld(path, holder, is_alive)
            ours.rename(path)
        finally:
            os.close(theirs)
        self.taken_from = tuple(dict.fromkeys((*self.taken_from, holder)))
        return True


def _prepared(path: Path, holder: Holder) -> tuple[Path, int]:
    """Our lock file, complete and flock'ed, under a name of its own beside `path`."""
    ours = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(ours, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.write(descriptor, msgspec.json.encode(holder) + b"\n")
        os.fsync(descriptor)
        _flocked(descriptor)
    except OSError:
        os.close(descriptor)
        ours.unlink(missing_ok=True)
        raise
    return ours, descriptor


def _placed(ours: Path, path: Path) -> bool:
    """Put ours at `path`, whole, unless there is a lock already."""
    try:
        path.hardlink_to(ours)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in WITHOUT_HARD_LINKS:
            raise
        try:
            path.touch(mode=0o644, exist_ok=False)
        except FileExistsError:
            return False
        ours.rename(path)
    return True


def _flocked(descriptor: int) -> bool:
    """False if another process holds it. True also on file systems without locks: the process is looked for then."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    ours = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _holder_of(path: Path) -> Holder:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return UNREADABLE


def _this_machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{socket.gethostname()} {psutil.boot_time():.0f}"


def _file_safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]", "_", name)[:100] or "_"
