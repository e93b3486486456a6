"""One scan of a token range: page after page, each asked for only when the one before was taken.

Where the server filters, a page may cost it the reading of millions of rows, and its time-out is not ours to set. A
filtered range that times out is therefore halved, and goes on behind the last cell seen.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from typing import Protocol

from atlasdb_recovery.cassandra.connection import Page
from atlasdb_recovery.cassandra.ports import Cell
from atlasdb_recovery.cassandra.range_statements import Between, Statement, range_statement, rest_of_partition
from atlasdb_recovery.cassandra.request_errors import TimedOut
from atlasdb_recovery.cassandra.ring import pieces_in_token_order
from atlasdb_recovery.cassandra.splitting import halfway

HALVED_AT_MOST = 24


class Ask(Protocol):
    """One page of a statement, from a paging state on. A time-out is not tried again where it may happen."""

    def __call__(self, statement: Statement, state: bytes | None, *, may_time_out: bool) -> Awaitable[Page]: ...


@dataclass(frozen=True)
class Piece:
    """(start, end], not wrapping, and how often it was halved."""

    start: str
    end: str
    halved: int = 0


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
        return self.value_between is not None and self.family == "byte-ordered"

    async def pages(self, start: str, end: str) -> AsyncIterator[list[Cell]]:
        """The cells of (start, end] in token order."""
        waiting = deque(Piece(*ends) for ends in pieces_in_token_order(start, end, self.family))
        while waiting:
            piece, last = waiting.popleft(), None
            statement = range_statement(
                self.keyspace,
                self.table,
                piece.start,
                piece.end,
                family=self.family,
                value_between=self.value_between,
            )
            try:
                async for cells in self._cells(statement, may_time_out=self.may_halve):
                    yield cells
                    last = cells[-1]
            except TimedOut:
                middle = halfway(piece.start, piece.end)
                if not self.may_halve or middle is None or piece.halved >= HALVED_AT_MOST:
                    raise
                if last is not None:
                    async for cells in self._cells(
                        rest_of_partition(self.keyspace, self.table, last), may_time_out=False
                    ):
                        if among := [cell for cell in cells if self._is_between(cell.value)]:
                            yield among
                    waiting.appendleft(replace(piece, start=last.key.hex()))
                else:
                    waiting.appendleft(Piece(middle, piece.end, piece.halved + 1))
                    waiting.appendleft(Piece(piece.start, middle, piece.halved + 1))

    async def _cells(self, statement: Statement, *, may_time_out: bool) -> AsyncIterator[list[Cell]]:
        state, has_more = None, True
        while has_more:
            page = await self.ask(statement, state, may_time_out=may_time_out)
            if page.rows:
                yield [Cell(*row) for row in page.rows]
            state = page.paging_state
            has_more = state is not None

    def _is_between(self, value: bytes) -> bool:
        return self.value_between is None or self.value_between[0] < value < self.value_between[1]
