"""Where to cut token ranges so that their scans share the work.

Cuts only balance: whatever the table holds, the pieces cover the given ranges exactly once. On a byte-ordered ring all
keys of one table tend to begin alike (VarLong), and a service that was once fast-forwarded leaves wide gaps; so the
cuts are learned from the table: the widest stretch that may hold keys is halved at its middle, by asking for the first
key behind the middle, until there are enough.
"""

import heapq
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import count

from atlasdb_recovery.cassandra.ports import Cluster, Consistency
from atlasdb_recovery.cassandra.ring import partitioner_family, pieces_in_token_order, token_value
from atlasdb_recovery.cassandra.scales import scale_of

PROBES_A_PIECE = 3
NARROWEST = 4
MURMUR3_RING = (-(2**63), 2**63 - 1)
RANDOM_RING = (0, 2**127)

Ends = tuple[str, str]


async def split_points(cluster: Cluster, keyspace: str, table: str, ranges: Iterable[Ends], pieces: int) -> list[Ends]:
    """The ranges (start, end] cut into about that many pieces that do not wrap, in token order.

    On a byte-ordered ring it reads at most `PROBES_A_PIECE` times as many single cells, at ONE: a cell that this
    misses makes a piece uneven, not incomplete.
    """
    family = partitioner_family((await cluster.identity()).partitioner)
    spans = [span for start, end in ranges for span in pieces_in_token_order(start, end, family)]
    spans.sort(key=lambda span: b"" if span[0] == "" else token_value(span[0], family))
    if family == "byte-ordered":
        cuts = await _learned_cuts(cluster, keyspace, table, spans, pieces)
    else:
        cuts = _even_cuts(MURMUR3_RING if family == "murmur3" else RANDOM_RING, pieces)
    return cut(spans, cuts, family)


def cut(spans: Sequence[Ends], cuts: Iterable[str], family: str) -> list[Ends]:
    """The spans, which do not wrap, cut at those of the tokens that lie within them."""
    at = sorted(((token_value(token, family), token) for token in set(cuts) if token), key=lambda pair: pair[0])
    found = []
    for start, end in spans:
        inside = [
            token
            for value, token in at
            if (start == "" or value > token_value(start, family)) and (end == "" or value < token_value(end, family))  # type: ignore[operator]
        ]
        edges = [start, *inside, end]
        found += list(zip(edges, edges[1:], strict=False))
    return found


def halfway(start: str, end: str) -> str | None:
    """A byte-ordered token strictly between two others, about half way; None if there is none. "" is an open end."""
    low, high = _key(start), _key(end)
    width = max(len(low), len(high)) + 1
    first = int.from_bytes(low.ljust(width, b"\0"))
    last = int.from_bytes(high.ljust(width, b"\0")) if high else 256**width
    middle = (first + last) // 2
    return middle.to_bytes(width).hex() if first < middle < last else None


def _even_cuts(ring: tuple[int, int], pieces: int) -> list[str]:
    low, high = ring
    return [str(low + (high - low) * index // pieces) for index in range(1, pieces)]


@dataclass(frozen=True)
class Stretch:
    """Keys from one that is there up to `end` ("" is open), as numbers of a scale: `low` to `high`."""

    low: int
    high: int
    end: str


async def _learned_cuts(cluster: Cluster, keyspace: str, table: str, spans: Sequence[Ends], pieces: int) -> list[str]:
    scale, cuts, stretches, order = scale_of(table), list[str](), list[tuple[int, int, Stretch]](), count()

    def keep(first: bytes, end: str) -> None:
        low, high = scale.number(first), scale.number(_key(end)) if end else scale.top
        heapq.heappush(stretches, (low - high, next(order), Stretch(low, high, end)))

    for start, end in spans:
        if (first := await first_key(cluster, keyspace, table, start, end, Consistency.ONE)) is not None:
            keep(first, end)
    for _ in range(PROBES_A_PIECE * pieces):
        if not stretches or len(cuts) >= pieces:
            break
        _, _, widest = heapq.heappop(stretches)
        if widest.high - widest.low < NARROWEST:
            break
        middle = scale.key((widest.low + widest.high) // 2).hex()
        above = await first_key(cluster, keyspace, table, middle, widest.end, Consistency.ONE)
        keep(scale.key(widest.low), middle)
        if above is not None:
            cuts.append(middle)
            keep(above, widest.end)
    return cuts


def _key(token: str) -> bytes:
    key = token_value(token, "byte-ordered")
    assert isinstance(key, bytes)
    return key


async def first_key(
    cluster: Cluster, keyspace: str, table: str, start: str, end: str, consistency: Consistency
) -> bytes | None:
    """Of the range (start, end] in token order, which must not wrap; None if it holds nothing."""
    pages = cluster.scan(keyspace, table, start, end, consistency=consistency, page_size=1)
    async with aclosing(pages):  # type: ignore[type-var]
        async for page in pages:
            return page[0].key
    return None
