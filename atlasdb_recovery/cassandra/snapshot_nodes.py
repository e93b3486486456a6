"""Which present node gets which backed-up node's files: the one that owns exactly the same tokens."""

from collections.abc import Mapping, Sequence

from atlasdb_recovery.cassandra.ports import ClusterIdentity, Node
from atlasdb_recovery.cassandra.snapshot_files import NodeSnapshot, SnapshotFailed, StoreCopy, in_words
from atlasdb_recovery.foreign import plain


def matched_nodes(copy: StoreCopy, present: ClusterIdentity) -> Mapping[str, NodeSnapshot]:
    """The backed-up node for each present address. Raises `SnapshotFailed` with what differs.

    Files hold the rows of their node's ranges, so tokens, data centre and rack must be the same; an address or a
    host id may have changed.
    """
    if copy.index.partitioner != present.partitioner:
        raise SnapshotFailed(
            f"The backup is of a cluster with {copy.index.partitioner}, this one has {plain(present.partitioner)}: "
            "its files cannot be used here. Restore into a cluster with the backup's partitioner."
        )
    by_place = {_place(backed_up.node): backed_up for backed_up in copy.nodes}
    matched = {node.address: by_place[_place(node)] for node in present.nodes if _place(node) in by_place}
    taken = {snapshot.node.host_id for snapshot in matched.values()}
    without_files = [node for node in present.nodes if node.address not in matched]
    without_node = [backed_up.node for backed_up in copy.nodes if backed_up.node.host_id not in taken]
    if without_files or without_node or len(taken) != len(matched):
        raise SnapshotFailed(
            "The present nodes do not own the tokens that the backed-up nodes owned, so files copied to them would be "
            f"rows they do not serve. Backed up without a match: {_shown(without_node)}. "
            f"Present without a match: {_shown(without_files)}. "
            "Set initial_token, data centre and rack of the new nodes as they were, or restore with another tool."
        )
    return matched


def _place(node: Node) -> tuple[frozenset[str], str, str]:
    return frozenset(token.lower() for token in node.tokens), node.data_center, node.rack


def _shown(nodes: Sequence[Node]) -> str:
    return in_words(_shown_node(node) for node in nodes) if nodes else "none"


def _shown_node(node: Node) -> str:
    tokens = in_words(sorted(node.tokens), most=3).replace("; ", ", ")
    return plain(f"{node.address} in {node.data_center}/{node.rack} with {len(node.tokens)} tokens ({tokens})")
