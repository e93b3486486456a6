"""`_coordination` brought up to the backup: which schema each start timestamp has, as it was decided at F.

The restored row may be older than transactions beside it: copied before the schema was installed under which they ran.
A service that starts goes on with the last schema it finds there and would read them by the wrong one, where the abort
of schema 3 is a commit of schema 2. They all began after B, so nothing is lost by this; but they must read as removed.
"""

import msgspec

from atlasdb_recovery.atlas import coordination
from atlasdb_recovery.atlas.coordination import CoordinationIncomplete, SchemaMap
from atlasdb_recovery.atlas.names import COORDINATION
from atlasdb_recovery.cassandra.ports import Consistency, OutcomeUnknown
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.facts import FAST_FORWARD_TIMESTAMP, required
from atlasdb_recovery.procedure.removal.scope import stored_schema_map
from atlasdb_recovery.procedure.step import StepFailure

ATTEMPTS = 3


async def schemas_to_store(context: Context) -> SchemaMap | None:
    """The manifest's map, if a service that starts would read a start timestamp that it decides by another schema."""
    known = None if context.manifest is None else context.manifest.schema_map
    if known is None or known.bound is None:
        return None
    try:
        stored = await stored_schema_map(context)
    except CoordinationIncomplete:
        return known
    as_read = msgspec.structs.replace(stored, bound=None)
    edges = {part.lower for part in (*known.ranges, *as_read.ranges)}
    decided = {start: known.schema_at(start) for start in edges}
    differs = any(schema is not None and schema != as_read.schema_at(start) for start, schema in decided.items())
    return known if differs else None


async def store_schemas(context: Context, schema_map: SchemaMap) -> None:
    """As AtlasDB does: the value under a sequence number of its own, then the pointer at it, by conditional writes.

    The number is F, a timestamp that nobody else was given. Safe to repeat. Raises StepFailure.
    """
    sequence = required(context, FAST_FORWARD_TIMESTAMP)
    pointer, value = coordination.cells_of(schema_map, sequence)
    for column1, column2, content in (value, pointer):
        await _set(context, (coordination.ROW, column1, column2), content)


async def _set(context: Context, position: tuple[bytes, bytes, int], content: bytes) -> None:
    cluster, keyspace = context.cluster, context.keyspace
    for _ in range(ATTEMPTS):
        now = await cluster.read(keyspace, COORDINATION, position, consistency=Consistency.SERIAL)
        if now is not None and now.value == content:
            return
        try:
            if now is None:
                await cluster.put_unless_exists(keyspace, COORDINATION, position, content)
            else:
                await cluster.check_and_set(keyspace, COORDINATION, position, now.value, content)
        except OutcomeUnknown:
            continue  # the read that follows decides
    raise StepFailure(
        f"`{COORDINATION}` could not be brought up to the backup's schema map in {ATTEMPTS} attempts",
        evidence=(f"column1 {position[1].hex()}",),
        remedy="Check that every node is up and that the nodes' clocks agree, then retry.",
    )
