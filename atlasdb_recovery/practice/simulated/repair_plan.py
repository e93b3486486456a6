"""What a repair command will do: its ranges, and the sessions they go in."""

from collections.abc import Sequence

import msgspec

from atlasdb_recovery.cassandra.ports import TokenRange
from atlasdb_recovery.practice.simulated.dialect import Dialect
from atlasdb_recovery.practice.simulated.node import SimulatedNode
from atlasdb_recovery.practice.simulated.repair_options import RepairOptions
from atlasdb_recovery.practice.simulated.servers import SimulatedServers


class NotRepairable(Exception):
    """The server refuses the command; the message is Cassandra's."""


class Session(msgspec.Struct, frozen=True):
    """Ranges with the same replicas, and who takes part, the coordinator included. On 2.2 one range each."""

    ranges: tuple[TokenRange, ...]
    participants: tuple[str, ...]

    def text(self, old: bool) -> str:
        shown = ", ".join(f"({one.start},{one.end}]" for one in self.ranges)
        return shown if old else f"[{shown}]"


class RepairPlan(msgspec.Struct, frozen=True):
    tables: tuple[str, ...]
    table_ids: tuple[str, ...]
    ranges: tuple[TokenRange, ...]
    sessions: tuple[Session, ...]
    incremental: bool
    pull: bool
    changes_data: bool
    """False for previews and repairs of Paxos state only."""
    refusal: str | None
    """Why the server gives up after it has said what it is about to do."""


def planned(
    servers: SimulatedServers, node: SimulatedNode, keyspace: str, tables: Sequence[str], options: RepairOptions
) -> RepairPlan:
    """Raises `NotRepairable`."""
    known = servers.space(keyspace).tables
    for name in tables:
        if name not in known:
            raise NotRepairable(f"Unknown keyspace/cf pair ({keyspace}.{name})")
    names = tuple(tables) or tuple(known)
    old = servers.dialect is Dialect.PALANTIR
    ranges = _ranges(servers, node, keyspace, options)
    return RepairPlan(
        tables=names,
        table_ids=tuple(known[name].id for name in names),
        ranges=ranges,
        sessions=_sessions(servers, node, ranges, options, one_each=old),
        incremental=options.has("incremental") if old else not options.has("full"),
        pull=options.has("pull"),
        changes_data=not options.flags & {"preview", "validate", "paxos_only"},
        refusal=_refusal(node, keyspace, ranges, options, old=old),
    )


def _ranges(
    servers: SimulatedServers, node: SimulatedNode, keyspace: str, options: RepairOptions
) -> tuple[TokenRange, ...]:
    own = sorted(
        (one for one in servers.ring(keyspace).ranges() if node.address in one.replicas), key=lambda one: one.start
    )
    if "start" in options.values or "end" in options.values:
        start, end = options.values.get("start", ""), options.values.get("end", "")
        for one in own:
            if _contains(one, start, end):
                return (TokenRange(start=start, end=end, replicas=one.replicas),)
        return (TokenRange(start=start, end=end, replicas=()),)
    if options.has("primary_range"):
        tokens = {token.hex() for token in node.place.tokens}
        return tuple(one for one in own if one.end in tokens)
    return tuple(own)


def _refusal(
    node: SimulatedNode, keyspace: str, ranges: Sequence[TokenRange], options: RepairOptions, *, old: bool
) -> str | None:
    """2.2 takes a range that it does not replicate for one with nothing to do, and calls it finished."""
    if options.hosts and node.address not in options.hosts:
        return "The current host must be part of the repair"
    foreign = [one for one in ranges if not one.replicas]
    if foreign and not old:
        return f"Nothing to repair for ({foreign[0].start},{foreign[0].end}] in {keyspace} - aborting"
    return None


def _contains(one: TokenRange, start: str, end: str) -> bool:
    low, high, a, b = (bytes.fromhex(token) for token in (one.start, one.end, start, end))
    if low < high:
        return low <= a < b <= high
    return (a >= low and (not b or b > a)) or (a < b <= high)


def _sessions(
    servers: SimulatedServers,
    node: SimulatedNode,
    ranges: Sequence[TokenRange],
    options: RepairOptions,
    *,
    one_each: bool,
) -> tuple[Session, ...]:
    chosen = _chosen(servers, node, options)
    grouped: dict[object, list[TokenRange]] = {}
    for index, one in enumerate(ranges):
        grouped.setdefault(index if one_each else frozenset(one.replicas), []).append(one)
    sessions = []
    for together in grouped.values():
        participants = tuple(address for address in together[0].replicas if chosen is None or address in chosen)
        if options.has("force"):
            participants = tuple(address for address in participants if servers.nodes[address].up)
        sessions.append(Session(ranges=tuple(together), participants=participants))
    return tuple(sessions)


def _chosen(servers: SimulatedServers, node: SimulatedNode, options: RepairOptions) -> frozenset[str] | None:
    if options.hosts:
        return frozenset(options.hosts)
    centers = set(options.data_centers) | ({node.place.data_center} if options.has("local") else set())
    if centers:
        return frozenset(address for address, one in servers.nodes.items() if one.place.data_center in centers)
    return None
