"""Which nodes replicate which range, from the nodes' tokens and the keyspace's replication alone.

One way for every partitioner, AtlasDB's own included, for which the driver has no token map. Must agree with
`SimpleStrategy` and `NetworkTopologyStrategy` (`calculateNaturalReplicas`, 2.2: `calculateNaturalEndpoints`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from atlasdb_recovery.cassandra.ports import Node, TokenRange
from atlasdb_recovery.cassandra.ring import token_value

Replicas = Callable[[Iterator[Node]], Iterable[str]]
"""From the nodes as they are met along the ring, each once, to the addresses of the replicas, in that order."""


def placed_ranges(nodes: Sequence[Node], replication: Mapping[str, str], family: str) -> tuple[TokenRange, ...] | None:
    """Every range of the ring with its replicas, the primary first; None for a strategy that is not known here.

    The primary is the replica met first along the ring: the one that `repair -pr` counts the range for.
    """
    replicas = _strategy(nodes, replication)
    if replicas is None:
        return None
    owned = sorted(
        ((token, node) for node in nodes for token in node.tokens), key=lambda each: token_value(each[0], family)
    )
    owners = [node for _, node in owned]
    members = len({node.address for node in owners})
    return tuple(
        TokenRange(owned[index - 1][0], token, tuple(replicas(_each_once(owners, index, members))))
        for index, (token, _) in enumerate(owned)
    )


def _strategy(nodes: Sequence[Node], replication: Mapping[str, str]) -> Replicas | None:
    name = replication.get("class", "").rpartition(".")[2]
    factors = {key: value for key, value in replication.items() if key != "class"}
    if not all(value.isdecimal() for value in factors.values()):
        return None
    if name == "SimpleStrategy" and set(factors) == {"replication_factor"}:
        factor = int(factors["replication_factor"])
        return lambda along: (node.address for node in islice(along, factor))
    if name == "NetworkTopologyStrategy":
        by_center = {center: int(factor) for center, factor in factors.items()}
        racks = Counter(center for center, _ in {(node.data_center, node.rack) for node in nodes if node.tokens})
        return lambda along: _across_racks(along, by_center, racks)
    return None


def _across_racks(along: Iterator[Node], factors: Mapping[str, int], racks: Mapping[str, int]) -> Iterator[str]:
    """In each data centre as many nodes as its factor, from as many racks as there are; then from any."""
    left = {center: factor for center, factor in factors.items() if factor}
    repeats_left = {center: factor - racks[center] for center, factor in factors.items()}
    seen = set[tuple[str, str]]()
    for node in along if left else ():
        center, place = node.data_center, (node.data_center, node.rack)
        if center not in left:
            continue
        if place in seen:
            if repeats_left[center] <= 0:
                continue
            repeats_left[center] -= 1
        seen.add(place)
        yield node.address
        left[center] -= 1
        if not left[center]:
            del left[center]
            if not left:
                return


def _each_once(owners: Sequence[Node], start: int, members: int) -> Iterator[Node]:
    met = set[str]()
    for step in range(len(owners)):
        node = owners[(start + step) % len(owners)]
        if node.address not in met:
            met.add(node.address)
            yield node
            if len(met) == members:
                return
