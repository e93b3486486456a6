"""Full repair of the transactions tables on every node, judged by evidence."""

from collections.abc import AsyncIterator, Sequence

from atlasdb_recovery.atlas.names import TRANSACTIONS
from atlasdb_recovery.cassandra.ports import ClusterIdentity, TokenRange
from atlasdb_recovery.cassandra.repair_command import arguments
from atlasdb_recovery.cassandra.repair_schedule import disjoint_batches
from atlasdb_recovery.events import Event, RepairJudged
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.node_repair import NodeRepair, merged
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.repaired_tables import CANDIDATES, tables_to_repair
from atlasdb_recovery.procedure.step import Danger, Evidence, Step, StepFailure

REPAIRED = "repaired"


class Repair(Step):
    name = "repair"
    title = "Repair the transactions tables on every node"
    why = (
        "Replicas were copied at different moments, so one may hold a commit that the others lack. "
        "Unless all replicas agree first, such a commit could come back after the removal."
    )
    danger = Danger.CHANGES

    def guards(self, context: Context) -> Sequence[Guard]:
        return preflight.before_repair()

    async def evidence(self, context: Context) -> Evidence | None:
        return None  # what was repaired in this session is looked up node by node

    async def plan(self, context: Context) -> Plan:
        tables = await tables_to_repair(context)
        expected = await primary_ranges_by_node(context)
        commands = {}
        for node in expected:
            probe = await context.nodetool.run(node, "help", "repair")
            commands[node] = list(arguments(context.keyspace, tables, probe.stdout))
        batches = _batches(context, expected, await context.cluster.ranges(context.keyspace))
        lines = tuple(" ".join(context.nodetool.command(node, *commands[node])) for batch in batches for node in batch)
        return Plan(
            title=f"repair {', '.join(tables)} of {context.keyspace} on {len(expected)} nodes",
            lines=lines,
            depends_on={"tables": list(tables), "ranges": {n: sorted(map(_text, r)) for n, r in expected.items()}},
            facts={"tables": list(tables), "batches": batches, "commands": commands},
        )

    async def outlook(self, context: Context) -> Sequence[str]:
        manifest = context.manifest
        known = () if manifest is None else {table.name for table in manifest.tables}
        tables = [name for name in CANDIDATES if name in known] or [TRANSACTIONS]
        lines = []
        for node in (await context.cluster.identity()).nodes:
            probe = await context.nodetool.run(node.address, "help", "repair")
            words = arguments(context.keyspace, tables, probe.stdout)
            lines.append(" ".join(context.nodetool.command(node.address, *words)))
        return lines

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        tables = tuple(plan.facts["tables"])
        expected = await primary_ranges_by_node(context)
        for batch in plan.facts["batches"]:
            waiting = [node for node in batch if not _is_repaired(context, node, tables)]
            repairs = [
                NodeRepair(context, self.name, node, tables, plan.facts["commands"][node], expected[node])
                for node in waiting
            ]
            async for event in merged([repair.events() for repair in repairs]):
                yield event
            failed = [node for node in waiting if not _is_repaired(context, node, tables)]
            if failed:
                raise StepFailure(
                    f"the repair is not proven on {', '.join(failed)}",
                    evidence=tuple(f"{n}: {'; '.join(context.state.repairs[n].reasons)}" for n in failed),
                    remedy="Look at the node's log and at the reasons above, mend the cause, then retry: "
                    "nodes already repaired are not repaired again.",
                )

    async def verify(self, context: Context) -> Evidence:
        return await repair_evidence(context)


async def repair_evidence(context: Context) -> Evidence:
    """Every range of the ring is inside a proven repair of its primary; raises StepFailure if one is not."""
    tables = await tables_to_repair(context)
    expected = await primary_ranges_by_node(context)
    proven = {
        span for node in expected if _is_repaired(context, node, tables) for span in context.state.repairs[node].ranges
    }
    whole = {_text((r.start, r.end)) for r in await context.cluster.ranges(context.keyspace)}
    if missing := sorted(whole - proven):
        raise StepFailure(
            f"{len(missing)} of {len(whole)} token ranges are not proven repaired",
            evidence=tuple(missing[:20]),
            remedy="Retry the repair; it repairs only what is not proven.",
        )
    found = [f"{', '.join(tables)} repaired on {len(expected)} of {len(expected)} nodes, {len(whole)} token ranges"]
    return Evidence(tuple(found))


async def primary_ranges_by_node(context: Context) -> dict[str, frozenset[tuple[str, str]]]:
    """Address to the ranges that `--partitioner-range` covers there: those whose first replica it is."""
    identity: ClusterIdentity = await context.cluster.identity()
    ranges = await context.cluster.ranges(context.keyspace)
    by_node: dict[str, set[tuple[str, str]]] = {node.address: set() for node in identity.nodes}
    for span in ranges:
        if span.replicas:
            by_node.setdefault(span.replicas[0], set()).add((span.start, span.end))
    return {node: frozenset(spans) for node, spans in sorted(by_node.items()) if spans}


def _batches(
    context: Context, expected: dict[str, frozenset[tuple[str, str]]], ranges: Sequence[TokenRange]
) -> list[list[str]]:
    if not context.settings.repair.parallel:
        return [[node] for node in expected]
    replicas = {
        node: frozenset(replica for r in ranges if (r.start, r.end) in spans for replica in r.replicas)
        for node, spans in expected.items()
    }
    return disjoint_batches(replicas)


def _is_repaired(context: Context, node: str, tables: Sequence[str]) -> bool:
    judged = context.state.repairs.get(node)
    return isinstance(judged, RepairJudged) and judged.verdict == REPAIRED and set(judged.tables) >= set(tables)


def _text(span: tuple[str, str]) -> str:
    return f"({span[0]},{span[1]}]"
