"""What a scan of the transactions tables found, counted at constant memory."""

import hashlib
from bisect import insort
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from atlasdb_recovery.cassandra.ports import Cell

Item = TypeVar("Item")
SAMPLES = 10
ODD_KEPT = 1_000
LONGEST_VALUE = 400
"""Hex digits of an odd value that are shown; `inspect transactions` prints all of them."""


class Found(msgspec.Struct, frozen=True):
    """A transaction that committed (or, in schema 3, is staging a commit) after the backup timestamp."""

    table: str
    schema: int
    start: int
    commit: int
    state: str
    cell: Cell


class OddCell(msgspec.Struct, frozen=True):
    """A cell that AtlasDB would not have written. It is reported and never touched."""

    table: str
    key: str
    column1: str
    column2: int
    value: str
    reason: str

    @property
    def position(self) -> tuple[str, str, str, int]:
        return (self.table, self.key, self.column1, self.column2)

    @property
    def words(self) -> str:
        """The whole cell in hex, and what is odd about it."""
        value = self.value if len(self.value) <= LONGEST_VALUE else f"{self.value[:LONGEST_VALUE]}…"
        where = f"{self.table} key 0x{self.key} column1 0x{self.column1} column2 {self.column2}"
        return f"{where} value 0x{value} ({len(self.value) // 2:,} bytes): {self.reason}"


class Digest(msgspec.Struct):
    """How many transactions, and the sum of SHA-256 over their whole cells: the same for the same ones in any order."""

    count: int = 0
    sum: int = 0

    def add(self, found: Found) -> None:
        content = msgspec.json.encode(found)
        self.count += 1
        self.sum = (self.sum + int.from_bytes(hashlib.sha256(content).digest())) % 2**256

    def __str__(self) -> str:
        return f"{self.count}:{self.sum:064x}"


class Findings(msgspec.Struct):
    """Counts, extremes, samples and a digest of one scan. None of it depends on the order of the cells."""

    after: int
    scanned: dict[str, int] = {}
    by_schema: dict[int, int] = {}
    first_commit: int | None = None
    last_commit: int | None = None
    straddling: int = 0
    """Transactions with start < B < commit: the ones a cut by start timestamp would miss."""
    staging: int = 0
    highest: int = 0
    """The highest start or commit timestamp seen anywhere."""
    unknown_schema: int = 0
    unknown_sample: int | None = None
    odd_count: int = 0
    odd: list[OddCell] = []
    """The first `ODD_KEPT` by table, key and column."""
    samples: list[Found] = []
    """The lowest commits beyond B."""
    straddlers: list[Found] = []
    """The lowest commits of transactions that started before B."""
    histogram: dict[int, int] = {}
    """Commits by distance from B: bucket k counts distances in [2^(|k|-1), 2^|k|), k < 0 at or below B."""
    whole: Digest = msgspec.field(default_factory=Digest)

    @property
    def count(self) -> int:
        return self.whole.count

    @property
    def digest(self) -> str:
        return str(self.whole)

    @property
    def cells_scanned(self) -> int:
        return sum(self.scanned.values())

    def saw(self, table: str, cells: int) -> None:
        self.scanned[table] = self.scanned.get(table, 0) + cells

    def saw_commit(self, start: int, commit: int) -> None:
        self.highest = max(self.highest, start, commit)
        distance = commit - self.after
        bucket = distance.bit_length() if distance > 0 else -((1 - distance).bit_length())
        self.histogram[bucket] = self.histogram.get(bucket, 0) + 1

    def saw_odd(self, cell: OddCell) -> None:
        self.odd_count += 1
        _keep_lowest(self.odd, cell, _position, ODD_KEPT)

    def add(self, found: Found) -> None:
        self.by_schema[found.schema] = self.by_schema.get(found.schema, 0) + 1
        self.first_commit = found.commit if self.first_commit is None else min(self.first_commit, found.commit)
        self.last_commit = found.commit if self.last_commit is None else max(self.last_commit, found.commit)
        self.staging += found.state == "staging"
        _keep_lowest(self.samples, found, _order, SAMPLES)
        if found.start < self.after:
            self.straddling += 1
            _keep_lowest(self.straddlers, found, _order, SAMPLES)
        self.whole.add(found)

    def facts(self) -> dict[str, Any]:
        """Plain values for a plan, a front-end and the journal."""
        return {
            "after": self.after,
            "count": self.count,
            "by_schema": {str(schema): count for schema, count in sorted(self.by_schema.items())},
            "scanned": dict(self.scanned),
            "first_commit": self.first_commit,
            "last_commit": self.last_commit,
            "straddling": self.straddling,
            "staging": self.staging,
            "highest": self.highest,
            "odd": self.odd_count,
            "unknown_schema": self.unknown_schema,
            "histogram": {str(bucket): count for bucket, count in sorted(self.histogram.items())},
            "samples": [_sample(found) for found in self.samples],
            "straddlers": [_sample(found) for found in self.straddlers],
            "digest": self.digest,
        }


def _sample(found: Found) -> dict[str, Any]:
    return {"schema": found.schema, "start": found.start, "commit": found.commit, "state": found.state}


def _order(found: Found) -> tuple[int, int]:
    return (found.commit, found.start)


def _position(cell: OddCell) -> tuple[str, str, str, int]:
    return cell.position


def _keep_lowest(kept: list[Item], item: Item, key: Callable[[Item], Any], most: int) -> None:
    if len(kept) >= most and key(item) >= key(kept[-1]):
        return
    insort(kept, item, key=key)
    del kept[most:]
