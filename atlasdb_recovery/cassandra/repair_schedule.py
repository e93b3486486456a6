"""Which nodes may be repaired at the same time."""

from collections.abc import Mapping


def disjoint_batches(nodes_to_replica_sets: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Batches of nodes whose repairs touch no replica in common; every node is in exactly one batch.

    Takes each node with all replicas of the ranges that its repair covers. The same cluster always gives the same
    batches: nodes in order of their names, each in the first batch that it fits.
    """
    batches: list[list[str]] = []
    touched: list[set[str]] = []
    for node, replicas in sorted(nodes_to_replica_sets.items()):
        own = replicas | {node}
        at = next((at for at, others in enumerate(touched) if not others & own), len(batches))
        if at == len(batches):
            batches.append([])
            touched.append(set())
        batches[at].append(node)
        touched[at] |= own
    return batches
