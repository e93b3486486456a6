"""Guards that ask each node through nodetool."""

import asyncio

from atlasdb_recovery.atlas.names import TRANSACTIONS
from atlasdb_recovery.cassandra.activity import running_repairs_and_streams
from atlasdb_recovery.cassandra.node_reports.node import read_info
from atlasdb_recovery.cassandra.ports import Node
from atlasdb_recovery.cassandra.repair_command import UnknownRepairDialect, arguments
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.facts import THRIFT_DISABLED
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed, warned
from atlasdb_recovery.procedure.steps.names import REPAIR


class NodetoolAnswers(Guard):
    proves = (
        "nodetool of every node answers, can repair fully, and is that node's: "
        "no node can be repaired three times for three nodes."
    )
    remedy = (
        "Check nodetool.command in the settings: it must hold {address} or a {jmx_port} of the node's own "
        "(nodetool.nodes), and JMX must be reachable from here."
    )

    async def check(self, context: Context) -> GuardResult:
        nodes = (await context.cluster.identity()).nodes
        troubles = [t for t in await asyncio.gather(*(self._trouble(context, node) for node in nodes)) if t]
        if troubles:
            return blocked("; ".join(troubles))
        return passed(f"{len(nodes)} of {len(nodes)} nodes answer, each with its own host id")

    async def _trouble(self, context: Context, node: Node) -> str:
        if trouble := await _reaches_another(context, node):
            return trouble
        try:
            arguments(
                context.keyspace, (TRANSACTIONS,), (await context.nodetool.run(node.address, "help", "repair")).stdout
            )
        except UnknownRepairDialect as error:
            return f"{node.address}: {error}"
        return ""


class NodetoolStillReachesItsNode(NodetoolAnswers):
    proves = "nodetool of every node still is that node's: a session may be resumed with other settings or tunnels."

    async def _trouble(self, context: Context, node: Node) -> str:
        return await _reaches_another(context, node)


async def _reaches_another(context: Context, node: Node) -> str:
    """In words, if nodetool for this node does not answer or is another's; "" if it is this node's."""
    info = await context.nodetool.run(node.address, "info")
    if info.exit_code != 0:
        return f"{node.address}: nodetool info ends with {info.exit_code}: {info.complaint}"
    reached, own = read_info(info.stdout).host_id, await context.cluster.node(node.address)
    if reached != own.host_id:
        return f"nodetool for {node.address} reaches host {reached}, but that node is {own.host_id}"
    if own.host_id != node.host_id:
        return f"{node.address} is host {own.host_id}, but the cluster knows it as {node.host_id}"
    return ""


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
        active = await _thrift(context)
        if all(state is None for state in active.values()):
            return not_applicable("this version has no Thrift server")
        if open_on := sorted(address for address, state in active.items() if state):
            return warned(f"Thrift is on at {', '.join(open_on)}: a service that starts now would reach the keyspace")
        return passed("Thrift is switched off on every node")


class ThriftStaysClosed(Guard):
    proves = "Thrift is still switched off wherever this session has switched it off."
    remedy = "A restarted node switches it on again: run nodetool disablethrift there, and see who connected meanwhile."

    async def check(self, context: Context) -> GuardResult:
        closed = context.state.fact(THRIFT_DISABLED)
        if not closed:
            return not_applicable("this session has not switched Thrift off")
        active = await _thrift(context)
        if open_on := sorted(address for address in closed if active.get(address)):
            return blocked(f"Thrift is on again at {', '.join(open_on)}")
        return passed(f"Thrift is switched off on {', '.join(sorted(closed))}")


async def _thrift(context: Context) -> dict[str, bool | None]:
    """Whether each node's Thrift server runs; None where there is none."""
    addresses = [node.address for node in (await context.cluster.identity()).nodes]
    outputs = await asyncio.gather(*(context.nodetool.run(address, "info") for address in addresses))
    return {a: read_info(o.stdout).thrift_active for a, o in zip(addresses, outputs, strict=True)}
