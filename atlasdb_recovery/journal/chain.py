"""The journal's lines: JSON records, each bound to the line before it by that line's SHA-256.

A line is `{"seq": n, "at": "<UTC, ISO 8601, ms>", "previous": "<hex>", "event": {…}}` and a line feed; `previous` is
the SHA-256 of the previous line, its line feed included (`sed -n 7p journal.jsonl | sha256sum` is what line 8 names),
and 64 zeros in the first. `seq` counts from 1. The chain shows every change but one: lines cut off cleanly at the end.
"""

import hashlib
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import PurePath
from typing import IO, Any

import msgspec

from atlasdb_recovery.atlas.secret import Secret
from atlasdb_recovery.events import AnyEvent, Event, without_secrets

BEFORE_THE_FIRST = "0" * 64
NOT_FOLLOWING = "does not follow from the line before it: one of the two was changed, or lines between them are missing"


class Record(msgspec.Struct, frozen=True):
    """An event, when it was recorded (UTC), and its place in the chain."""

    seq: int
    at: str
    previous: str
    event: AnyEvent

    @property
    def time(self) -> datetime:
        return datetime.fromisoformat(self.at)


class Link(msgspec.Struct, frozen=True):
    """A record that was found whole, its line's hash, and the offset in bytes of the line's end."""

    record: Record
    hash: str
    end: int


class ChainBroken(Exception):
    """A line that does not follow from the one before it, `start` bytes into the file.

    `torn` is True if it is the last line and has no end: what a crash leaves of a write that was never acknowledged.
    """

    def __init__(self, line: int, what: str, *, start: int, torn: bool = False) -> None:
        super().__init__(f"line {line}: {what}")
        self.line = line
        self.what = what
        self.start = start
        self.torn = torn


_decoder = msgspec.json.Decoder(Record)


def line_of(record: Record) -> bytes:
    return msgspec.json.encode(record) + b"\n"


def hash_of(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def links(file: IO[bytes]) -> Iterator[Link]:
    """Every record of the file in order, each checked against the one before. Raises ChainBroken at the first fault."""
    previous, start = BEFORE_THE_FIRST, 0
    for number, line in enumerate(file, 1):
        record = _decoded(line, number, start)
        if record.seq != number:
            raise ChainBroken(number, f"is record {record.seq}, where record {number} belongs", start=start)
        if record.previous != previous:
            raise ChainBroken(number, NOT_FOLLOWING, start=start)
        previous, start = hash_of(line), start + len(line)
        yield Link(record, previous, start)


def _decoded(line: bytes, number: int, start: int) -> Record:
    if not line.endswith(b"\n"):
        raise ChainBroken(number, f"is cut after {len(line)} bytes", start=start, torn=True)
    try:
        record = _decoder.decode(line)
        datetime.fromisoformat(record.at)
    except msgspec.ValidationError as error:
        raise ChainBroken(number, f"is not a record this version can read ({error})", start=start) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ChainBroken(number, "is not JSON", start=start) from None
    except ValueError:
        raise ChainBroken(number, "does not say when it was recorded", start=start) from None
    return record


def linked(event: Event, previous: Link | None, at: datetime, secrets: Collection[str]) -> tuple[Link, bytes]:
    """The next link and its line, with every secret masked in every text of the event."""
    content = msgspec.to_builtins(without_secrets(event, secrets), str_keys=True, enc_hook=_storable)
    kept = {name: value if name == "event" else _unicode(value) for name, value in content.items()}
    record = Record(
        seq=previous.record.seq + 1 if previous else 1,
        at=at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        previous=previous.hash if previous else BEFORE_THE_FIRST,
        event=msgspec.convert(kept, AnyEvent),
    )
    line = line_of(record)
    return Link(record, hash_of(line), (previous.end if previous else 0) + len(line)), line


def _storable(value: Any) -> Any:
    if isinstance(value, Secret):
        return "***"
    if isinstance(value, str | PurePath):
        return str(value)
    raise NotImplementedError(f"an event cannot hold a {type(value).__name__}")


def _unicode(value: Any) -> Any:
    """The same with what is no Unicode in its texts escaped: JSON cannot hold it."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_unicode(key): _unicode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_unicode(item) for item in value]
    return value
