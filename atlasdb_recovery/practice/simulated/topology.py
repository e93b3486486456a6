"""The ring: whose token a key falls to, and which nodes replicate it.

Byte-ordered: a row's token is its key. Tokens are bytes here and hex text in the ports; the minimum token is "".
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

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


def even_tokens(nodes: int) -> tuple[bytes, ...]:
    """One token a node, evenly over the first byte, from 00."""
    return tuple(bytes([256 * index // nodes]) for index in range(nodes))


class Ring:
    """The ring under one keyspace's replication."""

    def __init__(self, places: Sequence[Place], replication: Mapping[str, str]) -> None:
        owners = sorted((token, place) for place in places for token in place.tokens)
        self._tokens = [token for token, _ in owners]
        self._places = [place for _, place in owners]
        self._replicas = [self._replicas_of(at, replication) for at in range(len(owners))]

    def replicas(self, key: bytes) -> tuple[str, ...]:
        """Addresses, the primary first."""
        return self._replicas[bisect_left(self._tokens, key) % len(self._tokens)]

    def ranges(self) -> tuple[TokenRange, ...]:
        """Every range in ring order; the first ends at the lowest token and may wrap around."""
        return tuple(
            TokenRange(start=self._tokens[at - 1].hex(), end=token.hex(), replicas=self._replicas[at])
            for at, token in enumerate(self._tokens)
        )

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
        for token, replicas in zip(self._tokens, self._replicas, strict=True):
            if token <= after:
                continue
            if end is not None and token >= end:
                yield Segment(after, end, replicas)
                return
            yield Segment(after, token, replicas)
            after = token
        yield Segment(after, end, self._replicas[0])

    def _replicas_of(self, at: int, replication: Mapping[str, str]) -> tuple[str, ...]:
        clockwise = dict.fromkeys(self._places[at:] + self._places[:at])
        if not replication["class"].endswith("NetworkTopologyStrategy"):
            factor = int(replication.get("replication_factor", "1"))
            return tuple(place.address for place in clockwise)[:factor]
        wanted = {name: int(factor) for name, factor in replication.items() if name != "class"}
        chosen = {
            place.address
            for name, factor in wanted.items()
            for place in _in_distinct_racks([p for p in clockwise if p.data_center == name], factor)
        }
        return tuple(place.address for place in clockwise if place.address in chosen)


def _in_distinct_racks(clockwise: Sequence[Place], factor: int) -> list[Place]:
    """As `NetworkTopologyStrategy`: a rack is used again only when every rack has its replica."""
    racks: set[str] = set()
    first: list[Place] = []
    later: list[Place] = []
    for place in clockwise:
        (later if place.rack in racks else first).append(place)
        racks.add(place.rack)
    return (first + later)[:factor]
