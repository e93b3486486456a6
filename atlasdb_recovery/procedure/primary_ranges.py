"""The token ranges of the ring by the node whose `--partitioner-range` covers them, and who replicates them."""

from collections.abc import Iterable, Mapping, Sequence

from atlasdb_recovery.cassandra.ports import TokenRange
from atlasdb_recovery.cassandra.repair_ranges import Range
from atlasdb_recovery.cassandra.repair_schedule import disjoint_batches


def primary_ranges(ring: Iterable[TokenRange]) -> dict[str, frozenset[Range]]:
    """Address to the ranges whose first replica it is, by address; a node that is first of none is left out."""
    by_node: dict[str, set[Range]] = {}
    for span in ring:
        if span.replicas:
            by_node.setdefault(span.replicas[0], set()).add((span.start, span.end))
    return {node: frozenset(spans) for node, spans in sorted(by_node.items())}


def repair_batches(
    ranges: Mapping[str, frozenset[Range]], ring: Sequence[TokenRange], *, parallel: bool
) -> list[list[str]]:
    """Nodes whose repairs of these ranges may run together; one by one unless `parallel`."""
    if not parallel:
        return [[node] for node in ranges]
    replicas = {(span.start, span.end): span.replicas for span in ring}
    return disjoint_batches(
        {node: frozenset(each for span in spans for each in replicas[span]) for node, spans in ranges.items()}
    )
