"""What the procedure needs of a Cassandra cluster, as protocols.

Two object graphs answer them: the driver and nodetool (this package), and the simulated cluster
(`atlasdb_recovery.practice`). One contract suite runs against both.

Every AtlasDB table has the same shape (`CassandraTableCreator`): `key blob, column1 blob, column2 bigint,
value blob`, primary key `(key, column1, column2)`, compact storage. Tokens are text, as Cassandra prints
them: hex for byte-ordered partitioners, decimal for Murmur3 and Random, "" for the minimum token.
Addresses are the node's RPC address as text. Write times are Cassandra's, in microseconds.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec


class Consistency(StrEnum):
    """How many replicas must answer a read or a plain write. LWTs are SERIAL, with a commit level of their own."""

    ONE = "ONE"
    QUORUM = "QUORUM"
    ALL = "ALL"
    SERIAL = "SERIAL"


class ClusterUnreachable(Exception):
    """No session could be had: wrong address or port, wrong credentials, TLS refused. Says which, and what to do."""


class StatementRefused(ClusterUnreachable):
    """The server answered, and would not run the statement: no such table, no permission. Nothing was changed."""


class NotEnoughReplicas(Exception):
    """The consistency level could not be met (unavailable, or too few answers in time). A write may have happened."""


class OutcomeUnknown(Exception):
    """A conditional write timed out: it may or may not have been applied. Re-read before deciding."""


class Cell(msgspec.Struct, frozen=True, order=True):
    """One AtlasDB cell. `write_time` is WRITETIME(value), None where it was not asked for."""

    key: bytes
    column1: bytes
    column2: int
    value: bytes
    write_time: int | None = None

    @property
    def position(self) -> tuple[bytes, bytes, int]:
        return (self.key, self.column1, self.column2)


class Node(msgspec.Struct, frozen=True):
    """A node as one node's `system.local` or `system.peers` describes it."""

    address: str
    host_id: str
    data_center: str
    rack: str
    tokens: tuple[str, ...]
    release_version: str
    schema_version: str


class ClusterIdentity(msgspec.Struct, frozen=True):
    """What must stay the same during a session."""

    cluster_name: str
    partitioner: str
    nodes: tuple[Node, ...]

    @property
    def host_ids(self) -> frozenset[str]:
        return frozenset(node.host_id for node in self.nodes)


class TokenRange(msgspec.Struct, frozen=True):
    """(start, end] of the ring, and the addresses that replicate it, the primary first."""

    start: str
    end: str
    replicas: tuple[str, ...]


class Table(msgspec.Struct, frozen=True):
    """A table as the server's schema tables describe it. `create` is runnable CQL for it, without an id."""

    name: str
    id: str
    create: str


class Keyspace(msgspec.Struct, frozen=True):
    """A keyspace as the server's schema tables describe it. `create` is runnable CQL."""

    name: str
    replication: Mapping[str, str]
    durable_writes: bool
    create: str
    tables: Mapping[str, Table]


class Client(msgspec.Struct, frozen=True):
    """A connection on a node's native (or Thrift) port that is not ours."""

    node: str
    address: str
    port: int | None = None
    user: str = ""
    driver: str = ""
    protocol: str = "native"


class Clients(msgspec.Struct, frozen=True):
    """Who is connected to one node. `can_tell` is False on servers that cannot list their clients (2.2)."""

    node: str
    can_tell: bool
    others: tuple[Client, ...]
    how: str


class CasOutcome(msgspec.Struct, frozen=True):
    """What a conditional write answered. `current` is the value seen when it was not applied."""

    applied: bool
    current: bytes | None


class NodeClock(msgspec.Struct, frozen=True):
    """A node's wall clock minus ours, in seconds, good to plus or minus `uncertainty` (half the round trip)."""

    node: str
    offset: float
    uncertainty: float


class RepairRecord(msgspec.Struct, frozen=True):
    """A row of `system_distributed.parent_repair_history` (or of `system_views.repairs` while running)."""

    parent_id: str
    keyspace: str
    tables: frozenset[str]
    requested_ranges: frozenset[str]
    successful_ranges: frozenset[str] | None
    started_at: float
    finished_at: float | None
    error: str | None
    options: Mapping[str, str]


class RepairWork(msgspec.Struct, frozen=True):
    """What a node has read for validations, and sent and received in streams of repairs, in bytes.

    The totals are those that are known so far; they grow while a repair gets to further ranges.
    """

    validated: int
    to_validate: int
    streamed: int
    to_stream: int


class Cluster(Protocol):
    """Sessions to a cluster, and pinned to one node.

    Raises `ClusterUnreachable`, `NotEnoughReplicas`, `OutcomeUnknown`.
    """

    async def identity(self) -> ClusterIdentity:
        """The cluster's name, partitioner and nodes, as the contact node sees them (its `local` and `peers`)."""
        ...

    async def node(self, address: str) -> Node:
        """What this node says of itself (`system.local`, session pinned to it)."""
        ...

    async def peers(self, address: str) -> tuple[Node, ...]:
        """What this node says of the others (`system.peers`, session pinned to it)."""
        ...

    async def clock(self, address: str) -> NodeClock: ...

    async def keyspace(self, name: str) -> Keyspace | None:
        """The keyspace as it is now (read from the server, not from a cache), or None if absent."""
        ...

    async def ranges(self, keyspace: str) -> tuple[TokenRange, ...]:
        """Every range of the ring with its replicas for this keyspace, in ring order, none missing or overlapping."""
        ...

    async def filters_by_value(self) -> bool:
        """Whether the servers can filter on `value` (ALLOW FILTERING); 2.2 cannot."""
        ...

    def scan(
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
        """Pages of the cells with token in (start, end], write times included, in token order, at constant memory.

        `value_between` (both ends excluded) is left to the server and allowed only where `filters_by_value`.
        `node` pins the session: with ONE, that node's own rows.
        """
        ...

    async def read(
        self, keyspace: str, table: str, position: tuple[bytes, bytes, int], *, consistency: Consistency
    ) -> Cell | None: ...

    async def read_partition(
        self, keyspace: str, table: str, key: bytes, *, consistency: Consistency, node: str | None = None
    ) -> tuple[Cell, ...]:
        """All cells of a small partition in clustering order. `node` pins the session, as in `scan`."""
        ...

    async def put(self, keyspace: str, table: str, cell: Cell, *, consistency: Consistency) -> None:
        """A plain write USING TIMESTAMP `cell.write_time`, which must be given."""
        ...

    async def delete(
        self,
        keyspace: str,
        table: str,
        position: tuple[bytes, bytes, int],
        *,
        write_time: int,
        consistency: Consistency,
    ) -> None:
        """A plain DELETE USING TIMESTAMP `write_time`."""
        ...

    async def try_to_write(self, keyspace: str, table: str) -> None:
        """A write of no cell at all: raises StatementRefused where this user may not write there. Changes nothing."""
        ...

    async def put_unless_exists(
        self,
        keyspace: str,
        table: str,
        position: tuple[bytes, bytes, int],
        value: bytes,
        *,
        commit: Consistency = Consistency.ALL,
    ) -> CasOutcome:
        """INSERT … IF NOT EXISTS. A restore commits at ALL; a running service at less."""
        ...

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
        """UPDATE … IF value = expected. "Applied" does not mean visible: a later write time stays. Re-read."""
        ...

    async def clients(self, address: str) -> Clients:
        """Who else is connected to this node, on servers that can tell (`system_views.clients`), ourselves left out."""
        ...

    async def paxos_rows(self, address: str, table_ids: frozenset[str]) -> int:
        """How many `system.paxos` rows of these tables this node holds."""
        ...

    async def pending_hints(self, address: str) -> int:
        """How many hints (2.2: rows of `system.hints`; later: files or targets) this node holds for others."""
        ...

    async def truncations(self, address: str) -> Mapping[str, str]:
        """This node's `system.local.truncated_at`: table id to an opaque text that changes when it is truncated."""
        ...

    async def repairs(self, keyspace: str, table: str, since: float) -> tuple[RepairRecord, ...]:
        """What the server itself remembers of repairs of this table begun at or after `since` (Unix seconds)."""
        ...

    async def repair_work(self, address: str, since: float) -> RepairWork | None:
        """This node's part in repairs begun at or after `since` (Unix seconds, by its clock); None before 4.1."""
        ...

    async def change_schema(self, statement: str) -> None:
        """Run one DDL statement and wait until every reachable node has one schema version."""
        ...

    async def close(self) -> None: ...


class Line(msgspec.Struct, frozen=True):
    """A line of a command's output, without its line end; `at` is seconds since the command started."""

    at: float
    stream: str
    text: str


class Finished(msgspec.Struct, frozen=True):
    """How a command ended: its exit code, or minus the signal that killed it."""

    exit_code: int
    seconds: float


class Output(msgspec.Struct, frozen=True):
    """A command that has run to its end."""

    command: tuple[str, ...]
    exit_code: int
    lines: tuple[Line, ...]

    @property
    def stdout(self) -> str:
        return "\n".join(line.text for line in self.lines if line.stream == "stdout")

    @property
    def stderr(self) -> str:
        return "\n".join(line.text for line in self.lines if line.stream == "stderr")

    @property
    def complaint(self) -> str:
        """The first line of what it said, standard error before standard output; "" if nothing."""
        said = f"{self.stderr}\n{self.stdout}".strip().splitlines()
        return said[0].strip() if said else ""


class NodetoolFailed(Exception):
    """nodetool could not be run, or did not answer in time. Says the command, what happened and what to do."""


class Nodetool(Protocol):
    """nodetool of any node, through whatever command reaches it."""

    def command(self, address: str, *arguments: str) -> tuple[str, ...]:
        """The exact argument vector that `run` and `stream` would execute (passwords replaced by ***)."""
        ...

    async def run(self, address: str, *arguments: str, timeout: float = 60.0) -> Output:
        """Run it to its end. Any exit code is an Output; only not being able to run or a timeout raises."""
        ...

    def stream(self, address: str, *arguments: str) -> AsyncGenerator[Line | Finished, None]:
        """Its lines as they arrive, then one Finished. Closing the iterator stops the child and waits for it."""
        ...
