"""Guards against anybody else at the keyspace."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from atlasdb_recovery.atlas import timestamp_bound
from atlasdb_recovery.atlas.timestamp_bound import ALLOCATION_BUFFER, BOUND_POSITION
from atlasdb_recovery.cassandra.node_reports.traffic import read_write_counts
from atlasdb_recovery.cassandra.node_reports.work import read_tpstats
from atlasdb_recovery.cassandra.ports import Clients
from atlasdb_recovery.cassandra.sockets import strangers_at
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed, warned
from atlasdb_recovery.procedure.step import confirmed
from atlasdb_recovery.procedure.steps.names import FAST_FORWARD
from atlasdb_recovery.procedure.timestamp_row import timestamp_row

SAMPLED_APART = 2.0
NATIVE_REQUESTS = "Native-Transport-Requests"
OWN_REQUESTS_ALLOWED = 20
"""The driver's heartbeats count too, and on 2.2 each request counts twice."""


class Connected(msgspec.Struct, frozen=True):
    """Who is connected beside us, in words, and the nodes of which that cannot be told."""

    nodes: int
    strangers: tuple[str, ...]
    blind: tuple[str, ...]


async def who_is_connected(context: Context) -> Connected:
    """From the nodes' own lists, and from this machine's sockets for nodes that run on it."""
    addresses = [node.address for node in (await context.cluster.identity()).nodes]
    seen = [await context.cluster.clients(address) for address in addresses]
    strangers = [_shown(clients) for clients in seen if clients.others]
    ports = (context.settings.cql.port, *{host.port for host in context.settings.service.thrift_hosts})
    watched = sorted(context.local_addresses & set(addresses))
    for address in watched:
        strangers += [f"{address}: {who} on port {port}" for who, port in strangers_at(address, ports)]
    blind = [clients.node for clients in seen if not clients.can_tell and clients.node not in watched]
    return Connected(len(addresses), tuple(strangers), tuple(blind))


class NoClientsConnected(Guard):
    proves = "Nobody but this program is connected to any node."
    remedy = "Stop every instance of the service (and anything else named here), then check again."

    async def check(self, context: Context) -> GuardResult:
        seen = await who_is_connected(context)
        if seen.strangers:
            return blocked("; ".join(seen.strangers))
        if not seen.blind:
            return passed(f"nobody else is connected to {seen.nodes} nodes")
        return await self._counters(context, seen.blind)

    async def _counters(self, context: Context, nodes: Sequence[str]) -> GuardResult:
        """Where clients cannot be listed: counters that stand still are the evidence, and the operator's word."""
        before = await _counts(context, nodes)
        await context.wait(SAMPLED_APART)
        after = await _counts(context, nodes)
        moving = [
            f"{node}: {name} rose from {before[node][name]} to {after[node][name]} within {SAMPLED_APART:.0f} s"
            for node in nodes
            for name in after[node]
            if after[node][name] - before[node].get(name, 0) > (OWN_REQUESTS_ALLOWED if name == NATIVE_REQUESTS else 0)
        ]
        if moving:
            return blocked("; ".join(moving))
        word = (
            "the operator says it is offline" if confirmed(context.answer("offline")) else "the operator will be asked"
        )
        return warned(
            f"{', '.join(nodes)} cannot list clients; their request and write counters stand still, and {word}"
        )


async def _counts(context: Context, nodes: Sequence[str]) -> dict[str, dict[str, int]]:
    async def one(node: str) -> dict[str, int]:
        pools, tables = await asyncio.gather(
            context.nodetool.run(node, "tpstats"), context.nodetool.run(node, "cfstats", context.keyspace)
        )
        counts = {NATIVE_REQUESTS: read_tpstats(pools.stdout).pools[NATIVE_REQUESTS].completed}
        if tables.exit_code == 0 and context.keyspace in tables.stdout:
            for (_, table), writes in read_write_counts(tables.stdout).items():
                counts[f"writes to {table}"] = writes
        return counts

    return dict(zip(nodes, await asyncio.gather(*(one(node) for node in nodes)), strict=True))


def _shown(clients: Clients) -> str:
    who = ", ".join(
        f"{c.address}{'' if c.port is None else f':{c.port}'} (user {c.user or '?'}, driver {c.driver or '?'})"
        for c in clients.others[:5]
    )
    more = f" and {len(clients.others) - 5} more" if len(clients.others) > 5 else ""
    return f"{clients.node}: {who}{more}"


class TimestampRowUnchanged(Guard):
    proves = "Nobody but this program has written the timestamp bound since the store was restored."
    remedy = "A timestamp service is running on this keyspace. Stop it; the restore must begin again from the store."

    async def check(self, context: Context) -> GuardResult:
        then = context.state.fact(facts.TIMESTAMP_ROW)
        if then is None:
            return not_applicable("the store has not been restored yet")
        now = await timestamp_row(context)
        if now == then:
            return passed("value and write time of the bound are unchanged")
        if _is_own_fast_forward(context, then, now):
            return passed("the bound is the one that this session's fast-forward wrote before it was interrupted")
        return blocked(f"the row was {then}, is {now}")


def _is_own_fast_forward(context: Context, then: dict[str, Any], now: dict[str, Any]) -> bool:
    """A fast-forward that was killed between its write and its record: the value is exactly what it would write."""
    if not context.state.step(FAST_FORWARD).began:
        return False
    target = facts.required(context, facts.FAST_FORWARD_TIMESTAMP)
    own = timestamp_bound.encode(target + ALLOCATION_BUFFER).hex()
    column = BOUND_POSITION[1].hex()
    others = {name: cell for name, cell in now.items() if name != column}
    return now.get(column, [None])[0] == own and others == {n: c for n, c in then.items() if n != column}
