"""Guards that ask each node through nodetool."""

import asyncio

from atlasdb_recovery.cassandra.activity import running_repairs_and_streams
from atlasdb_recovery.cassandra.node_reports.node import read_info
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.facts import THRIFT_DISABLED
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed, warned
from atlasdb_recovery.procedure.steps.names import REPAIR


class NodetoolAnswers(Guard):
    proves = "nodetool of every node answers, and is that node's: no node can be repaired three times for three nodes."
    remedy = (
        "Check nodetool.command in the settings: it must hold {address} or a {jmx_port} of the node's own "
        "(nodetool.nodes), and JMX must be reachable from here."
    )

    async def check(self, context: Context) -> GuardResult:
        nodes = (await context.cluster.identity()).nodes
        addresses = [node.address for node in nodes]
        outputs = await asyncio.gather(*(context.nodetool.run(address, "info") for address in addresses))
        answered = {}
        for node, output in zip(nodes, outputs, strict=True):
            if output.exit_code != 0:
                said = (output.stderr or output.stdout).strip().splitlines()
                return blocked(f"{node.address}: nodetool info ends with {output.exit_code}: {said[0] if said else ''}")
            answered[node.address] = read_info(output.stdout).host_id
            own = await context.cluster.node(node.address)
            if answered[node.address] != own.host_id:
                return blocked(
                    f"nodetool for {node.address} reaches host {answered[node.address]}, but that node is {own.host_id}"
                )
        if len(set(answered.values())) != len(answered):
            return blocked("two addresses reach the same node")
        return passed(f"{len(answered)} of {len(answered)} nodes answer, each with its own host id")


class NothingRunning(Guard):
    proves = "No repair, validation or stream is running on any node."
    remedy = (
        "Wait until nodetool netstats is empty on every node: a stream may deliver rows long after its repair ended."
    )

    async def check(self, context: Context) -> GuardResult:
        addresses = [node.address for node in (await context.cluster.identity()).nodes]
        found = await asyncio.gather(*(running_repairs_and_streams(context.nodetool, a) for a in addresses))
        running = [f"{address}: {line}" for address, lines in zip(addresses, found, strict=True) for line in lines]
        if not running:
            return passed(f"nothing runs on {len(addresses)} nodes")
        repair = context.state.step(REPAIR)
        if repair.began and not repair.is_settled:
            return warned(f"this session's own repair may be going on; it is waited for: {'; '.join(running)}")
        return blocked("; ".join(running))


class ThriftClosed(Guard):
    proves = "Nobody can reach the keyspace through Thrift while it is being restored."
    remedy = "Answer disable-thrift: true, or run nodetool disablethrift on every node; enable it again at the end."

    async def check(self, context: Context) -> GuardResult:
        addresses = [node.address for node in (await context.cluster.identity()).nodes]
        outputs = await asyncio.gather(*(context.nodetool.run(address, "info") for address in addresses))
        active = {a: read_info(o.stdout).thrift_active for a, o in zip(addresses, outputs, strict=True)}
        if all(state is None for state in active.values()):
            return not_applicable("this version has no Thrift server")
        if open_on := sorted(address for address, state in active.items() if state):
            return warned(f"Thrift is on at {', '.join(open_on)}: a service that starts now would reach the keyspace")
        since = " by this session" if context.state.fact(THRIFT_DISABLED) else ""
        return passed(f"Thrift is switched off on every node{since}")
