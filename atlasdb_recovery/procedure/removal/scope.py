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
from atlasdb_recovery.atlas.transactions import LOWEST_START
from atlasdb_recovery.cassandra.ports import Consistency
from atlasdb_recovery.cassandra.ring import partitioner_family
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.facts import BACKUP_TIMESTAMP, required
from atlasdb_recovery.procedure.removal.finder import TABLES, Scope
from atlasdb_recovery.procedure.step import StepFailure

NARROWING_REMEDY = "Write `scan: full`, or leave it away: everything is read then, whatever the backup proves."
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
        from_start=await from_start(context),
    )


async def from_start(context: Context) -> int:
    """1: a scan reads everything. I, the backup's immutable timestamp, where it is asked for and proven.

    Raises StepFailure where it is asked for and not proven.
    """
    if context.settings.scan == "full":
        return LOWEST_START
    if problem := await why_not_narrowed(context):
        raise StepFailure(f"the scan cannot be narrowed: {problem}", remedy=NARROWING_REMEDY)
    assert context.manifest is not None
    assert context.manifest.timelock is not None
    return context.manifest.timelock.immutable_timestamp or LOWEST_START


async def why_not_narrowed(context: Context) -> str:
    """In words, why nothing proves that what committed after the cut began at I or later; "" if that is proven."""
    manifest, after = context.manifest, context.state.fact(BACKUP_TIMESTAMP)
    if manifest is None:
        return f"{context.backup_dir} has no sealed manifest that could prove an immutable timestamp"
    if manifest.timelock is None or manifest.timelock.immutable_timestamp is None:
        return f"the manifest has no immutable timestamp: none was locked by {manifest.timestamp_service}"
    immutable = manifest.timelock.immutable_timestamp
    if not LOWEST_START <= immutable < manifest.backup_timestamp:
        return f"the immutable timestamp {immutable} is not below B = {manifest.backup_timestamp}: it proves nothing"
    if after is not None and after < manifest.backup_timestamp:
        return f"it is cut at {after}, below B = {manifest.backup_timestamp}, of which alone the manifest tells"
    partitioner = (await context.cluster.identity()).partitioner
    if partitioner_family(partitioner) != "byte-ordered":
        return f"on {partitioner} rows are not in the order of their keys"
    return ""


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
