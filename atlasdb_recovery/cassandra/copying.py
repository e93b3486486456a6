"""Files copied byte by byte with their checksums, durable when done, in a thread that stops when it is cancelled."""

import asyncio
import contextlib
import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import humanize

CHUNK = 4 * 1024 * 1024

Progress = Callable[[int], None]
"""Called with the number of bytes done since the last call. Raising stops the work."""

Result = TypeVar("Result")


class CopyFailed(Exception):
    """A file could not be read or written. Says which, why and what to do."""


class CopyStopped(Exception):
    """The copying was cancelled."""


def copied(source: Path, target: Path, progress: Progress) -> tuple[int, str]:
    """Copy to a new file (never a link: the copy must not share blocks with a live file); its size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    try:
        with source.open("rb") as reading, target.open("xb") as writing:
            while chunk := reading.read(CHUNK):
                writing.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                progress(len(chunk))
            writing.flush()
            os.fsync(writing.fileno())
    except OSError as error:
        raise copy_failed(error, source, target) from None
    return size, digest.hexdigest()


def checksum(path: Path, progress: Progress) -> str:
    """The file's SHA-256, in hex."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as reading:
            while chunk := reading.read(CHUNK):
                digest.update(chunk)
                progress(len(chunk))
    except OSError as error:
        raise CopyFailed(f"{path} cannot be read: {error.strerror}. Look at the disk and at its rights.") from None
    return digest.hexdigest()


def copy_failed(error: OSError, source: Path, target: Path) -> CopyFailed:
    """What an operating system error in copying means to an operator."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return CopyFailed(
            f"The file system of {target.parent} is full ({error.strerror}): {source} could not be copied to {target}. "
            "Make room there, then resume; what was copied so far is not used."
        )
    return CopyFailed(
        f"{source} could not be copied to {target}: {error.strerror}. "
        "Run this as a user who may read the node's data and write there, then resume."
    )


def require_space(directory: Path, needed: int, what: str) -> None:
    """Refuse before the first byte what cannot fit."""
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise CopyFailed(
            f"{what} needs {humanize.naturalsize(needed, binary=True)} in {directory}, "
            f"where {humanize.naturalsize(free, binary=True)} are free. Make room there, then resume."
        )


def write_durably(path: Path, content: bytes) -> None:
    """Replace the file in one step: after a crash it is the old one or the new one, never part of either."""
    draft = path.with_name(path.name + ".partial")
    try:
        with draft.open("wb") as writing:
            writing.write(content)
            writing.flush()
            os.fsync(writing.fileno())
        draft.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise copy_failed(error, draft, path) from None


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def in_thread(work: Callable[[Progress], Result], report: Progress) -> Result:
    """Run blocking work beside the event loop. Cancelling stops it at its next chunk, and waits for that."""
    loop = asyncio.get_running_loop()
    stopped = threading.Event()

    def progress(count: int) -> None:
        if stopped.is_set():
            raise CopyStopped
        loop.call_soon_threadsafe(report, count)

    running = asyncio.ensure_future(asyncio.to_thread(work, progress))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stopped.set()
        with contextlib.suppress(Exception):
            await running
        raise
