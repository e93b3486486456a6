"""Reads and plain writes across replicas: who must answer, which version wins, what a read repairs."""

from collections.abc import Iterator, Sequence

from atlasdb_recovery.cassandra.ports import Cell, Consistency, NotEnoughReplicas
from atlasdb_recovery.practice.simulated.node import SimulatedNode
from atlasdb_recovery.practice.simulated.servers import SimulatedServers
from atlasdb_recovery.practice.simulated.storage import Position, Version
from atlasdb_recovery.practice.simulated.topology import Segment

ValueRange = tuple[bytes, bytes]


class Coordinator:
    """The read and write paths of the simulated servers (`StorageProxy`). There are no hints."""

    def __init__(self, servers: SimulatedServers) -> None:
        self._servers = servers

    def contacted(
        self, replicas: Sequence[str], consistency: Consistency, coordinator: SimulatedNode
    ) -> list[SimulatedNode]:
        """As many live replicas as the level wants, the coordinator first. Raises `NotEnoughReplicas`."""
        nodes = self._servers.nodes
        up = [node for address in replicas if (node := nodes[address]).up]
        needed = required(consistency, len(replicas))
        if len(up) < needed:
            down = ", ".join(address for address in replicas if not nodes[address].up)
            raise NotEnoughReplicas(
                f"{consistency} needs {needed} replicas and {len(up)} are alive (down: {down}). "
                "Bring the nodes up, then read again before deciding."
            )
        if coordinator in up:
            up.remove(coordinator)
            up.insert(0, coordinator)
        return up[:needed]

    def write(
        self, keyspace: str, table_id: str, position: Position, version: Version, consistency: Consistency
    ) -> None:
        """Send it to every live replica. Raises `NotEnoughReplicas` before writing, or after too few took it."""
        replicas = self._servers.ring(keyspace).replicas(position[0])
        self.contacted(replicas, consistency, self._servers.coordinator())
        taken = self.spread(replicas, table_id, position, version)
        if taken < (needed := required(consistency, len(replicas))):
            raise NotEnoughReplicas(
                f"{consistency} needs {needed} replicas and {taken} answered in time: the write is on some of them. "
                "Read again before deciding."
            )

    def spread(self, replicas: Sequence[str], table_id: str, position: Position, version: Version) -> int:
        """How many replicas took the mutation."""
        taken = 0
        for address in replicas:
            node = self._servers.nodes[address]
            if node.up and not self._loses(address):
                node.store(table_id).apply(position, version)
                taken += 1
        return taken

    def read(
        self, table_id: str, position: Position, nodes: Sequence[SimulatedNode], *, at_all: bool = False
    ) -> Version | None:
        """The winning version among these replicas, tombstones included; those that lack it are repaired.

        At ALL the answer waits for every one of them: raises `NotEnoughReplicas` when such a repair is lost.
        """
        versions = [node.store(table_id).cells.get(position) for node in nodes]
        found = [version for version in versions if version is not None]
        if not found:
            return None
        winner = max(found)
        for node, version in zip(nodes, versions, strict=True):
            if version == winner:
                continue
            if not self._loses(node.address):
                node.store(table_id).apply(position, winner)
            elif at_all:
                raise NotEnoughReplicas(f"{node.address} did not take the read's repair in time (simulated).")
        return winner

    def partition(self, table_id: str, key: bytes, nodes: Sequence[SimulatedNode], *, at_all: bool) -> tuple[Cell, ...]:
        positions = sorted({position for node in nodes for position in node.store(table_id).partition(key)})
        return tuple(
            cell_of(position, version)
            for position in positions
            if (version := self.read(table_id, position, nodes, at_all=at_all)) is not None and not version[1]
        )

    def live_cells(
        self, table_id: str, segment: Segment, nodes: Sequence[SimulatedNode], beyond: Position | None, *, at_all: bool
    ) -> Iterator[Cell]:
        """The segment's live cells after `beyond`, in token order."""
        positions = _merged([node.store(table_id).between(segment.after, segment.until, beyond) for node in nodes])
        if len(nodes) == 1:
            cells = nodes[0].store(table_id).cells
            for position in positions:
                version = cells[position]
                if not version[1]:
                    yield cell_of(position, version)
            return
        for position in positions:
            winner = self.read(table_id, position, nodes, at_all=at_all)
            if winner is not None and not winner[1]:
                yield cell_of(position, winner)

    def _loses(self, address: str) -> bool:
        faults = self._servers.faults
        return address in faults.lossy or (faults.loss > 0 and self._servers.random.random() < faults.loss)


def required(consistency: Consistency, factor: int) -> int:
    if consistency is Consistency.ONE:
        return 1
    return factor if consistency is Consistency.ALL else factor // 2 + 1


def cell_of(position: Position, version: Version) -> Cell:
    return Cell(position[0], position[1], position[2], version[3], version[0])


def _merged(lists: Sequence[list[Position]]) -> list[Position]:
    first = lists[0]
    if all(other == first for other in lists[1:]):
        return first
    return sorted({position for one in lists for position in one})
