"""The row that holds the stored timestamp bound, as it lies in the table."""

from typing import Any

from atlasdb_recovery.atlas import timestamp_bound
from atlasdb_recovery.atlas.names import TIMESTAMP
from atlasdb_recovery.atlas.timestamp_bound import BoundInvalidated, MalformedBound
from atlasdb_recovery.cassandra.ports import Consistency
from atlasdb_recovery.procedure.context import Context


async def timestamp_row(context: Context) -> dict[str, Any]:
    """Value (hex) and write time of every cell of the `_timestamp` row, read at ALL; empty without one."""
    keyspace = await context.cluster.keyspace(context.keyspace)
    if keyspace is not None and TIMESTAMP not in keyspace.tables:
        return {}
    cells = await context.cluster.read_partition(
        context.keyspace, TIMESTAMP, timestamp_bound.ROW, consistency=Consistency.ALL
    )
    return {cell.column1.hex(): [cell.value.hex(), cell.write_time] for cell in cells}


def is_given_up(row: dict[str, Any]) -> bool:
    """Whether a migration to TimeLock has left this row: whatever TimeLock does from then on, it stays as it is."""
    value, _ = row.get(timestamp_bound.BOUND_POSITION[1].hex(), ("", None))
    return bool(value == timestamp_bound.INVALIDATED.hex())


async def stored_bound(context: Context, consistency: Consistency = Consistency.ALL) -> int | None:
    """The bound, not read serially: that would leave Paxos rows. None if there is none yet.

    Raises BoundInvalidated, MalformedBound.
    """
    cells = await context.cluster.read_partition(
        context.keyspace, TIMESTAMP, timestamp_bound.ROW, consistency=consistency
    )
    return timestamp_bound.bound_of((cell.column1, cell.column2, cell.value) for cell in cells)


async def highest_handed_out(context: Context) -> int | None:
    """The bound below or at which everything lies that this keyspace's embedded service ever handed out; 0 without one.

    It stores a bound before it hands anything out (`PersistentTimestampServiceImpl`): what is above was handed out by
    another service, or after this bound was copied. None where the keyspace does not tell: it has no table for it, or
    its timestamps come from TimeLock.
    """
    keyspace = await context.cluster.keyspace(context.keyspace)
    if not context.timestamps.uses_stored_bound or keyspace is None or TIMESTAMP not in keyspace.tables:
        return None
    try:
        return await stored_bound(context) or 0
    except (BoundInvalidated, MalformedBound):
        return None
