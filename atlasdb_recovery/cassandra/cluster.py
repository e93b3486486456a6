"""Sessions to a real cluster, and pinned to one node, through the driver."""

import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Self

from atlasdb_recovery.cassandra import cell_statements
from atlasdb_recovery.cassandra.clients import clients_of
from atlasdb_recovery.cassandra.conditional import outcome
from atlasdb_recovery.cassandra.connecting import connected
from atlasdb_recovery.cassandra.connection import Connection, Page
from atlasdb_recovery.cassandra.node_reports.text import UnreadableReport
from atlasdb_recovery.cassandra.node_tables import NodeTables
from atlasdb_recovery.cassandra.placement import placed_ranges
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
    RepairWork,
    StatementRefused,
    TokenRange,
)
from atlasdb_recovery.cassandra.range_scan import RangeScan
from atlasdb_recovery.cassandra.range_statements import COLUMNS, Statement, qualified
from atlasdb_recovery.cassandra.remembered_repairs import remembered
from atlasdb_recovery.cassandra.repair_work import VIEWS_SINCE, repair_work
from atlasdb_recovery.cassandra.ring import partitioner_family, ranges_from_describering
from atlasdb_recovery.cassandra.schema import SchemaReader
from atlasdb_recovery.cassandra.schema_agreement import wait_for_agreement
from atlasdb_recovery.foreign import plain

FILTERS_SINCE = (4, 0)
LISTS_CLIENTS_SINCE = (4, 0)
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
        self._nodes = NodeTables(connection)
        self._schema = SchemaReader(connection, modern=release >= (3, 0))

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

        `describe_ring` gives `nodetool describering` of a keyspace, for replication strategies that are not known
        here. Raises ClusterUnreachable, naming what was tried and what to check.
        """
        connection = await connected(
            contact_points,
            port=port,
            username=username,
            password=password,
            tls=tls,
            connect_timeout=connect_timeout,
            request_timeout=request_timeout,
        )
        try:
            identity = await _identity(connection)
        except BaseException:
            await connection.close()
            raise
        return cls(connection, _oldest(identity.nodes), identity.partitioner, describe_ring)

    async def close(self) -> None:
        await self._connection.close()

    async def identity(self) -> ClusterIdentity:
        return await _identity(self._connection)

    async def node(self, address: str) -> Node:
        return await self._nodes.local(address)

    async def peers(self, address: str) -> tuple[Node, ...]:
        return await self._nodes.peers(address)

    async def clock(self, address: str) -> NodeClock:
        return await self._nodes.clock(address)

    async def keyspace(self, name: str) -> Keyspace | None:
        return await self._schema.keyspace(name)

    async def ranges(self, keyspace: str) -> tuple[TokenRange, ...]:
        described = await self._schema.replication(keyspace)
        if described is None:
            raise StatementRefused(f"keyspace {plain(keyspace)} is absent, so it has no token ranges. Check its name.")
        ranges = placed_ranges((await self.identity()).nodes, described[0], self._family)
        if ranges is not None:
            return ranges
        if self._describe_ring is None:
            strategy = plain(described[0].get("class", "none"))
            raise UnreadableReport("describering", f"nodetool is needed for the strategy {strategy} and was not given")
        return ranges_from_describering(await self._describe_ring(keyspace))

    async def filters_by_value(self) -> bool:
        """3.x could filter as well, but only from 4.0 on do replicas that differ never hide a match."""
        return _oldest((await self.identity()).nodes) >= FILTERS_SINCE

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
        async def ask(statement: Statement, state: bytes | None, *, may_time_out: bool) -> Page:
            return await self._connection.repeatable(
                *statement,
                consistency=consistency,
                node=node,
                page_size=page_size,
                paging_state=state,
                repeat_timed_out=not may_time_out,
            )

        scan = RangeScan(keyspace, table, self._family, value_between, ask)
        async for page in scan.pages(start, end):
            yield page

    async def read(self, keyspace: str, table: str, position: Position, *, consistency: Consistency) -> Cell | None:
        cql = cell_statements.read_cell(keyspace, table)
        rows = await self._connection.rows(cql, position, consistency=consistency)
        return Cell(*rows[0]) if rows else None

    async def read_partition(
        self, keyspace: str, table: str, key: bytes, *, consistency: Consistency, node: str | None = None
    ) -> tuple[Cell, ...]:
        cql = f"SELECT {COLUMNS} FROM {qualified(keyspace, table)} WHERE key = ?"  # noqa: S608 — names are quoted
        rows = await self._connection.rows(cql, (key,), consistency=consistency, node=node)
        return tuple(Cell(*row) for row in rows)

    async def put(self, keyspace: str, table: str, cell: Cell, *, consistency: Consistency) -> None:
        if cell.write_time is None:
            raise ValueError("a plain write needs an explicit write time")
        cql = cell_statements.put_cell(keyspace, table)
        await self._connection.repeatable(cql, (*cell.position, cell.value, cell.write_time), consistency=consistency)

    async def delete(
        self, keyspace: str, table: str, position: Position, *, write_time: int, consistency: Consistency
    ) -> None:
        cql = cell_statements.delete_cell(keyspace, table)
        await self._connection.repeatable(cql, (write_time, *position), consistency=consistency)

    async def try_to_write(self, keyspace: str, table: str) -> None:
        """The server checks the permission, then finds no key to delete (and at write time 1 would hide nothing)."""
        cql = f"DELETE FROM {qualified(keyspace, table)} USING TIMESTAMP 1 WHERE key IN ?"  # noqa: S608 — as above
        await self._connection.once(cql, ([],), consistency=Consistency.ALL)

    async def put_unless_exists(
        self, keyspace: str, table: str, position: Position, value: bytes, *, commit: Consistency = Consistency.ALL
    ) -> CasOutcome:
        cql = cell_statements.put_cell_unless_exists(keyspace, table)
        page = await self._connection.conditional(cql, (*position, value), commit)
        return outcome(page.columns, page.rows[0])

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
        cql = cell_statements.update_cell_if(keyspace, table)
        page = await self._connection.conditional(cql, (value, *position, expected), commit)
        return outcome(page.columns, page.rows[0])

    async def clients(self, address: str) -> Clients:
        return await clients_of(self._connection, address, can_list=self._release >= LISTS_CLIENTS_SINCE)

    async def paxos_rows(self, address: str, table_ids: frozenset[str]) -> int:
        return await self._nodes.paxos_rows(address, table_ids)

    async def pending_hints(self, address: str) -> int:
        return await self._nodes.pending_hints(address, self._release)

    async def truncations(self, address: str) -> Mapping[str, str]:
        return await self._nodes.truncations(address)

    async def repairs(self, keyspace: str, table: str, since: float) -> tuple[RepairRecord, ...]:
        return await remembered(self._connection, keyspace, table, since, release=self._release)

    async def repair_work(self, address: str, since: float) -> RepairWork | None:
        return None if self._release < VIEWS_SINCE else await repair_work(self._connection, address, since)

    async def change_schema(self, statement: str) -> None:
        await self._connection.once(statement)
        await wait_for_agreement(self._nodes, (await self.identity()).nodes)


async def _identity(connection: Connection) -> ClusterIdentity:
    """From the first node that answers."""
    tables, unreachable = NodeTables(connection), None
    for contact in connection.addresses():
        try:
            name, partitioner = await tables.names(contact)
            nodes = (await tables.local(contact), *await tables.peers(contact))
        except ClusterUnreachable as error:
            unreachable = unreachable or error
        else:
            return ClusterIdentity(name, partitioner, tuple(sorted(nodes, key=lambda node: node.address)))
    raise unreachable or ClusterUnreachable(
        "the driver knows no node of the cluster any more. Look at nodetool status."
    )


def _oldest(nodes: Sequence[Node]) -> tuple[int, int]:
    """The lowest release among the nodes, major and minor; (0, 0) for one that does not say."""
    releases = [re.match(r"(\d+)\.(\d+)", node.release_version) for node in nodes]
    return min((int(found[1]), int(found[2])) if found else (0, 0) for found in releases)
