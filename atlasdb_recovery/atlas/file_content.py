"""Small files that must be whole or not there at all."""

import contextlib
import os
import secrets
from pathlib import Path


def replace(path: Path, content: bytes) -> None:
    """Write the file so that a crash leaves the old content or the new; on disk when this returns.

    Parent directories are made. OSError as it comes.
    """
    _make_directories(path.parent)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _make_directories(directory: Path) -> None:
    if directory.is_dir():
        return
    _make_directories(directory.parent)
    directory.mkdir(exist_ok=True)
    _sync_directory(directory.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
