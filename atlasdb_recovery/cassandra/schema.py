"""Keyspaces and tables as the server's own schema tables hold them now, with runnable CREATE statements.

Table ids come from the schema tables; the statements from the driver, which writes real CREATEs for compact tables
where DESCRIBE of 5.0 puts them into a comment.
"""

import asyncio
from typing import Any

import msgspec

from atlasdb_recovery.cassandra.connection import Connection
from atlasdb_recovery.cassandra.ports import Consistency, Keyspace, StatementRefused, Table
from atlasdb_recovery.foreign import plain

_MODERN_KEYSPACE = "SELECT replication, durable_writes FROM system_schema.keyspaces WHERE keyspace_name = ?"
_MODERN_TABLES = "SELECT table_name, id FROM system_schema.tables WHERE keyspace_name = ?"
_OLD_KEYSPACE = (
    "SELECT strategy_class, strategy_options, durable_writes FROM system.schema_keyspaces WHERE keyspace_name = ?"
)
_OLD_TABLES = "SELECT columnfamily_name, cf_id FROM system.schema_columnfamilies WHERE keyspace_name = ?"
ATTEMPTS = 10
AGAIN_AFTER = 0.2


class SchemaReader:
    """Reads a keyspace from the server; nothing is remembered. `modern`: 3.0 and later, with `system_schema`."""

    def __init__(self, connection: Connection, *, modern: bool) -> None:
        self._connection = connection
        self._modern = modern

    async def keyspace(self, name: str) -> Keyspace | None:
        """None if it is absent. Raises StatementRefused while its tables come and go under our eyes."""
        for _ in range(ATTEMPTS):
            described = await self.replication(name)
            if described is None:
                return None
            replication, durable = described
            ids = await self._table_ids(name)
            exported = await self._connection.exported(name)
            if exported is not None and exported[1].keys() == ids.keys() and await self._table_ids(name) == ids:
                create, statements = exported
                tables = {table: Table(table, ids[table], statements[table]) for table in sorted(ids)}
                return Keyspace(
                    name=name, replication=replication, durable_writes=durable, create=create, tables=tables
                )
            await asyncio.sleep(AGAIN_AFTER)
        raise StatementRefused(
            f"the tables of keyspace {plain(name)} change while they are read. Find out who changes the schema "
            "(nodetool describecluster), wait until it is done, then try again."
        )

    async def replication(self, name: str) -> tuple[dict[str, str], bool] | None:
        """The replication options and whether writes are durable; None if the keyspace is absent."""
        if self._modern:
            rows = await self._rows(_MODERN_KEYSPACE, name)
            return None if not rows else (dict(rows[0][0]), bool(rows[0][1]))
        rows = await self._rows(_OLD_KEYSPACE, name)
        if not rows:
            return None
        options: dict[str, Any] = msgspec.json.decode(rows[0][1])
        return {"class": str(rows[0][0]), **{key: str(value) for key, value in options.items()}}, bool(rows[0][2])

    async def _table_ids(self, name: str) -> dict[str, str]:
        rows = await self._rows(_MODERN_TABLES if self._modern else _OLD_TABLES, name)
        return {str(table): str(table_id) for table, table_id in rows}

    async def _rows(self, cql: str, name: str) -> list[Any]:
        return await self._connection.rows(cql, (name,), consistency=Consistency.ONE)
