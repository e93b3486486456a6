"""Finds every transaction that committed after the backup timestamp, over the whole table, whatever its schema.

Judged by the commit timestamp, never by the start (AtlasDB #1759); the schema of each start comes from the
coordination map, never from bytes.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from atlasdb_recovery.atlas import transactions, varlong
from atlasdb_recovery.atlas.coordination import SchemaMap
from atlasdb_recovery.atlas.transactions import (
    SET_ONCE_WRITE_TIME,
    TRANSACTIONS,
    TRANSACTIONS2,
    TWO_PHASE,
    MalformedCell,
)
from atlasdb_recovery.cassandra.ports import Cell, Cluster, Consistency
from atlasdb_recovery.cassandra.scan import scan_in_parallel
from atlasdb_recovery.procedure.removal.findings import Findings, Found, OddCell
from atlasdb_recovery.procedure.removal.pieces import pieces_from, pieces_of

PAGE_SIZE = 5_000
ABOVE_EVERY_COMMIT = b"\xff\x80"
"""VarLong order is byte order; every encoded timestamp sorts below this, the schema-1 abort marker above it."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Where to look, and the cut: commit > `after` is found, commit == `after` is not."""

    keyspace: str
    tables: tuple[str, ...]
    schema_map: SchemaMap
    after: int
    from_start: int = transactions.LOWEST_START
    """Start timestamps below it may be left out of the scan."""
    concurrency: int = 8


class Finder:
    """One scan. Iterate `pages`; `findings` is complete when it has ended."""

    def __init__(self, cluster: Cluster, scope: Scope, *, let_server_filter: bool) -> None:
        self._cluster = cluster
        self._scope = scope
        self._let_server_filter = let_server_filter
        self.findings = Findings(after=scope.after)

    async def pages(self) -> AsyncIterator[Sequence[Found]]:
        """What each page of cells held beyond the cut, as the scan proceeds; often nothing."""
        for table in self._scope.tables:
            async for cells in self._cells(table):
                self.findings.saw(table, len(cells))
                yield [found for cell in cells if (found := self._judged(table, cell)) is not None]

    async def _cells(self, table: str) -> AsyncIterator[Sequence[Cell]]:
        pages = scan_in_parallel(
            self._cluster,
            self._scope.keyspace,
            table,
            await self._pieces(table),
            consistency=Consistency.ALL,
            page_size=PAGE_SIZE,
            concurrency=self._scope.concurrency,
            value_between=self._value_between(table),
        )
        async with aclosing(pages):
            async for page in pages:
                yield page

    async def _pieces(self, table: str) -> list[tuple[str, str]]:
        if self._scope.from_start <= transactions.LOWEST_START:
            return await pieces_of(self._cluster, self._scope.keyspace, table)
        return await pieces_from(self._cluster, self._scope.keyspace, table, self._scope.from_start)

    def _value_between(self, table: str) -> tuple[bytes, bytes] | None:
        """Schema 1 stores the commit timestamp itself. Schemas 2 and 3 its distance from the start: no one bound."""
        if not self._let_server_filter or table != TRANSACTIONS:
            return None
        return (varlong.encode(self._scope.after), ABOVE_EVERY_COMMIT)

    def _judged(self, table: str, cell: Cell) -> Found | None:
        findings = self.findings
        try:
            start = transactions.start_of(table, cell.key, cell.column1, cell.column2)
            if start < transactions.LOWEST_START:
                raise MalformedCell(
                    f"start {start} is below {transactions.LOWEST_START}, the lowest timestamp there is"
                )
            findings.highest = max(findings.highest, start)
            schema = self._schema_of(table, start)
            if schema is None:
                findings.unknown_schema += 1
                findings.unknown_sample = start
                return None
            if transactions.table_of(schema) != table:
                raise MalformedCell(f"start {start} belongs to schema {schema}, which is not kept in {table}")
            entry = transactions.decode(schema, table, cell.key, cell.column1, cell.column2, cell.value)
            if schema != TWO_PHASE and (cell.write_time or 0) >= SET_ONCE_WRITE_TIME:
                raise MalformedCell(
                    f"the write time {cell.write_time} is schema 3's, and start {start} belongs to schema {schema}"
                )
        except MalformedCell as error:
            findings.saw_odd(
                OddCell(table, cell.key.hex(), cell.column1.hex(), cell.column2, cell.value.hex(), str(error))
            )
            return None
        if entry.commit is None:
            return None
        findings.saw_commit(entry.start, entry.commit)
        if entry.commit <= self._scope.after:
            return None
        found = Found(table, schema, entry.start, entry.commit, str(entry.state), cell)
        findings.add(found)
        return found

    def _schema_of(self, table: str, start: int) -> int | None:
        """None beyond the map's bound; and for whatever lies in `_transactions2` of a keyspace that has no map."""
        has_map = self._scope.schema_map.bound is not None
        return self._scope.schema_map.schema_at(start) if has_map or table == TRANSACTIONS else None


TABLES = (TRANSACTIONS, TRANSACTIONS2)
