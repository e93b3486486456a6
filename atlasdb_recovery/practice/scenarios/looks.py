"""What an operator would see in cqlsh, with CONSISTENCY ONE, on one node."""

from collections.abc import Mapping

from atlasdb_recovery.atlas.schema_ranges import SchemaMap
from atlasdb_recovery.practice import oracle
from atlasdb_recovery.practice.scenarios.world import World


async def committed_on(world: World, schema_map: SchemaMap, address: str) -> Mapping[int, int]:
    """Start to commit timestamp of every transaction that this node's own rows show as committed."""
    return await oracle.commits_on(world.nodes.cluster, world.keyspace, schema_map, address)


async def committed_after_backup(world: World, address: str) -> int:
    """How many transactions committed after B this node's own rows show; 0 where the tables are not there."""
    if await world.nodes.cluster.keyspace(world.keyspace) is None:
        return 0
    commits = await committed_on(world, world.exercise.writer.schema_map, address)
    return sum(commit > world.backup_timestamp for commit in commits.values())
