"""Sessions to the simulated servers: the `Cluster` protocol, and the servers' own script."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from atlasdb_recovery.atlas.names import TIMESTAMP
from atlasdb_recovery.atlas.timestamp_bound import ALLOCATION_BUFFER, BOUND_POSITION, encode
from atlasdb_recovery.cassandra.ports import (
    CasOutcome,
    Cell,
    Clients,
    ClusterIdentity,
    Consistency,
    Keyspace,
    Node,
    NodeClock,
    RepairRecord,
    RepairWork,
    StatementRefused,
    TokenRange,
)
from atlasdb_recovery.practice.simulated.coordinator import Coordinator, cell_of
from atlasdb_recovery.practice.simulated.ddl import run_statement
from atlasdb_recovery.practice.simulated.node import SimulatedNode
from atlasdb_recovery.practice.simulated.paxos import Paxos
from atlasdb_recovery.practice.simulated.servers import SimulatedServers
from atlasdb_recovery.practice.simulated.storage import deleted, written

ROUND_TRIP = 0.000_5


class SimulatedCluster(SimulatedServers):
    """The servers and a session to them in one. Unknown keyspaces and tables raise `StatementRefused`."""

    def __init__(self, **servers: Any) -> None:
        super().__init__(**servers)
        self._coordinator = Coordinator(self)
        self._paxos = Paxos(self, self._coordinator)

    async def identity(self) -> ClusterIdentity:
        self.faults.reached("identity")
        self.request(self.coordinator())
        return ClusterIdentity(
            cluster_name=self.name,
            partitioner=self.partitioner,
            nodes=tuple(self._described(node) for node in self.nodes.values()),
        )

    async def node(self, address: str) -> Node:
        node = self.coordinator(address)
        self.request(node)
        return self._described(node)

    async def peers(self, address: str) -> tuple[Node, ...]:
        self.request(self.coordinator(address))
        return tuple(self._described(node) for node in self.nodes.values() if node.address != address)

    async def clock(self, address: str) -> NodeClock:
        node = self.coordinator(address)
        self.request(node)
        return NodeClock(node=address, offset=node.skew, uncertainty=ROUND_TRIP / 2)

    async def keyspace(self, name: str) -> Keyspace | None:
        self.faults.reached("keyspace")
        self.request(self.coordinator())
        space = self.keyspaces.get(name)
        return None if space is None else space.described()

    async def ranges(self, keyspace: str) -> tuple[TokenRange, ...]:
        self.request(self.coordinator())
        return self.ring(keyspace).ranges()

    async def filters_by_value(self) -> bool:
        return self.dialect.filters_by_value

    async def scan(
        self,
        keyspace: str,
        table: str,
        start: str,
        end: str,
        *,
        consistency: Consistency,
        page_size: int,
        value_between: tuple[bytes, bytes] | None = None,
        node: str | None = None,
    ) -> AsyncIterator[Sequence[Cell]]:
        if value_between is not None and not self.dialect.filters_by_value:
            raise StatementRefused("Predicates on non-primary-key columns are not yet supported")
        table_id, at_all = self.table(keyspace, table).id, consistency is Consistency.ALL
        page: list[Cell] = []
        for segment in self.ring(keyspace).segments(bytes.fromhex(start), bytes.fromhex(end)):
            beyond = None
            going_on = True
            while going_on:
                going_on = False
                nodes = self._answering("scan", segment.replicas, consistency, node)
                for cell in self._coordinator.live_cells(table_id, segment, nodes, beyond, at_all=at_all):
                    beyond = cell.position
                    if value_between is not None and not value_between[0] < cell.value < value_between[1]:
                        continue
                    page.append(cell)
                    if len(page) == page_size:
                        going_on = True
                        break
                if going_on:
                    yield page
                    page = []
                    self._still(keyspace, table, table_id)
        if page:
            yield page

    async def read(
        self, keyspace: str, table: str, position: tuple[bytes, bytes, int], *, consistency: Consistency
    ) -> Cell | None:
        table_id = self.table(keyspace, table).id
        nodes = self._answering("read", self.ring(keyspace).replicas(position[0]), consistency, None)
        if consistency is Consistency.SERIAL:
            nodes = self._paxos.serial_participants(keyspace, table_id, position[0])
        version = self._coordinator.read(table_id, position, nodes, at_all=consistency is Consistency.ALL)
        return None if version is None or version[1] else cell_of(position, version)

    async def read_partition(
        self, keyspace: str, table: str, key: bytes, *, consistency: Consistency, node: str | None = None
    ) -> tuple[Cell, ...]:
        table_id = self.table(keyspace, table).id
        nodes = self._answering("read_partition", self.ring(keyspace).replicas(key), consistency, node)
        if consistency is Consistency.SERIAL:
            nodes = self._paxos.serial_participants(keyspace, table_id, key)
        return self._coordinator.partition(table_id, key, nodes, at_all=consistency is Consistency.ALL)

    async def put(self, keyspace: str, table: str, cell: Cell, *, consistency: Consistency) -> None:
        if cell.write_time is None:
            raise ValueError("A plain write needs its write time.")
        table_id = self._requested("put", keyspace, table)
        version = written(cell.write_time, cell.value, signed=self.dialect.compares_signed)
        self._coordinator.write(keyspace, table_id, cell.position, version, consistency)

    async def delete(
        self,
        keyspace: str,
        table: str,
        position: tuple[bytes, bytes, int],
        *,
        write_time: int,
        consistency: Consistency,
    ) -> None:
        table_id = self._requested("delete", keyspace, table)
        self._coordinator.write(keyspace, table_id, position, deleted(write_time), consistency)

    async def try_to_write(self, keyspace: str, table: str) -> None:
        self._requested("try_to_write", keyspace, table)

    async def put_unless_exists(
        self,
        keyspace: str,
        table: str,
        position: tuple[bytes, bytes, int],
        value: bytes,
        *,
        commit: Consistency = Consistency.ALL,
    ) -> CasOutcome:
        table_id = self._requested("put_unless_exists", keyspace, table)
        return self._paxos.compare_and_set(keyspace, table_id, position, lambda now: now is None, value, commit)

    async def check_and_set(
        self,
        keyspace: str,
        table: str,
        position: tuple[bytes, bytes, int],
        expected: bytes,
        value: bytes,
        *,
        commit: Consistency = Consistency.ALL,
    ) -> CasOutcome:
        table_id = self._requested("check_and_set", keyspace, table)
        return self._paxos.compare_and_set(keyspace, table_id, position, lambda now: now == expected, value, commit)

    async def clients(self, address: str) -> Clients:
        node = self.coordinator(address)
        self.request(node)
        if not self.dialect.lists_clients:
            return Clients(node=address, can_tell=False, others=(), how="this version cannot list its clients")
        others = tuple(connected.client for connected in node.ready_clients())
        return Clients(node=address, can_tell=True, others=others, how="system_views.clients")

    async def paxos_rows(self, address: str, table_ids: frozenset[str]) -> int:
        node = self.coordinator(address)
        self.request(node)
        return sum(table_id in table_ids for table_id, _ in node.paxos)

    async def pending_hints(self, address: str) -> int:
        node = self.coordinator(address)
        self.request(node)
        return node.hints

    async def truncations(self, address: str) -> Mapping[str, str]:
        node = self.coordinator(address)
        self.request(node)
        return dict(node.truncated_at)

    async def repairs(self, keyspace: str, table: str, since: float) -> tuple[RepairRecord, ...]:
        self.request(self.coordinator())
        return tuple(
            record
            for record in self.history
            if record.keyspace == keyspace and table in record.tables and record.started_at >= since
        )

    async def repair_work(self, address: str, since: float) -> RepairWork | None:
        node = self.coordinator(address)
        self.request(node)
        if not self.dialect.has_repair_views:
            return None
        tasks = [task for task in node.repair_tasks if task.began >= since]
        streamed = sum(task.streamed for task in tasks)
        return RepairWork(
            validated=sum(task.validated for task in tasks),
            to_validate=sum(task.total for task in tasks),
            streamed=streamed,
            to_stream=streamed,
        )

    async def change_schema(self, statement: str) -> None:
        self.faults.reached("change_schema")
        self.request(self.coordinator())
        run_statement(self, statement)

    async def close(self) -> None:
        """Nothing to close: the servers go on."""

    def raise_bound(self, keyspace: str, by: int = ALLOCATION_BUFFER + 1) -> None:
        """Another timestamp service takes its next allocation: the stored bound rises under everyone's hand."""
        table_id = self.table(keyspace, TIMESTAMP).id
        nodes = [node for node in self.nodes.values() if node.up]
        version = self._coordinator.read(table_id, BOUND_POSITION, nodes)
        bound = int.from_bytes(version[3]) if version is not None else 0
        self._paxos.compare_and_set(
            keyspace, table_id, BOUND_POSITION, lambda _: True, encode(bound + by), Consistency.QUORUM
        )

    def _described(self, node: SimulatedNode) -> Node:
        return Node(
            address=node.address,
            host_id=node.host_id,
            data_center=node.place.data_center,
            rack=node.place.rack,
            tokens=tuple(token.hex() for token in node.place.tokens),
            release_version=self.dialect.release_version,
            schema_version=self.schema_version_of(node),
        )

    def _requested(self, point: str, keyspace: str, table: str) -> str:
        """The table's id, after the fault that waits at this point, if any."""
        self.faults.reached(point)
        self.request(self.coordinator())
        table_id = self.table(keyspace, table).id
        if table in self.faults.read_only:
            raise StatementRefused(f"User recovery has no MODIFY permission on <table {keyspace}.{table}>")
        return table_id

    def _answering(
        self, point: str, replicas: Sequence[str], consistency: Consistency, pinned: str | None
    ) -> list[SimulatedNode]:
        self.faults.reached(point)
        coordinator = self.coordinator(pinned)
        self.request(coordinator)
        return self._coordinator.contacted(replicas, consistency, coordinator)

    def _still(self, keyspace: str, table: str, table_id: str) -> None:
        if self.table(keyspace, table).id != table_id:
            raise StatementRefused(f"unconfigured table {table}")
