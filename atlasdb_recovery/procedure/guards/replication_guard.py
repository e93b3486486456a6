"""The guard over the keyspace's replication."""

from collections import Counter
from collections.abc import Mapping

from atlasdb_recovery.cassandra.ports import ClusterIdentity
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed, unknown, warned

NETWORK, SIMPLE = "NetworkTopologyStrategy", "SimpleStrategy"
FACTOR = "replication_factor"
RESTORE_AGAIN = (
    "Restore the store again, into a keyspace that was created with the backup's replication: what only the replicas "
    "that are missing now had would be lost, and no repair could tell. Overrule it only if these replicas hold all of "
    "the backup's."
)

MORE_REPLICAS = (
    "Restore the store again, into a keyspace that was created with the backup's replication: only AtlasDB's own "
    "tables are repaired here, so reads of the service would miss what its new replicas lack. Overrule it only if the "
    "store was streamed to all replicas (as sstableloader does), or every table is repaired before the service starts."
)


class ReplicationSound(Guard):
    may_be_overruled = True
    proves = "The keyspace's replication can be met by the nodes there are, and is the backup's."
    remedy = "Create the keyspace with the backup's replication, on data centres that exist."

    async def check(self, context: Context) -> GuardResult:
        keyspace, manifest = await context.cluster.keyspace(context.keyspace), context.manifest
        if keyspace is not None:
            replication = _short(keyspace.replication)
        elif manifest is not None:
            replication = _short(manifest.replication)
        else:
            return not_applicable("the keyspace is absent and the backup has no manifest to compare with")
        refusal = _refusal(replication, await context.cluster.identity())
        if refusal is not None:
            return refusal
        remarks = []
        if manifest is not None and (sealed := _short(manifest.replication)) != replication:
            remarks.append(f"the backup had {_shown(sealed)}")
            if not _is_judged(sealed):
                return unknown(f"{_shown(replication)}; {remarks[0]}: where its replicas lay is not known here")
            fewer, more = _fewer_and_more(replication, sealed)
            if fewer:
                remedy = RESTORE_AGAIN if keyspace is not None and keyspace.tables else ""
                return blocked(f"{_shown(replication)}; {remarks[0]}: {'; '.join(fewer)}", remedy)
            if more:
                return blocked(f"{_shown(replication)}; {remarks[0]}: {'; '.join(more)}", MORE_REPLICAS)
        if replication["class"] == SIMPLE:
            remarks.append(f"AtlasDB wants {NETWORK}")
        shown = "; ".join([_shown(replication), *remarks])
        return warned(shown) if remarks else passed(shown)


def _refusal(replication: Mapping[str, str], identity: ClusterIdentity) -> GuardResult | None:
    """Why these nodes cannot hold as many replicas as are wanted; None if they can."""
    strategy, factors = replication["class"], _factors(replication)
    if not _is_judged(replication):
        return unknown(f"{_shown(replication)}: where its replicas lie is not known here")
    if not any(int(factor) for factor in factors.values()):
        return blocked(f"{_shown(replication)}: no data centre holds a replica")
    nodes = Counter(node.data_center for node in identity.nodes)
    if strategy == SIMPLE:
        wanted = int(factors.get(FACTOR, "0"))
        return (
            blocked(f"{_shown(replication)}, but there are {nodes.total()} nodes") if wanted > nodes.total() else None
        )
    unmet = [
        f"{center} wants {factor} replicas and has {nodes[center]} nodes"
        for center, factor in factors.items()
        if int(factor) > nodes[center]
    ]
    return blocked("; ".join(unmet)) if unmet else None


def _fewer_and_more(now: Mapping[str, str], then: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Where there are fewer replicas than the backup had, and where more. Between two strategies their sums count."""
    has, had = _factors(now), _factors(then)
    if now["class"] != then["class"]:
        has, had = ({"the cluster": str(sum(map(int, factors.values())))} for factors in (has, had))
    pairs = {center: (int(has.get(center, "0")), int(had.get(center, "0"))) for center in {**had, **has}}
    fewer = [f"{center} holds {now} replicas of its {then}" for center, (now, then) in pairs.items() if now < then]
    more = [f"{center} holds {now} replicas, and held {then}" for center, (now, then) in pairs.items() if now > then]
    return fewer, more


def _is_judged(replication: Mapping[str, str]) -> bool:
    """Whether it is known here how many replicas there are, and where."""
    return replication["class"] in {NETWORK, SIMPLE} and all(map(str.isdecimal, _factors(replication).values()))


def _factors(replication: Mapping[str, str]) -> dict[str, str]:
    return {name: factor for name, factor in replication.items() if name != "class"}


def _short(replication: Mapping[str, str]) -> dict[str, str]:
    return dict(replication) | {"class": replication.get("class", "").rpartition(".")[2]}


def _shown(replication: Mapping[str, str]) -> str:
    factors = [f"{name} {factor}" for name, factor in sorted(_factors(replication).items())]
    return ", ".join([replication["class"] or "no strategy", *factors])
