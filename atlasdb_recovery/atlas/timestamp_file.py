"""AtlasDB's one-line timestamp files: `backup.timestamp`, `fast-forward.timestamp` (`AbstractTimestampCommand`)."""

import re
from pathlib import Path

from atlasdb_recovery.atlas import file_content
from atlasdb_recovery.atlas.varlong import HIGHEST, LOWEST
from atlasdb_recovery.foreign import plain

BACKUP_FILE = "backup.timestamp"
"""B's file in a backup directory."""
FAST_FORWARD_FILE = "fast-forward.timestamp"
"""F's."""

_NUMBER = re.compile(rb"([+-]?)0*([0-9]{1,19})")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_LONGEST = 4096


class MalformedTimestampFile(ValueError):
    """The file is not one line with one timestamp. Names file and line, what is wrong, and the remedy."""


def read(path: Path) -> int:
    """The timestamp in the file, by the rules of the Java reader: one line, one decimal number, signed, 64 bits.

    Space around it and one line end after it are allowed. Raises `MalformedTimestampFile`, also for a file that
    cannot be opened.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
    except OSError as error:
        raise _refusal(path, error.strerror or str(error), "Check the path and its permissions.") from None
    return _number(path, _only_line(path, content))


def write(path: Path, timestamp: int) -> None:
    """Replace the file by one with this timestamp, whole even after a crash; makes parent directories."""
    if not LOWEST <= timestamp <= HIGHEST:
        raise ValueError(f"{timestamp} does not fit 64 bits")
    file_content.replace(path, b"%d\n" % timestamp)


def _only_line(path: Path, content: bytes) -> bytes:
    if content.startswith(_BYTE_ORDER_MARKS):
        raise _refusal(path, "line 1 begins with a byte order mark", "Save the file as plain text without one.")
    if len(content) > _LONGEST:
        raise _refusal(path, f"it is longer than {_LONGEST} bytes", "This is some other file; check the path.")
    lines = _LINE_END.split(content)
    if not lines[-1]:
        lines.pop()
    if not lines:
        raise _refusal(path, "it is empty", "It must hold one line with one timestamp; take it from the backup again.")
    if len(lines) > 1:
        raise _refusal(
            path,
            f"line 2: there is a second line, {_shown(lines[1])}",
            "Only one line is allowed, not even an empty one after it; find out which timestamp is meant.",
        )
    return lines[0]


def _number(path: Path, line: bytes) -> int:
    remedy = f"It must be a decimal number from {LOWEST} to {HIGHEST}; take it from the backup again."
    match = _NUMBER.fullmatch(line.strip())
    if match is None:
        raise _refusal(path, f"line 1: {_shown(line)} is not a timestamp", remedy)
    value = int(match[1] + match[2])
    if not LOWEST <= value <= HIGHEST:
        raise _refusal(path, f"line 1: {value} does not fit 64 bits", remedy)
    return value


def _shown(line: bytes) -> str:
    return f"“{plain(line.decode('utf-8', 'backslashreplace'), 60)}”"


def _refusal(path: Path, what: str, remedy: str) -> MalformedTimestampFile:
    return MalformedTimestampFile(f"timestamp file {plain(str(path))}: {what}. {remedy}")
