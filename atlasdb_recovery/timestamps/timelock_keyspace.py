"""What a keyspace itself says of TimeLock: whether it is the authority, and which timestamps it has used."""

from atlasdb_recovery.atlas import coordination, timestamp_bound
from atlasdb_recovery.atlas.coordination import MalformedCoordination
from atlasdb_recovery.atlas.names import COORDINATION, TIMESTAMP
from atlasdb_recovery.atlas.timestamp_bound import BoundInvalidated, MalformedBound
from atlasdb_recovery.cassandra.ports import Cluster, Consistency
from atlasdb_recovery.timestamps.service import TimestampServiceRefused


async def timestamps_used(cluster: Cluster, keyspace: str) -> int:
    """The highest timestamp that the keyspace proves to have been handed out; 0 if it proves none, or is not there.

    Raises TimestampServiceRefused if its `_timestamp` says that TimeLock is not the authority.
    """
    present = await cluster.keyspace(keyspace)
    tables = {} if present is None else present.tables
    used = 0
    if TIMESTAMP in tables:
        cells = await _row(cluster, keyspace, TIMESTAMP, timestamp_bound.ROW)
        used = _set_aside(keyspace, cells)
    if COORDINATION in tables:
        cells = await _row(cluster, keyspace, COORDINATION, coordination.ROW)
        try:
            used = max(used, coordination.highest_sequence(cells))
        except MalformedCoordination as error:
            raise TimestampServiceRefused(f"Nothing was asked of TimeLock: {error}.") from error
    return used


def _set_aside(keyspace: str, cells: list[tuple[bytes, int, bytes]]) -> int:
    """The bound with which TimeLock began. A row that is empty belongs to no service."""
    try:
        bound = timestamp_bound.bound_of(cells)
    except BoundInvalidated:
        return timestamp_bound.set_aside(cells)
    except MalformedBound as error:
        raise TimestampServiceRefused(f"Nothing was asked of TimeLock: {error}.") from error
    if bound is None:
        return 0
    raise TimestampServiceRefused(
        f"Nothing was changed: the configuration says that the timestamps of {keyspace} come from TimeLock, but its"
        f" `_timestamp` holds a valid bound ({bound}) of an embedded timestamp service. Both cannot be true, and"
        " moving the wrong one would look like success and corrupt data. If the service ran without TimeLock when it"
        " was backed up, name the configuration it had then. If it was being migrated, let a service with TimeLock"
        " configured start once: it invalidates this bound itself."
    )


async def _row(cluster: Cluster, keyspace: str, table: str, row: bytes) -> list[tuple[bytes, int, bytes]]:
    """At ALL: unlike a serial read that leaves no Paxos rows."""
    cells = await cluster.read_partition(keyspace, table, row, consistency=Consistency.ALL)
    return [(cell.column1, cell.column2, cell.value) for cell in cells]
