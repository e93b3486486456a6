"""After a store's restore: wait until the cluster is still, then note what must not change until the end."""

from typing import Any

from atlasdb_recovery.cassandra.ports import ClusterUnreachable, NotEnoughReplicas
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.step import StepFailure

SETTLES_WITHIN = 60.0
LOOKED_EVERY = 1.0


async def wait_until_settled(context: Context) -> None:
    """Up to a minute for every node to answer and all to have one schema version; raises StepFailure otherwise."""
    deadline = context.seconds_now() + SETTLES_WITHIN
    while True:
        unsettled = await _unsettled(context)
        if not unsettled:
            return
        if context.seconds_now() >= deadline:
            raise StepFailure(
                f"the cluster did not settle within {SETTLES_WITHIN:.0f} seconds after the store was restored",
                evidence=(unsettled,),
                remedy="Start the nodes that are down and wait for one schema version, then resume.",
            )
        await context.wait(LOOKED_EVERY)


async def _unsettled(context: Context) -> str:
    try:
        identity = await context.cluster.identity()
        versions = {node.address: (await context.cluster.node(node.address)).schema_version for node in identity.nodes}
    except (ClusterUnreachable, NotEnoughReplicas) as error:
        return str(error)
    if len(set(versions.values())) > 1:
        return "schema versions differ: " + ", ".join(f"{a} {v}" for a, v in sorted(versions.items()))
    return ""


async def tables_baseline(context: Context) -> dict[str, Any]:
    """Table ids, and per node its schema version and truncations: what a repair must find unchanged."""
    keyspace = await context.cluster.keyspace(context.keyspace)
    tables = {} if keyspace is None else {name: table.id for name, table in sorted(keyspace.tables.items())}
    nodes = {}
    for node in sorted((await context.cluster.identity()).nodes, key=lambda n: n.address):
        seen = await context.cluster.node(node.address)
        truncated = await context.cluster.truncations(node.address)
        ours = {table_id: when for table_id, when in sorted(truncated.items()) if table_id in tables.values()}
        nodes[node.address] = {"schema_version": seen.schema_version, "truncated_at": ours}
    return {"ids": tables, "nodes": nodes}
