"""Keyspaces and tables as the server's own schema tables hold them now, with runnable CREATE statements.

Table ids come from the schema tables; the statements from the driver, which writes real CREATEs for compact tables
where DESCRIBE of 5.0 puts them into a comment.
"""

from typing import Any

import msgspec

from atlasdb_recovery.cassandra.connection import Connection
from atlasdb_recovery.cassandra.ports import Consistency, Keyspace, Table

_MODERN_KEYSPACE = "SELECT replication, durable_writes FROM system_schema.keyspaces WHERE keyspace_name = ?"
_MODERN_TABLES = "SELECT table_name, id FROM system_schema.tables WHERE keyspace_name = ?"
_OLD_KEYSPACE = (
    "SELECT strategy_class, strategy_options, durable_writes FROM system.schema_keyspaces WHERE keyspace_name = ?"
)
_OLD_TABLES = "SELECT columnfamily_name, cf_id FROM system.schema_columnfamilies WHERE keyspace_name = ?"


class SchemaReader:
    """Reads a keyspace; statements are exported again only when a table's id is new."""

    def __init__(self, connection: Connection, *, modern: bool) -> None:
        self._connection = connection
        self._modern = modern
        self._exported: tuple[frozenset[tuple[str, str]], dict[str, str], str] | None = None
        self._of = ""

    async def keyspace(self, name: str) -> Keyspace | None:
        """None if it is absent."""
        replication = await self._replication(name)
        if replication is None:
            return None
        options, durable = replication
        rows = await self._rows(_MODERN_TABLES if self._modern else _OLD_TABLES, name)
        ids = {str(table): str(table_id) for table, table_id in rows}
        statements, create = await self._statements(name, frozenset(ids.items()))
        tables = {table: Table(table, table_id, statements[table]) for table, table_id in sorted(ids.items())}
        return Keyspace(name=name, replication=options, durable_writes=durable, create=create, tables=tables)

    async def _replication(self, name: str) -> tuple[dict[str, str], bool] | None:
        if self._modern:
            rows = await self._rows(_MODERN_KEYSPACE, name)
            return None if not rows else (dict(rows[0][0]), bool(rows[0][1]))
        rows = await self._rows(_OLD_KEYSPACE, name)
        if not rows:
            return None
        options: dict[str, Any] = msgspec.json.decode(rows[0][1])
        return {"class": str(rows[0][0]), **{k: str(v) for k, v in options.items()}}, bool(rows[0][2])

    async def _statements(self, name: str, ids: frozenset[tuple[str, str]]) -> tuple[dict[str, str], str]:
        if self._exported is None or self._exported[0] != ids or self._of != name:
            driver = self._connection.driver
            await self._connection.in_thread(driver.refresh_keyspace_metadata, name)
            described = driver.metadata.keyspaces[name]
            statements = {table: found.as_cql_query() for table, found in described.tables.items()}
            self._exported = (ids, statements, described.as_cql_query())
            self._of = name
        return self._exported[1], self._exported[2]

    async def _rows(self, cql: str, name: str) -> list[Any]:
        page = await self._connection.read(cql, (name,), consistency=Consistency.ONE)
        return list(page.rows)
