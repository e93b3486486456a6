"""One simulated node: its place on the ring, what it holds, and what is going on in it."""

from dataclasses import dataclass, field

from atlasdb_recovery.cassandra.ports import Client
from atlasdb_recovery.practice.simulated.storage import Position, TableStore, Version
from atlasdb_recovery.practice.simulated.topology import Place

Commit = tuple[int, Position, Version]
"""(ballot, position, version): a proposed or committed conditional write."""


@dataclass(slots=True)
class PaxosRow:
    """A row of `system.paxos`: one partition of one table. Ballots are microseconds."""

    promised: int = 0
    accepted: Commit | None = None
    committed: Commit | None = None


@dataclass(slots=True)
class ConnectedClient:
    """A client that is not ours. Ports describe it as `client`; it may be busy."""

    client: Client
    since: float
    requests_per_second: float = 0.0
    writes_per_second: float = 0.0


@dataclass(slots=True)
class StreamPlan:
    """A stream that is still running."""

    id: str
    peer: str
    keyspace: str
    table: str


@dataclass(slots=True)
class RepairTask:
    """One table's share of a repair that this node coordinates: bytes to read for validation, and bytes streamed."""

    id: str
    command: int
    keyspace: str
    table: str
    began: float
    total: int
    validated: int = 0
    streamed: int = 0


@dataclass(slots=True)
class SimulatedNode:
    place: Place
    host_id: str
    generation: int
    process: tuple[int, int]
    """Clock sequence and node of this server process's time UUIDs: others after a restart."""
    up: bool = True
    thrift_active: bool = True
    skew: float = 0.0
    """This node's clock minus the others', in seconds."""
    own_schema_version: str | None = None
    """Set while this node disagrees about the schema."""
    stores: dict[str, TableStore] = field(default_factory=dict)
    """By table id."""
    paxos: dict[tuple[str, bytes], PaxosRow] = field(default_factory=dict)
    """By table id and key; outlives its table, as `system.paxos` does."""
    truncated_at: dict[str, str] = field(default_factory=dict)
    hints: int = 0
    clients: list[ConnectedClient] = field(default_factory=list)
    streams: list[StreamPlan] = field(default_factory=list)
    repairs: set[int] = field(default_factory=set)
    """Command numbers of the repairs running in it."""
    repair_commands: int = 0
    repair_tasks: list[RepairTask] = field(default_factory=list)
    """Those of earlier repairs too, as `system_views` has them."""
    native_requests: int = 0
    validations: int = 0

    @property
    def address(self) -> str:
        return self.place.address

    def store(self, table_id: str) -> TableStore:
        found = self.stores.get(table_id)
        if found is None:
            found = self.stores[table_id] = TableStore()
        return found

    def ready_clients(self) -> list[ConnectedClient]:
        return [connected for connected in self.clients if connected.client.protocol == "native"]
