"""What one node's own system tables say: who is connected, what is left over, what time it is."""

import time
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import psutil

from atlasdb_recovery.cassandra.connection import Connection
from atlasdb_recovery.cassandra.ports import Client, Clients, Consistency, Node, NodeClock

CLOCK_SAMPLES = 3
_LOCAL = "host_id, data_center, rack, tokens, release_version, schema_version"
_CLIENTS = "SELECT address, port, username, driver_name, driver_version FROM system_views.clients"


class NodeTables:
    """System tables answer for the node that coordinates: every request here is pinned."""

    def __init__(self, connection: Connection, *, modern: bool) -> None:
        self._connection = connection
        self._modern = modern

    async def local(self, address: str) -> Node:
        rows = await self._rows(f"SELECT {_LOCAL} FROM system.local", address)  # noqa: S608 — no value in it
        return _node(address, rows[0])

    async def peers(self, address: str) -> tuple[Node, ...]:
        rows = await self._rows(f"SELECT rpc_address, peer, {_LOCAL} FROM system.peers", address)  # noqa: S608
        return tuple(_node(str(row[0] or row[1]), row[2:]) for row in rows)

    async def names(self, address: str) -> tuple[str, str]:
        """The cluster's name and partitioner."""
        rows = await self._rows("SELECT cluster_name, partitioner FROM system.local", address)
        return str(rows[0][0]), str(rows[0][1])

    async def clock(self, address: str) -> NodeClock:
        """The sample with the shortest round trip."""
        best: NodeClock | None = None
        for _ in range(CLOCK_SAMPLES):
            before = time.time()
            rows = await self._rows("SELECT toTimestamp(now()) FROM system.local", address)
            after = time.time()
            offset = rows[0][0].replace(tzinfo=UTC).timestamp() - (before + after) / 2
            sample = NodeClock(node=address, offset=offset, uncertainty=(after - before) / 2)
            if best is None or sample.uncertainty < best.uncertainty:
                best = sample
        assert best is not None
        return best

    async def clients(self, address: str) -> Clients:
        if not self._modern:
            return Clients(address, False, (), "this version cannot list its clients")
        seen = [(str(row[0]), int(row[1]), row) for row in await self._rows(_CLIENTS, address)]
        own = _own_sockets()
        exact = {port for ip, port, _ in seen if (ip, port) in own}
        ports = {port for _, port in own}
        others = tuple(
            Client(address, ip, port, str(row[2] or ""), f"{row[3] or ''} {row[4] or ''}".strip())
            for ip, port, row in seen
            if (ip, port) not in own and not (port in ports and port not in exact)
        )
        return Clients(address, True, others, "system_views.clients")

    async def paxos_rows(self, address: str, table_ids: frozenset[str]) -> int:
        count, state = 0, None
        while True:
            page = await self._connection.read(
                "SELECT cf_id FROM system.paxos", consistency=Consistency.ONE, node=address, paging_state=state
            )
            count += sum(str(row[0]) in table_ids for row in page.rows)
            state = page.paging_state
            if state is None:
                return count

    async def pending_hints(self, address: str, *, has_view: bool) -> int:
        if not self._modern:
            return len(await self._rows("SELECT target_id FROM system.hints LIMIT 1000", address))
        if not has_view:
            return 0
        rows = await self._rows("SELECT host_id, files FROM system_views.pending_hints", address)
        return sum(int(row[1] or 1) for row in rows)

    async def truncations(self, address: str) -> Mapping[str, str]:
        rows = await self._rows("SELECT truncated_at FROM system.local", address)
        return {str(table): bytes(when).hex() for table, when in dict(rows[0][0] or {}).items()}

    async def _rows(self, cql: str, address: str) -> list[Any]:
        page = await self._connection.read(cql, consistency=Consistency.ONE, node=address)
        return list(page.rows)


def _node(address: str, row: Any) -> Node:
    host_id, data_center, rack, tokens, release, schema = row
    return Node(
        address=address,
        host_id=str(host_id or ""),
        data_center=str(data_center or ""),
        rack=str(rack or ""),
        tokens=tuple(sorted(str(token) for token in tokens or ())),
        release_version=str(release or ""),
        schema_version=str(schema or ""),
    )


def _own_sockets() -> frozenset[tuple[str, int]]:
    """Our ends of this process's connections. Behind address translation the server sees our port with another
    address: a port of ours that no client shows with our address is ours as well."""
    connections = psutil.Process().net_connections("tcp")
    return frozenset((c.laddr[0].removeprefix("::ffff:"), c.laddr[1]) for c in connections if c.laddr)
