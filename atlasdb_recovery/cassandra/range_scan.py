"""One scan of a token range: page after page, each asked for only when the one before was taken.

What a page costs the servers is not ours to choose: a filtered one may make them read millions of rows, and behind a
removal lie rows deleted side by side, of which they give up reading too many (`tombstone_failure_threshold`). So what
times out or fails is halved, by tokens and within a partition by columns, and goes on behind the last cell seen.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from typing import Protocol

from atlasdb_recovery.cassandra.connection import Page
from atlasdb_recovery.cassandra.ports import Cell
from atlasdb_recovery.cassandra.range_statements import Between, Statement, partition_statement, range_statement
from atlasdb_recovery.cassandra.request_errors import TimedOut
from atlasdb_recovery.cassandra.ring import pieces_in_token_order
from atlasdb_recovery.cassandra.splitting import halfway

HALVED_AT_MOST = 24
LAST_COLUMN2 = 2**63 - 1


class Ask(Protocol):
    """One page of a statement, from a paging state on. A time-out is not tried again where it may happen."""

    def __call__(self, statement: Statement, state: bytes | None, *, may_time_out: bool) -> Awaitable[Page]: ...


@dataclass(frozen=True)
class Piece:
    """(start, end], not wrapping, and how often it was halved."""

    start: str
    end: str
    halved: int = 0

    def halves(self) -> list["Piece"]:
        """Empty if it is too small to be halved."""
        middle = halfway(self.start, self.end)
        if middle is None or self.halved >= HALVED_AT_MOST:
            return []
        return [Piece(self.start, middle, self.halved + 1), Piece(middle, self.end, self.halved + 1)]


@dataclass(frozen=True)
class Slice:
    """A partition's cells after a (column1, column2), up to a column1 (None: to the end)."""

    key: bytes
    after: tuple[bytes, int]
    until: bytes | None = None
    halved: int = 0

    def halves(self) -> list["Slice"]:
        """Empty if it is too small to be halved."""
        middle = halfway(self.after[0].hex(), "" if self.until is None else self.until.hex())
        if middle is None or self.halved >= HALVED_AT_MOST:
            return []
        column1 = bytes.fromhex(middle)
        first = replace(self, until=column1, halved=self.halved + 1)
        return [first, replace(self, after=(column1, LAST_COLUMN2), halved=self.halved + 1)]


@dataclass(frozen=True)
class RangeScan:
    """One table's cells by token range, those with a value between two others where that is given."""

    keyspace: str
    table: str
    family: str
    value_between: Between
    ask: Ask

    @property
    def may_halve(self) -> bool:
        return self.family == "byte-ordered"

    async def pages(self, start: str, end: str) -> AsyncIterator[list[Cell]]:
        """The cells of (start, end] in token order."""
        waiting = deque(Piece(*ends) for ends in pieces_in_token_order(start, end, self.family))
        while waiting:
            piece, last = waiting.popleft(), None
            try:
                async for cells in self._cells(self._statement(piece)):
                    yield cells
                    last = cells[-1]
            except TimedOut:
                if not self.may_halve:
                    raise
                if last is None:
                    if not (halves := piece.halves()):
                        raise
                    waiting.extendleft(reversed(halves))
                    continue
                async for cells in self._rest_of_partition(last):
                    yield cells
                waiting.appendleft(replace(piece, start=last.key.hex()))

    async def _rest_of_partition(self, last: Cell) -> AsyncIterator[list[Cell]]:
        """What its partition holds after this cell; filtered here."""
        waiting = deque([Slice(last.key, (last.column1, last.column2))])
        while waiting:
            part, seen = waiting.popleft(), None
            try:
                async for cells in self._cells(
                    partition_statement(self.keyspace, self.table, part.key, part.after, part.until)
                ):
                    if among := [cell for cell in cells if self._is_between(cell.value)]:
                        yield among
                    seen = cells[-1]
            except TimedOut:
                if seen is not None:
                    waiting.appendleft(replace(part, after=(seen.column1, seen.column2)))
                    continue
                if not (halves := part.halves()):
                    raise
                waiting.extendleft(reversed(halves))

    def _statement(self, piece: Piece) -> Statement:
        return range_statement(
            self.keyspace,
            self.table,
            piece.start,
            piece.end,
            family=self.family,
            value_between=self.value_between,
        )

    async def _cells(self, statement: Statement) -> AsyncIterator[list[Cell]]:
        state, has_more = None, True
        while has_more:
            page = await self.ask(statement, state, may_time_out=self.may_halve)
            if page.rows:
                yield [Cell(*row) for row in page.rows]
            state = page.paging_state
            has_more = state is not None

    def _is_between(self, value: bytes) -> bool:
        return self.value_between is None or self.value_between[0] < value < self.value_between[1]
