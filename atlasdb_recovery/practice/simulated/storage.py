"""What one replica holds of one table, and which of two versions of a cell wins.

`org.apache.cassandra.db.rows.Cells.reconcile` (2.2: `AbstractCell.reconcile`): the later write time wins; of the same
write time a tombstone wins over a value, and the larger value over the smaller. 2.2 compares values as signed bytes
there: 7f wins over ff.
"""

from bisect import bisect_right
from collections.abc import Iterator

Position = tuple[bytes, bytes, int]
"""Row key, column name, column timestamp: in this order within a replica."""

Version = tuple[int, int, bytes, bytes]
"""(write time in microseconds, 1 for a tombstone else 0, the value's rank, value). The larger tuple wins."""

_SIGNED = bytes(byte ^ 0x80 for byte in range(256))


def written(write_time: int, value: bytes, *, signed: bool = False) -> Version:
    """`signed`: values rank as 2.2 compares them."""
    return (write_time, 0, value.translate(_SIGNED) if signed else value, value)


def deleted(write_time: int) -> Version:
    return (write_time, 1, b"", b"")


class TableStore:
    """One replica's cells of one table, tombstones included."""

    __slots__ = ("_order", "cells", "writes")

    def __init__(self) -> None:
        self.cells: dict[Position, Version] = {}
        self.writes = 0
        """Mutations applied since the node's start, as `nodetool cfstats` counts them."""
        self._order: list[Position] | None = []

    def apply(self, position: Position, version: Version) -> bool:
        """Write it; True if something changed."""
        self.writes += 1
        return self.merge(position, version)

    def merge(self, position: Position, version: Version) -> bool:
        """As `apply`, but not counted: streams and store files bring cells without mutations."""
        cells = self.cells
        old = cells.get(position)
        if old is None:
            cells[position] = version
            self._order = None
            return True
        if version > old:
            cells[position] = version
            return True
        return False

    def clear(self) -> None:
        self.cells.clear()
        self._order = []

    def between(self, after: bytes, until: bytes | None, beyond: Position | None = None) -> list[Position]:
        """Positions, in order, whose key is above `after` and not above `until` (None: no end), and after `beyond`."""
        order = self._sorted()
        low = bisect_right(order, after, key=_key) if beyond is None else bisect_right(order, beyond)
        high = len(order) if until is None else bisect_right(order, until, key=_key)
        return order[low:high]

    def partition(self, key: bytes) -> Iterator[Position]:
        order = self._sorted()
        for at in range(bisect_right(order, (key,)), len(order)):
            if order[at][0] != key:
                return
            yield order[at]

    def _sorted(self) -> list[Position]:
        if self._order is None:
            self._order = sorted(self.cells)
        return self._order


def _key(position: Position) -> bytes:
    return position[0]
