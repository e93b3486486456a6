"""Sessions to a real cluster, and pinned to one node, through the driver."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from cassandra import AuthenticationFailed, UnsupportedOperation
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, ExecutionProfile, NoHostAvailable
from cassandra.cluster import Cluster as Driver
from cassandra.policies import FallthroughRetryPolicy, RoundRobinPolicy
from cassandra.query import tuple_factory

from atlasdb_recovery.cassandra.connection import Connection
from atlasdb_recovery.cassandra.node_tables import NodeTables
from atlasdb_recovery.cassandra.ports import (
    CasOutcome,
    Cell,
    Clients,
    ClusterIdentity,
    ClusterUnreachable,
    Consistency,
    Keyspace,
    Node,
    NodeClock,
    RepairRecord,
    TokenRange,
)
from atlasdb_recovery.cassandra.remembered_repairs import remembered
from atlasdb_recovery.cassandra.ring import (
    partitioner_family,
    pieces_in_token_order,
    ranges_from_describering,
    ranges_from_token_map,
    token_value,
)
from atlasdb_recovery.cassandra.schema import SchemaReader
from atlasdb_recovery.foreign import plain

CELL = "key = ? AND column1 = ? AND column2 = ?"
COLUMNS = "key, column1, column2, value, WRITETIME(value)"
AGREES_WITHIN = 60.0
Position = tuple[bytes, bytes, int]


class DriverCluster:
    """The `Cluster` of `ports.py` on cassandra-driver."""

    def __init__(
        self,
        connection: Connection,
        release: tuple[int, int],
        partitioner: str,
        describe_ring: Callable[[str], Awaitable[str]] | None,
    ) -> None:
        self._connection = connection
        self._release = release
        self._family = partitioner_family(partitioner)
        self._describe_ring = describe_ring
        modern = release >= (3, 0)
        self._nodes = NodeTables(connection, modern=release >= (4, 0))
        self._schema = SchemaReader(connection, modern=modern)

    @classmethod
    async def connect(
        cls,
        contact_points: Sequence[str],
        *,
        port: int = 9042,
        username: str = "",
        password: str = "",
        tls: ssl.SSLContext | None = None,
        connect_timeout: float = 10.0,
        request_timeout: float = 120.0,
        describe_ring: Callable[[str], Awaitable[str]] | None = None,
    ) -> Self:
        """Connect to the first contact point that answers, and to every node it names.

        `describe_ring` gives `nodetool describering` of a keyspace, for partitioners the driver has no token map for.
        Raises ClusterUnreachable, naming what was tried and what to check.
        """
        profile = ExecutionProfile(
            load_balancing_policy=RoundRobinPolicy(),
            retry_policy=FallthroughRetryPolicy(),
            request_timeout=request_timeout,
            row_factory=tuple_factory,
        )
        driver = Driver(
            contact_points=list(contact_points),
            port=port,
            auth_provider=PlainTextAuthProvider(username, password) if username else None,
            ssl_context=tls,
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            connect_timeout=connect_timeout,
            control_connection_timeout=connect_timeout,
            max_schema_agreement_wait=0,
        )
        try:
            session = await asyncio.to_thread(driver.connect, None, True)
        except (NoHostAvailable, AuthenticationFailed, UnsupportedOperation, OSError) as error:
            await asyncio.to_thread(driver.shutdown)
            raise ClusterUnreachable(_refusal(error, contact_points, port, username, tls)) from error
        session.use_client_timestamp = False
        connection = Connection(driver, session)
        contact = connection.addresses()[0]
        local = await NodeTables(connection, modern=True).local(contact)
        _, partitioner = await NodeTables(connection, modern=True).names(contact)
        major, minor = (int(part) for part in local.release_version.split(".")[:2])
        return cls(connection, (major, minor), partitioner, describe_ring)

    async def close(self) -> None:
        await self._connection.in_thread(self._connection.driver.shutdown)

    async def identity(self) -> ClusterIdentity:
        contact = self._connection.addresses()[0]
        name, partitioner = await self._nodes.names(contact)
        nodes = (await self._nodes.local(contact), *await self._nodes.peers(contact))
        return ClusterIdentity(name, partitioner, tuple(sorted(nodes, key=lambda node: node.address)))

    async def node(self, address: str) -> Node:
        return await self._nodes.local(address)

    async def peers(self, address: str) -> tuple[Node, ...]:
        return await self._nodes.peers(address)

    async def clock(self, address: str) -> NodeClock:
        return await self._nodes.clock(address)

    async def keyspace(self, name: str) -> Keyspace | None:
        return await self._schema.keyspace(name)

    async def ranges(self, keyspace: str) -> tuple[TokenRange, ...]:
        driver = self._connection.driver
        if driver.metadata.token_map is None:
            return await self._described_ranges(keyspace)
        await self._connection.in_thread(driver.refresh_keyspace_metadata, keyspace)
        await self._connection.in_thread(driver.metadata.token_map.rebuild_keyspace, keyspace, True)
        return ranges_from_token_map(driver.metadata.token_map, keyspace)

    async def _described_ranges(self, keyspace: str) -> tuple[TokenRange, ...]:
        if self._describe_ring is None:
            raise ClusterUnreachable("the driver has no token map for this partitioner, and nodetool is not configured")
        owners = {token: node.address for node in (await self.identity()).nodes for token in node.tokens}
        return ranges_from_describering(await self._describe_ring(keyspace), owners)

    async def filters_by_value(self) -> bool:
        return self._release >= (3, 10)

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
        for low, high in pieces_in_token_order(start, end, self._family):
            bounds = [(">", low), ("<=", high)]
            where = [f"token(key) {sign} ?" for sign, token in bounds if token]
            values: list[Any] = [token_value(token, self._family) for _, token in bounds if token]
            if value_between is not None:
                where += ["value > ?", "value < ?"]
                values += value_between
            cql = f"SELECT {COLUMNS} FROM {_name(keyspace, table)}"  # noqa: S608 — names are quoted
            cql += f" WHERE {' AND '.join(where)}" if where else ""
            cql += " ALLOW FILTERING" if value_between is not None else ""
            state, has_more = None, True
            while has_more:
                page = await self._connection.read(
                    cql, values, consistency=consistency, node=node, page_size=page_size, paging_state=state
                )
                if page.rows:
                    yield [Cell(*row) for row in page.rows]
                state = page.paging_state
                has_more = state is not None

    async def read(self, keyspace: str, table: str, position: Position, *, consistency: Consistency) -> Cell | None:
        cql = f"SELECT {COLUMNS} FROM {_name(keyspace, table)} WHERE {CELL}"  # noqa: S608
        page = await self._connection.read(cql, position, consistency=consistency)
        return Cell(*page.rows[0]) if page.rows else None

    async def read_partition(
        self, keyspace: str, table: str, key: bytes, *, consistency: Consistency, node: str | None = None
    ) -> tuple[Cell, ...]:
        cql = f"SELECT {COLUMNS} FROM {_name(keyspace, table)} WHERE key = ?"  # noqa: S608
        page = await self._connection.read(cql, (key,), consistency=consistency, node=node)
        return tuple(Cell(*row) for row in page.rows)

    async def put(self, keyspace: str, table: str, cell: Cell, *, consistency: Consistency) -> None:
        if cell.write_time is None:
            raise ValueError("a plain write needs an explicit write time")
        cql = (
            f"INSERT INTO {_name(keyspace, table)} (key, column1, column2, value) VALUES (?, ?, ?, ?) "  # noqa: S608
            "USING TIMESTAMP ?"
        )
        values = (cell.key, cell.column1, cell.column2, cell.value, cell.write_time)
        await self._connection.read(cql, values, consistency=consistency)

    async def delete(
        self, keyspace: str, table: str, position: Position, *, write_time: int, consistency: Consistency
    ) -> None:
        cql = f"DELETE FROM {_name(keyspace, table)} USING TIMESTAMP ? WHERE {CELL}"  # noqa: S608
        await self._connection.read(cql, (write_time, *position), consistency=consistency)

    async def put_unless_exists(
        self, keyspace: str, table: str, position: Position, value: bytes, *, commit: Consistency = Consistency.ALL
    ) -> CasOutcome:
        cql = (
            f"INSERT INTO {_name(keyspace, table)} (key, column1, column2, value) VALUES (?, ?, ?, ?) "  # noqa: S608
            "IF NOT EXISTS"
        )
        return _outcome((await self._connection.conditional(cql, (*position, value), commit)).rows)

    async def check_and_set(
        self,
        keyspace: str,
        table: str,
        position: Position,
        expected: bytes,
        value: bytes,
        *,
        commit: Consistency = Consistency.ALL,
    ) -> CasOutcome:
        cql = f"UPDATE {_name(keyspace, table)} SET value = ? WHERE {CELL} IF value = ?"  # noqa: S608
        return _outcome((await self._connection.conditional(cql, (value, *position, expected), commit)).rows)

    async def clients(self, address: str) -> Clients:
        return await self._nodes.clients(address)

    async def paxos_rows(self, address: str, table_ids: frozenset[str]) -> int:
        return await self._nodes.paxos_rows(address, table_ids)

    async def pending_hints(self, address: str) -> int:
        return await self._nodes.pending_hints(address, has_view=self._release >= (4, 1))

    async def truncations(self, address: str) -> Mapping[str, str]:
        return await self._nodes.truncations(address)

    async def repairs(self, keyspace: str, table: str, since: float) -> tuple[RepairRecord, ...]:
        return await remembered(self._connection, keyspace, table, since, has_options=self._release >= (3, 0))

    async def change_schema(self, statement: str) -> None:
        await self._connection.once(statement)
        deadline = time.monotonic() + AGREES_WITHIN
        while True:
            with suppress(ClusterUnreachable):
                nodes = (await self.identity()).nodes
                versions = {(await self.node(node.address)).schema_version for node in nodes}
                if len(versions) == 1:
                    return
            if time.monotonic() > deadline:
                raise ClusterUnreachable(
                    f"the nodes did not agree on a schema within {AGREES_WITHIN:.0f} s after {plain(statement[:80])}. "
                    "Look at nodetool describecluster; resume when all agree."
                )
            await asyncio.sleep(0.1)


def _name(keyspace: str, table: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in (keyspace, table))


def _outcome(rows: Sequence[tuple[Any, ...]]) -> CasOutcome:
    applied = bool(rows[0][0])
    current = None if applied else next((v for v in reversed(rows[0][1:]) if isinstance(v, bytes)), None)
    return CasOutcome(applied, current)


def _refusal(
    error: BaseException, contact_points: Sequence[str], port: int, username: str, tls: ssl.SSLContext | None
) -> str:
    errors = getattr(error, "errors", None)
    causes = list(errors.values()) if isinstance(errors, dict) else [error]
    said = "; ".join(dict.fromkeys(f"{type(cause).__name__}: {plain(str(cause))}" for cause in causes))
    if any(isinstance(cause, AuthenticationFailed) for cause in causes):
        remedy = f"Check cql.username ({username or 'none given'}) and cql.password."
    elif any(isinstance(cause, ssl.SSLError) for cause in causes):
        remedy = "Check cql.tls: the server's certificate and the certificate authority must match."
    else:
        remedy = "Check that the nodes are up, and that cql.port is the native port (9042), not Thrift's (9160)" + (
            "." if tls is not None else "; if the servers want TLS, set cql.tls."
        )
    return f"no session with {', '.join(contact_points)} on port {port}: {said}. {remedy}"
