"""Where to cut a transactions table so that its scan can run side by side.

On a byte-ordered ring all keys of `_transactions` begin alike (VarLong), so the ring's own ranges put nearly all rows
into one of them. The cuts only balance the work: together the pieces are the whole ring, whatever is in the table.
"""

from collections.abc import Sequence
from contextlib import aclosing

from atlasdb_recovery.atlas import varlong
from atlasdb_recovery.atlas.transactions import TRANSACTIONS
from atlasdb_recovery.cassandra.ports import Cluster, Consistency
from atlasdb_recovery.cassandra.ring import partitioner_family, token_value

PIECES = 48
FEW = 2
HIGHEST = 2**63 - 1
NIBBLES = tuple(f"{nibble:x}0" for nibble in range(1, 16))


async def pieces_of(cluster: Cluster, keyspace: str, table: str) -> list[tuple[str, str]]:
    """Pieces (start, end] that cover every token exactly once, cut at the ring's tokens too."""
    identity = await cluster.identity()
    family = partitioner_family(identity.partitioner)
    cuts = {token for node in identity.nodes for token in node.tokens}
    if family == "byte-ordered":
        cuts |= set(await _starts(cluster, keyspace, table) if table == TRANSACTIONS else NIBBLES)
    return covering(sorted((cut for cut in cuts if cut), key=lambda text: token_value(text, family)))


def covering(cuts: Sequence[str]) -> list[tuple[str, str]]:
    """The pieces between sorted cuts, from the lowest token to the highest; "" is either end of the ring."""
    edges = ["", *cuts, ""]
    return list(zip(edges, edges[1:], strict=False))


async def _starts(cluster: Cluster, keyspace: str, table: str) -> list[str]:
    """Keys of evenly spread start timestamps between the lowest and the highest that the table holds."""
    first = await _first_key(cluster, keyspace, table, "")
    if first is None:
        return []
    try:
        low = varlong.decode(first)
    except varlong.MalformedValue:
        return []
    high = await _highest(cluster, keyspace, table, low)
    step = max((high - low) // PIECES, 1)
    if low < 0 or high - low < FEW * PIECES:
        return []
    return [varlong.encode(start).hex() for start in range(low + step, high, step)]


async def _highest(cluster: Cluster, keyspace: str, table: str, low: int) -> int:
    """By halving: is there any key above this start timestamp?"""
    high = HIGHEST
    while low < high:
        middle = (low + high) // 2
        above = await _first_key(cluster, keyspace, table, varlong.encode(middle).hex())
        if above is None:
            high = middle
        else:
            low = middle + 1
    return low


async def _first_key(cluster: Cluster, keyspace: str, table: str, after: str) -> bytes | None:
    pages = cluster.scan(keyspace, table, after, "", consistency=Consistency.ONE, page_size=1)
    async with aclosing(pages):  # type: ignore[type-var]
        async for page in pages:
            return page[0].key
    return None
