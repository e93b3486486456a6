"""Full repair of the transactions tables on every node, judged by evidence."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Mapping, Sequence

from atlasdb_recovery.atlas.names import TRANSACTIONS
from atlasdb_recovery.cassandra.repair_command import RepairOptions, arguments
from atlasdb_recovery.cassandra.repair_ranges import Range, range_text
from atlasdb_recovery.events import Event, RangesExpected
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.guards.keyspace_guards import TablesUnchanged
from atlasdb_recovery.procedure.judged_node import proven_ranges
from atlasdb_recovery.procedure.node_repair import NEVER_ENDED
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.planned_repair import PlannedRepair, planned_repair
from atlasdb_recovery.procedure.primary_ranges import primary_ranges, repair_batches
from atlasdb_recovery.procedure.repair_batches import REPAIRED, RepairBatches
from atlasdb_recovery.procedure.repaired_tables import CANDIDATES, tables_to_repair
from atlasdb_recovery.procedure.step import Danger, Evidence, Step, StepFailure

PROBES_AT_ONCE = 8
RANGES_SHOWN = 20
HELD_UP = "a repair there may wait up to an hour for the answer of a node that died, and holds up the next one"
NODES_SHOWN = 10


class Repair(Step):
    name = "repair"
    title = "Repair the transactions tables on every node"
    why = (
        "Replicas were copied at different moments, so one may hold a commit that the others lack. "
        "Unless all replicas agree first, such a commit could come back after the removal."
    )
    danger = Danger.CHANGES

    def __init__(self) -> None:
        self._help: dict[str, str] = {}

    def guards(self, context: Context) -> Sequence[Guard]:
        return preflight.before_repair()

    async def evidence(self, context: Context) -> Evidence | None:
        return None  # what was repaired in this session is looked up node by node

    async def plan(self, context: Context) -> Plan:
        tables = await tables_to_repair(context)
        ring = await context.cluster.ranges(context.keyspace)
        expected = primary_ranges(ring)
        planned = await self._planned(context, expected, tables)
        left = {node: repair.left for node, repair in planned.items()}
        batches = repair_batches(left, ring, parallel=context.settings.repair.parallel)
        return Plan(
            title=_title(context, tables, len(planned), len(expected)),
            lines=tuple(line for batch in batches for node in batch for line in _lines(context, planned[node])),
            depends_on={
                "tables": list(tables),
                "ranges": {node: sorted(map(range_text, spans)) for node, spans in expected.items()},
                "left": {node: sorted(map(range_text, spans)) for node, spans in left.items()},
            },
            facts={
                "tables": list(tables),
                "batches": batches,
                "commands": {node: [list(each) for each in repair.commands] for node, repair in planned.items()},
            },
        )

    async def outlook(self, context: Context) -> Sequence[str]:
        manifest = context.manifest
        known = () if manifest is None else {table.name for table in manifest.tables}
        tables = [name for name in CANDIDATES if name in known] or [TRANSACTIONS]
        nodes = [node.address for node in (await context.cluster.identity()).nodes]
        await self._probe(context, nodes)
        words = {node: arguments(context.keyspace, tables, self._help[node]) for node in nodes}
        return [shlex.join(context.nodetool.command(node, *words[node])) for node in nodes]

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        tables = tuple(plan.facts["tables"])
        expected = primary_ranges(await context.cluster.ranges(context.keyspace))
        planned = {
            node: PlannedRepair(
                node,
                expected[node],
                proven_ranges(context.state.repairs.get(node), tables, expected[node]),
                tuple(tuple(command) for command in commands),
                RepairOptions.in_help(self._help[node]).is_full_by_default,
            )
            for node, commands in plan.facts["commands"].items()
        }
        for node, repair in planned.items():
            yield RangesExpected(step=self.name, node=node, ranges=tuple(map(range_text, sorted(repair.expected))))
        async for event in RepairBatches(context, self.name, planned, tables).events(plan.facts["batches"]):
            yield event
        if unproven := [node for node in planned if not _is_repaired(context, node, tables)]:
            raise _unproven(context, unproven)

    async def _planned(
        self, context: Context, expected: Mapping[str, frozenset[Range]], tables: Sequence[str]
    ) -> dict[str, PlannedRepair]:
        """For every node that is not proven, what its own nodetool is to be told."""
        unproven = [node for node in expected if not _is_repaired(context, node, tables)]
        await self._probe(context, unproven)
        planned = {}
        for node in unproven:
            proven = proven_ranges(context.state.repairs.get(node), tables, expected[node])
            planned[node] = planned_repair(node, expected[node], proven, self._help[node], context.keyspace, tables)
        return planned

    async def _probe(self, context: Context, nodes: Sequence[str]) -> None:
        """What each node's nodetool can do, asked once in a session."""
        turn = asyncio.Semaphore(PROBES_AT_ONCE)

        async def probe(node: str) -> None:
            async with turn:
                self._help[node] = (await context.nodetool.run(node, "help", "repair")).stdout

        await asyncio.gather(*(probe(node) for node in nodes if node not in self._help))

    async def verify(self, context: Context) -> Evidence:
        meant = await TablesUnchanged().check(context)
        if not meant.status.lets_pass:
            raise StepFailure(
                "the repair was not of the tables that are there now",
                evidence=(meant.evidence,),
                remedy=TablesUnchanged.remedy,
            )
        repaired = await repair_evidence(context)
        return Evidence((*repaired.found, meant.evidence))


async def repair_evidence(context: Context) -> Evidence:
    """Every range of the ring is inside a proven repair of its primary; raises StepFailure if one is not."""
    tables = await tables_to_repair(context)
    ring = await context.cluster.ranges(context.keyspace)
    expected = primary_ranges(ring)
    proven = {
        span for node in expected if _is_repaired(context, node, tables) for span in context.state.repairs[node].ranges
    }
    whole = {range_text((span.start, span.end)) for span in ring}
    if missing := sorted(whole - proven):
        raise StepFailure(
            f"{len(missing)} of {len(whole)} token ranges are not proven repaired",
            evidence=tuple(missing[:RANGES_SHOWN]),
            remedy="Retry the repair; it repairs only what is not proven.",
        )
    found = [f"{', '.join(tables)} repaired on {len(expected)} of {len(expected)} nodes, {len(whole)} token ranges"]
    return Evidence(tuple(found))


def _title(context: Context, tables: Sequence[str], planned: int, nodes: int) -> str:
    already = f" of {nodes}; the others are proven" if planned < nodes else ""
    return f"repair {', '.join(tables)} of {context.keyspace} on {planned} nodes{already}"


def _lines(context: Context, repair: PlannedRepair) -> list[str]:
    """Commands as they can be copied; what is said beside them is a comment to a shell."""
    said = repair.describe()
    commands = [shlex.join(context.nodetool.command(repair.node, *command)) for command in repair.commands]
    return [f"# {said}", *commands] if said else commands


def _is_repaired(context: Context, node: str, tables: Sequence[str]) -> bool:
    judged = context.state.repairs.get(node)
    return judged is not None and judged.verdict == REPAIRED and set(judged.tables) >= set(tables)


def _unproven(context: Context, nodes: Sequence[str]) -> StepFailure:
    repairs = context.state.repairs
    judged = [node for node in nodes if node in repairs]
    others = [node for node in nodes if node not in repairs]
    evidence = [f"{node}: {repairs[node].verdict}: {'; '.join(repairs[node].reasons)}" for node in judged]
    if others:
        more = f" and {len(others) - NODES_SHOWN} more" if len(others) > NODES_SHOWN else ""
        evidence.append(f"not begun: {', '.join(others[:NODES_SHOWN])}{more}")
    held_up = [node for node in judged if any(NEVER_ENDED in reason for reason in repairs[node].reasons)]
    restart = f"Then restart Cassandra on {', '.join(held_up)}: {HELD_UP}. " if held_up else ""
    return StepFailure(
        f"the repair is not proven on {', '.join(judged)}" if judged else "the repair has begun on no node",
        evidence=evidence,
        remedy="Look at the node's log and at the reasons above and mend the cause: start what is down. "
        f"{restart}Then retry: what is proven is not repaired again.",
    )
