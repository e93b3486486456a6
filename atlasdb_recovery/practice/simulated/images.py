"""A keyspace as it is on every replica, held in memory: a backup tool's work without its files."""

import msgspec

from atlasdb_recovery.practice.simulated.schema import SimulatedKeyspace, SimulatedTable
from atlasdb_recovery.practice.simulated.servers import SimulatedServers
from atlasdb_recovery.practice.simulated.storage import Position, Version


class KeyspaceImage(msgspec.Struct, frozen=True):
    """What each replica held of each table: cells by address and table name."""

    keyspace: SimulatedKeyspace
    cells: dict[str, dict[str, dict[Position, Version]]]


def take_image(servers: SimulatedServers, keyspace: str) -> KeyspaceImage:
    """As a snapshot on every node at one moment; nodes that are down included."""
    space = servers.space(keyspace)
    return KeyspaceImage(
        keyspace=_copy(space),
        cells={
            address: {name: dict(node.store(table.id).cells) for name, table in space.tables.items()}
            for address, node in servers.nodes.items()
        },
    )


def load_image(servers: SimulatedServers, image: KeyspaceImage, *, old_ids: bool = False) -> None:
    """Create the keyspace again and give every replica its rows back, each with its write time.

    With `old_ids` the tables come back under the ids they had, and inherit what `system.paxos` still holds of them.
    """
    space = _copy(image.keyspace)
    if not old_ids:
        for table in space.tables.values():
            table.id = servers.time_id()
    servers.keyspaces[space.name] = space
    servers.schema_changed()
    for address, tables in image.cells.items():
        for name, cells in tables.items():
            store = servers.nodes[address].store(space.tables[name].id)
            for position, version in cells.items():
                store.merge(position, version)


def _copy(space: SimulatedKeyspace) -> SimulatedKeyspace:
    return SimulatedKeyspace(
        name=space.name,
        replication=dict(space.replication),
        durable_writes=space.durable_writes,
        tables={
            name: SimulatedTable(name=name, id=table.id, options=table.options) for name, table in space.tables.items()
        },
    )
