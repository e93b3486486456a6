"""The pieces of the ring that a scan of a transactions table reads side by side."""

from atlasdb_recovery.cassandra.ports import Cluster
from atlasdb_recovery.cassandra.ring import partitioner_family
from atlasdb_recovery.cassandra.splitting import cut, split_points

PIECES = 48
WHOLE_RING = ("", "")


async def pieces_of(cluster: Cluster, keyspace: str, table: str) -> list[tuple[str, str]]:
    """Pieces (start, end] that cover every token exactly once, whatever is in the table; cut at the nodes' tokens."""
    identity = await cluster.identity()
    tokens = {token for node in identity.nodes for token in node.tokens}
    owned = cut([WHOLE_RING], tokens, partitioner_family(identity.partitioner))
    return await split_points(cluster, keyspace, table, owned, PIECES)
