"""The ring: whose token a key falls to, and which nodes replicate it.

Byte-ordered: a row's token is its key. Tokens are bytes here and hex text in the ports; the minimum token is "".
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from atlasdb_recovery.cassandra.ports import TokenRange


class Place(msgspec.Struct, frozen=True):
    """Where a node sits: what replication strategies look at."""

    address: str
    data_center: str
    rack: str
    tokens: tuple[bytes, ...]


class Segment(msgspec.Struct, frozen=True):
    """Keys above `after` and not above `until` (None: to the end), all on the same replicas. Never wraps."""

    after: bytes
    until: bytes | None
    replicas: tuple[str, ...]


def even_tokens(count: int) -> tuple[bytes, ...]:
    """Tokens evenly over the first byte, from 00; over as many bytes as it takes to tell them apart."""
    size = max(1, ((count - 1).bit_length() + 7) // 8)
    return tuple((256**size * index // count).to_bytes(size) for index in range(count))


class Ring:
    """The ring under one keyspace's replication."""

    def __init__(self, places: Sequence[Place], replication: Mapping[str, str]) -> None:
        owners = sorted((token, place) for place in places for token in place.tokens)
        self._tokens = [token for token, _ in owners]
        self._places = [place for _, place in owners]
        self._racks = Counter(center for center, _ in {(place.data_center, place.rack) for place in places})
        self._replicas = [self._replicas_of(at, replication) for at in range(len(owners))]
        self._ranges = tuple(
            TokenRange(start=self._tokens[at - 1].hex(), end=token.hex(), replicas=self._replicas[at])
            for at, token in enumerate(self._tokens)
        )

    def replicas(self, key: bytes) -> tuple[str, ...]:
        """Addresses, the primary first."""
        return self._replicas[bisect_left(self._tokens, key) % len(self._tokens)]

    def ranges(self) -> tuple[TokenRange, ...]:
        """Every range in ring order; the first ends at the lowest token and may wrap around."""
        return self._ranges

    def segments(self, start: bytes, end: bytes) -> Iterator[Segment]:
        """The pieces of (start, end] in token order from `start` on; (x, x] is the whole ring, an empty end its end."""
        if not end:
            yield from self._straight(start, None)
        elif start < end:
            yield from self._straight(start, end)
        else:
            yield from self._straight(start, None)
            yield from self._straight(b"", end)

    def _straight(self, start: bytes, end: bytes | None) -> Iterator[Segment]:
        after = start
        for at in range(bisect_right(self._tokens, start), len(self._tokens)):
            token, replicas = self._tokens[at], self._replicas[at]
            if end is not None and token >= end:
                yield Segment(after, end, replicas)
                return
            yield Segment(after, token, replicas)
            after = token
        yield Segment(after, end, self._replicas[0])

    def _replicas_of(self, at: int, replication: Mapping[str, str]) -> tuple[str, ...]:
        if not replication["class"].endswith("NetworkTopologyStrategy"):
            factor = int(replication.get("replication_factor", "1"))
            return tuple(place.address for place in islice(self._clockwise(at), factor))
        wanted = {name: int(factor) for name, factor in replication.items() if name != "class"}
        chosen = {
            place.address
            for name, factor in wanted.items()
            for place in _in_distinct_racks(
                (place for place in self._clockwise(at) if place.data_center == name), factor, self._racks[name]
            )
        }
        return tuple(islice((p.address for p in self._clockwise(at) if p.address in chosen), len(chosen)))

    def _clockwise(self, at: int) -> Iterator[Place]:
        """Every place once, as they are met from this token on."""
        met = set[str]()
        for step in range(len(self._places)):
            place = self._places[(at + step) % len(self._places)]
            if place.address not in met:
                met.add(place.address)
                yield place


def _in_distinct_racks(clockwise: Iterable[Place], factor: int, racks: int) -> list[Place]:
    """As `NetworkTopologyStrategy`: a rack is used again only when every rack has its replica."""
    seen: set[str] = set()
    first: list[Place] = []
    later: list[Place] = []
    for place in clockwise:
        (later if place.rack in seen else first).append(place)
        seen.add(place.rack)
        if len(first) == factor or (len(seen) == racks and len(first) + len(later) >= factor):
            break
    return (first + later)[:factor]
