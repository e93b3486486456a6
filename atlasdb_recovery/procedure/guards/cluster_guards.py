"""Guards over the cluster as a whole: which one it is, whether all of it is there and of one mind."""

import asyncio
from typing import Any

from atlasdb_recovery.atlas.manifest import Manifest
from atlasdb_recovery.cassandra.node_reports.membership import Status, read_status
from atlasdb_recovery.cassandra.ports import ClusterUnreachable, NodeClock, NotEnoughReplicas
from atlasdb_recovery.cassandra.ring import partitioner_family
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, passed, unknown, warned

CLOCKS_WARN, CLOCKS_BLOCK = 1.0, 10.0
ATLASDB_PARTITIONERS = (
    "com.palantir.atlasdb.keyvalue.cassandra.dht.AtlasDbPartitioner",
    "com.palantir.atlasdb.keyvalue.cassandra.dht.AtlasDbOrderedPartitioner",
    "org.apache.cassandra.dht.ByteOrderedPartitioner",
)


class ClusterIdentityUnchanged(Guard):
    proves = "This is the cluster that the session began on: same name, partitioner, nodes and tokens."
    remedy_is_drastic = True
    remedy = "Something replaced a node or the settings point elsewhere. Start a new session on the right cluster."

    async def check(self, context: Context) -> GuardResult:
        now = facts.identity_fact(await context.cluster.identity())
        then = context.state.fact(facts.IDENTITY)
        shown = f"{now['cluster_name']}, {now['partitioner'].rpartition('.')[2]}, {len(now['nodes'])} nodes"
        if then is not None:
            changes = _changes(then, now)
            return blocked("; ".join(changes)) if changes else passed(f"{shown}, as at the beginning")
        if context.manifest is not None and (other := _unlike(context.manifest, now)):
            return warned(
                f"{shown}; pinned when the session begins. The backup was taken of another cluster: {other}",
                "After a total loss that is as it should be. Otherwise check cql.contact_points before going on.",
            )
        return passed(f"{shown}; pinned when the session begins")


def _changes(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    found = [
        f"{key} was {then[key]}, is {now[key]}" for key in ("cluster_name", "partitioner") if then[key] != now[key]
    ]
    was, is_ = ({address: host for host, address in one["nodes"].items()} for one in (then, now))
    for address in sorted({*was, *is_}):
        before, after = was.get(address), is_.get(address)
        if before != after:
            found.append(f"{address} was {_host(before)}, is {_host(after)}")
        elif then["tokens"].get(address) != now["tokens"].get(address):
            found.append(
                f"the tokens of {address} were {then['tokens'].get(address)}, are {now['tokens'].get(address)}"
            )
    return found


def _host(host_id: str | None) -> str:
    return "no node of this cluster" if host_id is None else f"host {host_id}"


def _unlike(manifest: Manifest, now: dict[str, Any]) -> str:
    """What the backed up cluster was, where it was not this one; "" if it was."""
    hosts = {node.host_id for node in manifest.nodes}
    if manifest.cluster_name == now["cluster_name"] and hosts == set(now["nodes"]):
        return ""
    known = len(hosts & set(now["nodes"]))
    return f"{manifest.cluster_name}, {len(hosts)} nodes, {known} of which are nodes of this one"


class EveryNodeUp(Guard):
    proves = "Every node is up and normal, seen from two nodes, and answers CQL itself."
    remedy = "Start the node, or wait until it is up: nodetool status. Repair and removal need every replica."

    async def check(self, context: Context) -> GuardResult:
        identity = await context.cluster.identity()
        addresses = sorted(node.address for node in identity.nodes)
        vantage = addresses[:2]
        troubles = []
        for address in addresses:
            try:
                await context.cluster.node(address)
            except (ClusterUnreachable, NotEnoughReplicas) as error:
                troubles.append(f"{address} does not answer CQL: {error}")
        outputs = await asyncio.gather(*(context.nodetool.run(address, "status") for address in vantage))
        for seen_from, output in zip(vantage, outputs, strict=True):
            if output.exit_code == 0:
                troubles += _troubles(seen_from, read_status(output.stdout), identity.host_ids)
            else:
                troubles.append(f"nodetool status of {seen_from} ends with {output.exit_code}: {output.complaint}")
        if troubles:
            return blocked("; ".join(troubles))
        return passed(f"{len(addresses)} of {len(addresses)} up and normal, seen from {' and '.join(vantage)}")


def _troubles(seen_from: str, status: Status, expected: frozenset[str]) -> list[str]:
    found = [
        f"{row.address} is {_standing(row.up)} (state {row.state}), seen from {seen_from}"
        for row in status.not_up_and_normal
    ]
    seen = {row.host_id for row in status.rows}
    found += [f"host {host} is not in the status of {seen_from}" for host in sorted(expected - seen)]
    found += [f"host {host} is known only to nodetool on {seen_from}" for host in sorted(seen - expected)]
    return found


def _standing(up: bool | None) -> str:
    return {True: "up but not normal", False: "down", None: "not known to be up"}[up]


class OneSchemaVersion(Guard):
    proves = "All nodes agree on one schema version."
    remedy = "Wait; if it stays, restart the node that differs (nodetool describecluster shows it)."

    async def check(self, context: Context) -> GuardResult:
        identity = await context.cluster.identity()
        seen = await asyncio.gather(*(context.cluster.node(node.address) for node in identity.nodes))
        versions = {node.address: node.schema_version for node in seen}
        if silent := sorted(address for address, version in versions.items() if not version):
            return unknown(f"{', '.join(silent)} names no schema version")
        if len(set(versions.values())) > 1:
            return blocked(", ".join(f"{address} has {version}" for address, version in sorted(versions.items())))
        return passed(f"schema version {next(iter(versions.values()))} on {len(versions)} nodes")


class PartitionerSupported(Guard):
    proves = "AtlasDB runs on this partitioner."
    remedy = "AtlasDB keyspaces live on a byte-ordered cluster. Check that the settings name the right one."

    async def check(self, context: Context) -> GuardResult:
        partitioner = (await context.cluster.identity()).partitioner
        manifest = context.manifest
        if manifest is not None and manifest.partitioner != partitioner:
            return blocked(f"the backup was taken on {manifest.partitioner}, this cluster has {partitioner}")
        if partitioner in ATLASDB_PARTITIONERS:
            return passed(partitioner)
        if partitioner_family(partitioner) in {"murmur3", "random"}:
            return warned(
                f"{partitioner}: AtlasDB itself refuses it unless ignorePartitionerChecks is set",
                "Make sure this keyspace really ran on such a cluster.",
            )
        return blocked(f"{partitioner or 'no partitioner'} is not known")


class ClocksClose(Guard):
    may_be_overruled = True
    proves = "The nodes' clocks agree: a conditional write is hidden by a cell from a clock ahead of it."
    remedy = "Bring the clocks together (ntp), then check again."

    async def check(self, context: Context) -> GuardResult:
        nodes = (await context.cluster.identity()).nodes
        clocks = [await context.cluster.clock(node.address) for node in nodes]
        behind, ahead = min(clocks, key=lambda c: c.offset), max(clocks, key=lambda c: c.offset)
        apart = ahead.offset - behind.offset
        unsure = _unsure(ahead, behind)
        shown = f"{apart:.3f} s apart (give or take {unsure:.3f} s)"
        if apart:
            shown += f": {ahead.node} is furthest ahead, {behind.node} furthest behind"
        if apart - unsure > CLOCKS_BLOCK:
            return blocked(shown)
        if apart + unsure > CLOCKS_BLOCK:
            return unknown(
                shown, "The nodes answer too slowly to compare their clocks. Find out why, then check again."
            )
        return warned(shown) if apart + unsure > CLOCKS_WARN else passed(shown)


def _unsure(ahead: NodeClock, behind: NodeClock) -> float:
    """Seconds by which the difference of the two may be wrong."""
    return ahead.uncertainty + behind.uncertainty
