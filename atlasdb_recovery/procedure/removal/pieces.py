"""The pieces of the ring that a scan of a transactions table reads side by side."""

import asyncio

from atlasdb_recovery.atlas import ticket_cells, varlong
from atlasdb_recovery.atlas.names import TRANSACTIONS
from atlasdb_recovery.cassandra.ports import Cluster, Consistency
from atlasdb_recovery.cassandra.ring import partitioner_family
from atlasdb_recovery.cassandra.splitting import Ends, cut, first_key, split_points

PIECES = 48
WHOLE_RING = ("", "")
AT_ONCE = 8


async def pieces_of(cluster: Cluster, keyspace: str, table: str, ring: Ends = WHOLE_RING) -> list[Ends]:
    """Pieces (start, end] that cover every token exactly once, whatever is in the table; cut at the nodes' tokens."""
    identity = await cluster.identity()
    tokens = {token for node in identity.nodes for token in node.tokens}
    owned = cut([ring], tokens, partitioner_family(identity.partitioner))
    return await split_points(cluster, keyspace, table, owned, PIECES)


async def pieces_from(cluster: Cluster, keyspace: str, table: str, start: int) -> list[Ends]:
    """Pieces that hold every transaction with at least this start timestamp; most of the earlier ones are left out.

    On a byte-ordered ring only. Schema 1: keys are in the order of their start timestamps. Schemas 2 and 3: rows lie
    scattered, but each is of one partition of start timestamps; those of earlier partitions are left out, row by row.
    """
    if table == TRANSACTIONS:
        return await pieces_of(cluster, keyspace, table, (varlong.encode(start - 1).hex(), ""))
    lowest, at_once = start // ticket_cells.PARTITIONING_QUANTUM, asyncio.Semaphore(AT_ONCE)

    async def kept(piece: Ends) -> list[Ends]:
        async with at_once:
            return await _without_earlier_rows(cluster, keyspace, table, piece, lowest)

    pieces = await pieces_of(cluster, keyspace, table)
    return [one for found in await asyncio.gather(*map(kept, pieces)) for one in found]


async def _without_earlier_rows(cluster: Cluster, keyspace: str, table: str, piece: Ends, lowest: int) -> list[Ends]:
    """What of the piece is no row of a partition below `lowest`: from row to row, read at ALL, one cell of each."""
    (start, end), kept = piece, list[Ends]()
    while (key := await first_key(cluster, keyspace, table, start, end, Consistency.ALL)) is not None:
        partition, token = ticket_cells.partition_of_key(key), key.hex()
        if partition is None or partition >= lowest:
            begins = kept.pop()[0] if kept and kept[-1][1] == start else start
            kept.append((begins, token))
        if token == end:
            break
        start = token
    return kept
