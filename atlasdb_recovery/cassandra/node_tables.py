"""What one node's own system tables say: itself, its peers, what is left over, what time it is."""

import time
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from atlasdb_recovery.cassandra.connection import Connection
from atlasdb_recovery.cassandra.ports import Consistency, Node, NodeClock, StatementRefused

CLOCK_SAMPLES = 3
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 — what a node says of itself, nothing is bound
Release = tuple[int, int]
_LOCAL = "host_id, data_center, rack, tokens, release_version, schema_version"


class NodeTables:
    """System tables answer for the node that coordinates: every request here is pinned."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def local(self, address: str) -> Node:
        rows = await self._rows(f"SELECT {_LOCAL} FROM system.local", address)  # noqa: S608 — no value in it
        return _node(address, rows[0])

    async def peers(self, address: str) -> tuple[Node, ...]:
        rows = await self._rows(f"SELECT rpc_address, peer, {_LOCAL} FROM system.peers", address)  # noqa: S608
        return tuple(_node(_reachable(row[0], row[1]), row[2:]) for row in rows)

    async def names(self, address: str) -> tuple[str, str]:
        """The cluster's name and partitioner."""
        rows = await self._rows("SELECT cluster_name, partitioner FROM system.local", address)
        return str(rows[0][0]), str(rows[0][1])

    async def clock(self, address: str) -> NodeClock:
        """The sample with the shortest round trip."""
        samples = [await self._clock_sample(address) for _ in range(CLOCK_SAMPLES)]
        return min(samples, key=lambda sample: sample.uncertainty)

    async def _clock_sample(self, address: str) -> NodeClock:
        before, began = time.time(), time.monotonic()
        rows = await self._rows("SELECT toTimestamp(now()) FROM system.local", address)
        half = (time.monotonic() - began) / 2
        return NodeClock(
            node=address, offset=rows[0][0].replace(tzinfo=UTC).timestamp() - (before + half), uncertainty=half
        )

    async def paxos_rows(self, address: str, table_ids: frozenset[str]) -> int:
        count, state, has_more = 0, None, True
        while has_more:
            page = await self._connection.repeatable(
                "SELECT cf_id FROM system.paxos", consistency=Consistency.ONE, node=address, paging_state=state
            )
            count += sum(str(row[0]) in table_ids for row in page.rows)
            state = page.paging_state
            has_more = state is not None
        return count

    async def pending_hints(self, address: str, release: Release) -> int:
        """2.x: rows of `system.hints`, at most 1,000; 4.1 and later: hint files. In between no table tells."""
        if release < (3, 0):
            return len(await self._rows("SELECT target_id FROM system.hints LIMIT 1000", address))
        if release < (4, 1):
            raise StatementRefused(
                f"Cassandra {release[0]}.{release[1]} has no table that tells of pending hints, so whether {address} "
                "holds any is not known. Look into its hints directory, or upgrade to 4.1."
            )
        rows = await self._rows("SELECT host_id, files FROM system_views.pending_hints", address)
        return sum(int(row[1] or 1) for row in rows)

    async def truncations(self, address: str) -> Mapping[str, str]:
        rows = await self._rows("SELECT truncated_at FROM system.local", address)
        return {str(table): bytes(when).hex() for table, when in dict(rows[0][0] or {}).items()}

    async def _rows(self, cql: str, address: str) -> list[Any]:
        return await self._connection.rows(cql, consistency=Consistency.ONE, node=address)


def _reachable(rpc_address: Any, peer: Any) -> str:
    return str(peer if rpc_address is None or str(rpc_address) in WILDCARDS else rpc_address)


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
