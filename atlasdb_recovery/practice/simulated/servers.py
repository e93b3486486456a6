"""The machines of a simulation: nodes, schema and replication, and the script of what happens to them.

Everything a scenario does to the cluster behind the procedure's back is a method here.
"""

import random
import uuid
from collections.abc import Sequence
from pathlib import Path

from atlasdb_recovery.cassandra.ports import Client, ClusterUnreachable, RepairRecord, StatementRefused
from atlasdb_recovery.practice.simulated.clock import SimulatedClock
from atlasdb_recovery.practice.simulated.dialect import Dialect
from atlasdb_recovery.practice.simulated.faults import Faults
from atlasdb_recovery.practice.simulated.files import DataDirectories
from atlasdb_recovery.practice.simulated.node import ConnectedClient, SimulatedNode, StreamPlan
from atlasdb_recovery.practice.simulated.schema import (
    SimulatedKeyspace,
    SimulatedTable,
    version_of,
)
from atlasdb_recovery.practice.simulated.topology import Place, Ring, even_tokens

PARTITIONER = "org.apache.cassandra.dht.ByteOrderedPartitioner"
REQUEST_SECONDS = 0.000_5
"""How long any one request takes in simulated time, so that write times advance."""
SECONDS_PER_RANGE = 0.4


def places_on_loopback(
    nodes: int, data_center: str = "datacenter1", network: str = "127.0.9", *, tokens: int = 1
) -> tuple[Place, ...]:
    """127.0.9.1, .2, … in one rack, with so many tokens each, dealt out in rounds: after the first, in mixed order."""
    rounds = [range(nodes), *(random.Random(number).sample(range(nodes), nodes) for number in range(1, tokens))]
    dealt: dict[int, list[bytes]] = {index: [] for index in range(nodes)}
    for index, token in zip((index for order in rounds for index in order), even_tokens(nodes * tokens), strict=True):
        dealt[index].append(token)
    return tuple(
        Place(address=f"{network}.{index + 1}", data_center=data_center, rack="rack1", tokens=tuple(own))
        for index, own in dealt.items()
    )


class SimulatedServers:
    """A cluster's servers. Data directories are made when first asked for: under `data_root`, or temporary."""

    def __init__(
        self,
        *,
        nodes: int = 3,
        places: Sequence[Place] | None = None,
        dialect: Dialect = Dialect.APACHE,
        name: str = "practice",
        seed: int = 0,
        clock: SimulatedClock | None = None,
        faults: Faults | None = None,
        data_root: Path | None = None,
        repair_blindness: float | None = None,
    ) -> None:
        self.dialect = dialect
        self.repair_blindness = dialect.repair_blindness if repair_blindness is None else repair_blindness
        self.name = name
        self.partitioner = PARTITIONER
        self.wall = clock or SimulatedClock()
        self.seconds_per_range = SECONDS_PER_RANGE
        """How long a repair takes to make one range agree."""
        self.faults = faults or Faults()
        self.random = random.Random(seed)
        self.keyspaces: dict[str, SimulatedKeyspace] = {}
        self.history: list[RepairRecord] = []
        self.nodes: dict[str, SimulatedNode] = {
            place.address: SimulatedNode(
                place=place,
                host_id=self._random_id(),
                generation=int(self.wall.time()),
                process=self._new_process(),
            )
            for place in places or places_on_loopback(nodes)
        }
        self.in_turns = False
        """Whether requests go to every node that is up, one after the other, as the driver's do; else to the first."""
        self._turn = 0
        self._rings: dict[str, Ring] = {}
        self._schema_version: str | None = None
        self.files = DataDirectories(self, data_root)

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(self.nodes)

    @property
    def data_directories(self) -> dict[str, Path]:
        """Each node's data directory on disk. Asking for them makes them, with a directory for every table."""
        return self.files.directories()

    @property
    def schema_version(self) -> str:
        if self._schema_version is None:
            self._schema_version = version_of(self.keyspaces)
        return self._schema_version

    def schema_version_of(self, node: SimulatedNode) -> str:
        return node.own_schema_version or self.schema_version

    def schema_changed(self) -> None:
        self._schema_version = None
        self._rings.clear()
        self.files.schema_changed()

    def ring(self, keyspace: str) -> Ring:
        found = self._rings.get(keyspace)
        if found is None:
            places = [node.place for node in self.nodes.values()]
            found = self._rings[keyspace] = Ring(places, self.space(keyspace).replication)
        return found

    def space(self, keyspace: str) -> SimulatedKeyspace:
        if (space := self.keyspaces.get(keyspace)) is None:
            raise StatementRefused(f"Keyspace '{keyspace}' does not exist")
        return space

    def table(self, keyspace: str, table: str) -> SimulatedTable:
        if (found := self.space(keyspace).tables.get(table)) is None:
            raise StatementRefused(f"unconfigured table {table}")
        return found

    def coordinator(self, address: str | None = None) -> SimulatedNode:
        """The node that a session talks to: the pinned one, or one that is up. Raises `ClusterUnreachable`."""
        if address is None:
            up = [node for node in self.nodes.values() if node.up]
            if not up:
                raise ClusterUnreachable("No node of the simulated cluster is up. Start one.")
            self._turn += self.in_turns
            return up[self._turn % len(up)]
        node = self.nodes[address]
        if not node.up:
            raise ClusterUnreachable(f"The simulated node {address} is down. Start it, then try again.")
        return node

    def request(self, node: SimulatedNode) -> None:
        """Count a request that this node coordinates, and let its time pass."""
        node.native_requests += 2 if self.dialect is Dialect.PALANTIR else 1
        self.wall.advance(REQUEST_SECONDS)

    def time_id(self, node: SimulatedNode | None = None) -> str:
        """A version 1 UUID of now, as tables, repairs and streams have; it ends with its maker's clock sequence."""
        ticks = self.wall.micros() * 10 + 0x01B21DD213814000
        low, middle, high = ticks & 0xFFFFFFFF, (ticks >> 32) & 0xFFFF, (ticks >> 48) & 0x0FFF
        self.wall.advance(0.000_001)
        sequence, machine = (node or self.coordinator()).process
        return str(uuid.UUID(fields=(low, middle, high | 0x1000, sequence >> 8, sequence & 0xFF, machine)))

    def _new_process(self) -> tuple[int, int]:
        return 0x8000 | self.random.getrandbits(14), self.random.getrandbits(48) | 0x0100_0000_0000

    def _random_id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    # What a script does to the machines

    def stop_node(self, address: str) -> None:
        """Kill it: its clients, streams and repairs are gone with it; what it holds is not."""
        node = self.nodes[address]
        node.up = False
        node.clients.clear()
        node.repairs.clear()
        node.repair_tasks.clear()
        for plan in list(node.streams):
            self._end_stream(plan.id)

    def start_node(self, address: str) -> None:
        node = self.nodes[address]
        node.up = True
        node.generation = int(self.wall.time())
        node.process = self._new_process()
        node.native_requests = node.repair_commands = 0
        for store in node.stores.values():
            store.writes = 0

    def replace_node(self, address: str) -> None:
        """Another machine under the same address: a new host id, and nothing held."""
        node = self.nodes[address]
        node.host_id = self._random_id()
        node.stores.clear()
        node.paxos.clear()

    def lose_writes(self, address: str, *, lose: bool = True) -> None:
        """Every mutation sent to this node is dropped, until called with `lose=False`."""
        (self.faults.lossy.add if lose else self.faults.lossy.discard)(address)

    def disagree_on_schema(self, address: str, *, disagree: bool = True) -> None:
        self.nodes[address].own_schema_version = self._random_id() if disagree else None

    def connect_client(
        self,
        address: str,
        user: str = "service",
        driver: str = "DataStax Java driver 3.11.5",
        *,
        protocol: str = "native",
        requests_per_second: float = 0.0,
        writes_per_second: float = 0.0,
    ) -> Client:
        """Another client connects to this node; it is busy as said, which `tpstats` and `cfstats` show."""
        node = self.nodes[address]
        port = 40_000 + self.random.randrange(20_000)
        client = Client(node=address, address="127.0.0.1", port=port, user=user, driver=driver, protocol=protocol)
        now = self.wall.time()
        node.clients.append(ConnectedClient(client, now, requests_per_second, writes_per_second))
        return client

    def disconnect_client(self, client: Client) -> None:
        node = self.nodes[client.node]
        node.clients = [connected for connected in node.clients if connected.client != client]

    def start_stream(self, address: str, peer: str, keyspace: str, table: str, *, seconds: float) -> None:
        """A stream runs from this node to its peer; `netstats` shows it on both for so long."""
        plan_id = self.time_id(self.nodes[address])
        ends = (StreamPlan(plan_id, peer, keyspace, table), StreamPlan(plan_id, address, keyspace, table))
        for node, plan in zip((self.nodes[address], self.nodes[peer]), ends, strict=True):
            node.streams.append(plan)
        self.wall.after(seconds, lambda: self._end_stream(plan_id))

    def _end_stream(self, plan_id: str) -> None:
        for node in self.nodes.values():
            node.streams = [plan for plan in node.streams if plan.id != plan_id]

    def truncate(self, keyspace: str, table: str) -> None:
        """Empty a table on every node that is up, as TRUNCATE does, with the mark it leaves in `system.local`."""
        table_id = self.table(keyspace, table).id
        for node in self.nodes.values():
            if node.up:
                node.store(table_id).clear()
                node.truncated_at[table_id] = f"{self.wall.micros():x}"

    def clear_paxos(self, address: str | None = None) -> None:
        """TRUNCATE system.paxos on one node, or on all."""
        for node in self.nodes.values():
            if address in {None, node.address}:
                node.paxos.clear()
