"""Which nodes replicate which range, from the nodes' tokens and the keyspace's replication alone.

One way for every partitioner, AtlasDB's own included, for which the driver has no token map. Must agree with
`SimpleStrategy` and `NetworkTopologyStrategy` (`calculateNaturalReplicas`, 2.2: `calculateNaturalEndpoints`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from atlasdb_recovery.cassandra.ports import Node, TokenRange
from atlasdb_recovery.cassandra.ring import token_value

Replicas = Callable[[Sequence[Node]], Sequence[str]]
"""From the nodes as they are met along the ring, each once, to the addresses of the replicas."""


def placed_ranges(nodes: Sequence[Node], replication: Mapping[str, str], family: str) -> tuple[TokenRange, ...] | None:
    """Every range of the ring with its replicas, the primary first; None for a strategy that is not known here.

    The primary is the replica met first along the ring: the one that `repair -pr` counts the range for.
    """
    replicas = _strategy(nodes, replication)
    if replicas is None:
        return None
    owners = sorted(
        ((token, node) for node in nodes for token in node.tokens), key=lambda owned: token_value(owned[0], family)
    )
    found = []
    for index, (token, _) in enumerate(owners):
        along = list(_once_each(node for _, node in (*owners[index:], *owners[:index])))
        chosen = set(replicas(along))
        ordered = tuple(node.address for node in along if node.address in chosen)
        found.append(TokenRange(owners[index - 1][0], token, ordered))
    return tuple(found)


def _strategy(nodes: Sequence[Node], replication: Mapping[str, str]) -> Replicas | None:
    name = replication.get("class", "").rpartition(".")[2]
    factors = {key: value for key, value in replication.items() if key != "class"}
    if not all(value.isdecimal() for value in factors.values()):
        return None
    if name == "SimpleStrategy" and set(factors) == {"replication_factor"}:
        factor = int(factors["replication_factor"])
        return lambda along: [node.address for node in along[:factor]]
    if name == "NetworkTopologyStrategy":
        members = [node for node in nodes if node.tokens]
        by_center = {center: int(factor) for center, factor in factors.items()}
        return lambda along: _across_racks(along, by_center, members)
    return None


def _across_racks(along: Sequence[Node], factors: Mapping[str, int], members: Sequence[Node]) -> list[str]:
    """In each data centre as many nodes as its factor, from as many racks as there are; then from any."""
    racks = Counter(center for center, _ in {(node.data_center, node.rack) for node in members})
    found = []
    for center, factor in factors.items():
        repeats_left, left, seen = factor - racks[center], factor, set[str]()
        for node in along:
            if left == 0:
                break
            if node.data_center != center:
                continue
            if node.rack in seen:
                if repeats_left <= 0:
                    continue
                repeats_left -= 1
            seen.add(node.rack)
            found.append(node.address)
            left -= 1
    return found


def _once_each(nodes: Iterator[Node]) -> Iterator[Node]:
    met = set[str]()
    for node in nodes:
        if node.address not in met:
            met.add(node.address)
            yield node
