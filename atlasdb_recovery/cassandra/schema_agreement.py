"""Waiting until every node that answers has one schema version."""

import asyncio
import time

from atlasdb_recovery.cassandra.node_tables import NodeTables
from atlasdb_recovery.cassandra.ports import ClusterUnreachable, Node, NotEnoughReplicas

AGREES_WITHIN = 60.0
LOOKED_EVERY = 0.1


async def wait_for_agreement(tables: NodeTables, nodes: tuple[Node, ...], within: float = AGREES_WITHIN) -> None:
    """Every node is asked itself; one that does not answer is left out. Raises ClusterUnreachable."""
    deadline = time.monotonic() + within
    while True:
        versions = {node.address: await _version(tables, node.address) for node in nodes}
        known = {address: version for address, version in versions.items() if version is not None}
        if known and len(set(known.values())) == 1:
            return
        if time.monotonic() > deadline:
            said = ", ".join(f"{address} {version or 'does not answer'}" for address, version in versions.items())
            raise ClusterUnreachable(
                f"the nodes did not agree on a schema within {within:.0f} s: {said}. "
                "Look at nodetool describecluster; go on when all agree."
            )
        await asyncio.sleep(LOOKED_EVERY)


async def _version(tables: NodeTables, address: str) -> str | None:
    try:
        return (await tables.local(address)).schema_version
    except (ClusterUnreachable, NotEnoughReplicas):
        return None
