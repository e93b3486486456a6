"""What a repair costs its coordinator: bytes of each table to read, and those that go over the wire."""

from atlasdb_recovery.cassandra.ports import TokenRange
from atlasdb_recovery.practice.simulated.node import RepairTask, SimulatedNode
from atlasdb_recovery.practice.simulated.repair_plan import RepairPlan
from atlasdb_recovery.practice.simulated.servers import SimulatedServers

CELL_BYTES = 50


class RepairShares:
    """One task for each table of a repair command, as far as it has come."""

    def __init__(
        self, servers: SimulatedServers, node: SimulatedNode, keyspace: str, number: int, plan: RepairPlan
    ) -> None:
        ring = servers.ring(keyspace)
        self._sizes: dict[TokenRange, list[int]] = {}
        for one in plan.ranges:
            pieces = list(ring.segments(bytes.fromhex(one.start), bytes.fromhex(one.end)))
            self._sizes[one] = [
                CELL_BYTES * sum(len(node.store(table_id).between(piece.after, piece.until)) for piece in pieces)
                for table_id in plan.table_ids
            ]
        totals = [sum(sizes[at] for sizes in self._sizes.values()) for at in range(len(plan.tables))]
        self._tasks = [
            RepairTask(servers.time_id(node), number, keyspace, table, servers.wall.time(), total)
            for table, total in zip(plan.tables, totals, strict=True)
        ]
        node.repair_tasks += self._tasks

    def range_ended(self, one: TokenRange, cells_streamed: int) -> None:
        for task, size in zip(self._tasks, self._sizes[one], strict=True):
            task.validated += size
        if self._tasks:
            self._tasks[0].streamed += CELL_BYTES * cells_streamed
