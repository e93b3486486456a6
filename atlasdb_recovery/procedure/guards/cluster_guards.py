"""Guards over the cluster as a whole."""

import asyncio

from atlasdb_recovery.cassandra.node_reports.membership import Status, read_status
from atlasdb_recovery.cassandra.ring import partitioner_family
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed, warned

CLOCKS_WARN, CLOCKS_BLOCK = 1.0, 10.0
ATLASDB_PARTITIONERS = (
    "com.palantir.atlasdb.keyvalue.cassandra.dht.AtlasDbPartitioner",
    "com.palantir.atlasdb.keyvalue.cassandra.dht.AtlasDbOrderedPartitioner",
    "org.apache.cassandra.dht.ByteOrderedPartitioner",
)


class ClusterIdentityUnchanged(Guard):
    proves = "This is the cluster that the session began on: same name, partitioner, nodes and tokens."
    remedy = "Something replaced a node or the settings point elsewhere. Start a new session on the right cluster."

    async def check(self, context: Context) -> GuardResult:
        now = facts.identity_fact(await context.cluster.identity())
        then = context.state.fact(facts.IDENTITY)
        shown = f"{now['cluster_name']}, {now['partitioner'].rpartition('.')[2]}, {len(now['nodes'])} nodes"
        if then is None:
            return passed(f"{shown}; pinned when the session begins")
        changed = [key for key in now if now[key] != then[key]]
        if changed:
            return blocked("; ".join(f"{key} was {then[key]}, is {now[key]}" for key in changed))
        return passed(f"{shown}, as at the beginning")


class EveryNodeUp(Guard):
    proves = "Every node is up and normal, seen from two nodes, and answers CQL itself."
    remedy = "Start the node, or wait until it is up: nodetool status. Repair and removal need every replica."

    async def check(self, context: Context) -> GuardResult:
        identity = await context.cluster.identity()
        addresses = sorted(node.address for node in identity.nodes)
        vantage = addresses[:2]
        outputs = await asyncio.gather(*(context.nodetool.run(a, "status") for a in vantage))
        troubles = []
        for seen_from, output in zip(vantage, outputs, strict=True):
            troubles += _troubles(seen_from, read_status(output.stdout), identity.host_ids)
        for address in addresses:
            try:
                await context.cluster.node(address)
            except Exception as error:
                troubles.append(f"{address} does not answer CQL: {error}")
        if troubles:
            return blocked("; ".join(troubles))
        return passed(f"{len(addresses)} of {len(addresses)} up and normal, seen from {' and '.join(vantage)}")


def _troubles(seen_from: str, status: Status, expected: frozenset[str]) -> list[str]:
    found = [
        f"{row.address} is {'down' if row.up is False else 'not known to be up'} ({row.state}), seen from {seen_from}"
        for row in status.rows
        if row.up is not True or row.state.upper()[:1] != "N"
    ]
    seen = {row.host_id for row in status.rows}
    found += [f"host {host} is not in the status of {seen_from}" for host in sorted(expected - seen)]
    found += [f"host {host} is known only to nodetool on {seen_from}" for host in sorted(seen - expected)]
    return found


class OneSchemaVersion(Guard):
    proves = "All nodes agree on one schema version."
    remedy = "Wait; if it stays, restart the node that differs (nodetool describecluster shows it)."

    async def check(self, context: Context) -> GuardResult:
        identity = await context.cluster.identity()
        seen = await asyncio.gather(*(context.cluster.node(node.address) for node in identity.nodes))
        versions = {node.address: node.schema_version for node in seen}
        if len(set(versions.values())) > 1:
            return blocked(", ".join(f"{address} has {version}" for address, version in sorted(versions.items())))
        return passed(f"schema version {next(iter(versions.values()), 'none')} on {len(versions)} nodes")


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
        return blocked(f"{partitioner} is not known")


class ReplicationSound(Guard):
    may_be_overruled = True
    proves = "The keyspace's replication can be met by the nodes there are, and is the backup's."
    remedy = "Create the keyspace with the backup's replication, on data centres that exist."

    async def check(self, context: Context) -> GuardResult:
        keyspace, manifest = await context.cluster.keyspace(context.keyspace), context.manifest
        if keyspace is not None:
            replication = dict(keyspace.replication)
        elif manifest is not None:
            replication = dict(manifest.replication)
        else:
            return not_applicable("the keyspace is absent and the backup has no manifest to compare with")
        nodes = (await context.cluster.identity()).nodes
        per_center = {dc: sum(n.data_center == dc for n in nodes) for dc in {n.data_center for n in nodes}}
        strategy = replication.get("class", "").rpartition(".")[2]
        shown = ", ".join(f"{key} {value}" for key, value in sorted(replication.items()) if key != "class")
        if strategy == "SimpleStrategy":
            if int(replication.get("replication_factor", "1")) > len(nodes):
                return blocked(f"SimpleStrategy, {shown}, but there are {len(nodes)} nodes")
            return warned(f"SimpleStrategy, {shown}: AtlasDB wants NetworkTopologyStrategy")
        unmet = [
            f"{dc} wants {factor} replicas and has {per_center.get(dc, 0)} nodes"
            for dc, factor in replication.items()
            if dc != "class" and factor.isdigit() and int(factor) > per_center.get(dc, 0)
        ]
        if unmet:
            return blocked("; ".join(unmet))
        if manifest is not None and keyspace is not None and dict(manifest.replication) != replication:
            return warned(f"{strategy}, {shown}; the backup had {dict(manifest.replication)}")
        return passed(f"{strategy}, {shown}")


class ClocksClose(Guard):
    may_be_overruled = True
    proves = "The nodes' clocks agree: a conditional write is hidden by a cell from a clock ahead of it."
    remedy = "Bring the clocks together (ntp), then check again."

    async def check(self, context: Context) -> GuardResult:
        nodes = (await context.cluster.identity()).nodes
        clocks = [await context.cluster.clock(node.address) for node in nodes]
        offsets = [clock.offset for clock in clocks]
        apart = max(offsets) - min(offsets)
        unsure = max(clock.uncertainty for clock in clocks)
        shown = f"{apart:.3f} s apart (± {unsure:.3f} s)"
        if apart - unsure > CLOCKS_BLOCK:
            return blocked(shown)
        return warned(shown) if apart - unsure > CLOCKS_WARN else passed(shown)
