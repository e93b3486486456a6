"""What a removal looks at: both transactions tables where they exist, and the schema of every start timestamp."""

from contextlib import aclosing

from atlasdb_recovery.atlas import coordination
from atlasdb_recovery.atlas.coordination import (
    EVERYTHING_SCHEMA_1,
    CoordinationIncomplete,
    CoordinationValueMissing,
    SchemaMap,
)
from atlasdb_recovery.atlas.names import COORDINATION, TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.cassandra.ports import Consistency
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.facts import BACKUP_TIMESTAMP, required
from atlasdb_recovery.procedure.removal.finder import TABLES, Scope
from atlasdb_recovery.procedure.step import StepFailure

READ_AT_MOST = 3
"""A pointer may be read a moment before the value that it points at; AtlasDB reads again too."""


async def removal_scope(context: Context) -> Scope:
    """The cut is B; the tables are those that exist; the schema map is the backup's own, valid at F."""
    keyspace = await context.cluster.keyspace(context.keyspace)
    present = () if keyspace is None else tuple(name for name in TABLES if name in keyspace.tables)
    if TRANSACTIONS not in present:
        raise StepFailure(
            f"keyspace {context.keyspace} has no table {TRANSACTIONS}: nothing can be said of its transactions",
            remedy="This is not a restored AtlasDB keyspace. Restore the store first.",
        )
    return Scope(
        keyspace=context.keyspace,
        tables=present,
        schema_map=await schema_map(context),
        after=required(context, BACKUP_TIMESTAMP),
    )


async def schema_map(context: Context) -> SchemaMap:
    """The manifest's coordination map; without one, what the restored `_coordination` table says."""
    manifest = context.manifest
    if manifest is not None and manifest.schema_map is not None:
        return manifest.schema_map
    return await stored_schema_map(context)


async def restored_schema_map(context: Context) -> SchemaMap:
    """What `_coordination` says; a row that was copied in parts says nothing where the manifest has the map."""
    try:
        return await stored_schema_map(context)
    except CoordinationIncomplete:
        if context.manifest is None or context.manifest.schema_map is None:
            raise
        return EVERYTHING_SCHEMA_1


async def stored_schema_map(context: Context) -> SchemaMap:
    """What `_coordination` says, read at ALL. Without the table, or without its row, everything is schema 1."""
    keyspace = await context.cluster.keyspace(context.keyspace)
    if keyspace is None or COORDINATION not in keyspace.tables:
        return EVERYTHING_SCHEMA_1
    for attempt in range(READ_AT_MOST):
        cells = await context.cluster.read_partition(
            context.keyspace, COORDINATION, coordination.ROW, consistency=Consistency.ALL
        )
        try:
            return coordination.read_rows((cell.column1, cell.column2, cell.value) for cell in cells)
        except CoordinationValueMissing:
            if attempt == READ_AT_MOST - 1:
                raise
    return EVERYTHING_SCHEMA_1


async def without_schema(context: Context, known: SchemaMap) -> str:
    """`_transactions2` if it holds anything although the map is only the default of a keyspace without one; else ""."""
    keyspace = await context.cluster.keyspace(context.keyspace)
    if known.bound is not None or keyspace is None or TRANSACTIONS2 not in keyspace.tables:
        return ""
    pages = context.cluster.scan(context.keyspace, TRANSACTIONS2, "", "", consistency=Consistency.ALL, page_size=1)
    async with aclosing(pages):  # type: ignore[type-var]
        async for _ in pages:
            return TRANSACTIONS2
    return ""
