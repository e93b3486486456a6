"""What the transactions tables of a simulated cluster hold."""

from atlasdb_recovery.atlas.transactions import TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.practice.simulated import SimulatedCluster
from atlasdb_recovery.practice.simulated.storage import Position, Version
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from tests.restore.arena import Arena


def winning_cells(cluster: SimulatedCluster, keyspace: str, table: str) -> dict[Position, Version]:
    """The version of each cell that a read at ALL would show, tombstones included; looks without reading."""
    found: dict[Position, Version] = {}
    table_id = cluster.table(keyspace, table).id
    for node in cluster.nodes.values():
        for position, version in node.store(table_id).cells.items():
            found[position] = max(version, found.get(position, version))
    return found


def transactions_of(arena: Arena) -> dict[str, dict[Position, Version]]:
    """Both tables."""
    assert isinstance(arena.nodes, SimulatedPractice)
    cluster = arena.nodes.simulated
    return {name: winning_cells(cluster, arena.exercise.keyspace, name) for name in (TRANSACTIONS, TRANSACTIONS2)}
