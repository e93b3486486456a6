"""Guards against anybody else at the keyspace."""

from typing import Any

import msgspec

from atlasdb_recovery.atlas import timestamp_bound
from atlasdb_recovery.atlas.timestamp_bound import ALLOCATION_BUFFER, BOUND_POSITION
from atlasdb_recovery.cassandra.ports import Clients
from atlasdb_recovery.cassandra.sockets import strangers_at
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed, warned
from atlasdb_recovery.procedure.guards.traffic_counters import moving_counters
from atlasdb_recovery.procedure.step import confirmed
from atlasdb_recovery.procedure.steps.names import FAST_FORWARD
from atlasdb_recovery.procedure.timestamp_row import timestamp_row

DEFAULT_PORTS = frozenset({9042, 9142, 9160})
"""Native, native with TLS, Thrift: looked at whatever the settings name, a service may use another than we do."""


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
    ports = DEFAULT_PORTS | {context.settings.cql.port, *(host.port for host in context.settings.service.thrift_hosts)}
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
        if moving := await moving_counters(context, seen.blind):
            return blocked("; ".join(moving))
        said = confirmed(context.answer("offline"))
        word = "the operator says it is offline" if said else "nobody has said yet that the service is offline"
        return warned(
            f"{', '.join(seen.blind)} cannot list clients; their request and write counters stand still, and {word}",
            "An idle service does not show in counters: stop every instance, then answer offline: true.",
        )


def _shown(clients: Clients) -> str:
    who = ", ".join(
        f"{c.address}{'' if c.port is None else f':{c.port}'} (user {c.user or '?'}, driver {c.driver or '?'})"
        for c in clients.others[:5]
    )
    more = f" and {len(clients.others) - 5} more" if len(clients.others) > 5 else ""
    return f"{clients.node}: {who}{more}"


class TimestampRowUnchanged(Guard):
    proves = "Nobody but this program has written the timestamp bound since the store was restored."
    remedy_is_drastic = True
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
        return blocked(f"the timestamp row had {_cells(then)}, and has {_cells(now)}")


def _cells(row: dict[str, Any]) -> str:
    """The cells as an operator can read them: the bound as a number, others in hex."""
    bound = BOUND_POSITION[1].hex()
    shown = [
        f"bound {int(value, 16)} written at {written}"
        if name == bound and value
        else f"column {name} value 0x{value} written at {written}"
        for name, (value, written) in sorted(row.items())
    ]
    return ", ".join(shown) or "no cell"


def _is_own_fast_forward(context: Context, then: dict[str, Any], now: dict[str, Any]) -> bool:
    """A fast-forward that was killed between its write and its record: the value is exactly what it would write."""
    if not context.state.step(FAST_FORWARD).began:
        return False
    target = facts.required(context, facts.FAST_FORWARD_TIMESTAMP)
    own = timestamp_bound.encode(target + ALLOCATION_BUFFER).hex()
    column = BOUND_POSITION[1].hex()
    others = {name: cell for name, cell in now.items() if name != column}
    return now.get(column, [None])[0] == own and others == {n: c for n, c in then.items() if n != column}
