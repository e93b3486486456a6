"""The nodes' repairs, batch after batch, each when Cassandra has come to rest."""

import asyncio
from collections.abc import Mapping, Sequence

from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.event_streams import Events, merged
from atlasdb_recovery.procedure.guards.guard import GuardStatus
from atlasdb_recovery.procedure.guards.node_guards import NothingRunning
from atlasdb_recovery.procedure.node_repair import NodeRepair
from atlasdb_recovery.procedure.planned_repair import PlannedRepair
from atlasdb_recovery.procedure.server_question import ServerQuestion
from atlasdb_recovery.procedure.step import StepFailure

REPAIRED = "repaired"
QUESTIONS_AT_ONCE = 2
"""Nodetools beside those that repair: each is a Java process on this machine."""
ASKED_AT_ONCE = 8
"""The same where nothing repairs yet."""


class RepairBatches:
    """Runs the planned repairs. A failure ends it with its batch; what the operator stops, the others outlive."""

    def __init__(
        self, context: Context, step: str, planned: Mapping[str, PlannedRepair], tables: tuple[str, ...]
    ) -> None:
        self._context = context
        self._step = step
        self._planned = planned
        self._tables = tables
        self._turn = asyncio.Semaphore(QUESTIONS_AT_ONCE)
        self._going_on: list[NodeRepair] = []

    async def events(self, batches: Sequence[Sequence[str]]) -> Events:
        with self._context.controls.offering([node for batch in batches for node in batch]) as stops:
            async for event in self._rest_everywhere():
                yield event
            for batch in batches:
                if all(stops[node].is_set() for node in batch):
                    continue
                async for event in self._rest():
                    yield event
                if self._going_on:
                    return
                repairs = [self._repair(node, stops[node]) for node in batch if not stops[node].is_set()]
                async for event in merged([self._to_its_end(repair) for repair in repairs]):
                    yield event
                self._going_on += [repair for repair in repairs if repair.goes_on]
                if any(not self._is_repaired(repair) and not stops[repair.planned.node].is_set() for repair in repairs):
                    return

    async def _rest_everywhere(self) -> Events:
        """Where a repair of this session was interrupted, Cassandra may still be at it: nothing begins before its end.

        Raises StepFailure if that does not come.
        """
        seen = self._context.state.guards.get(self._step, {}).get(NothingRunning().name)
        if seen is None or seen.status != GuardStatus.WARNED:
            return
        nodes = [node.address for node in (await self._context.cluster.identity()).nodes]
        questions = {node: ServerQuestion(self._context, self._step, node) for node in nodes}
        turn = asyncio.Semaphore(ASKED_AT_ONCE)

        async def ask(question: ServerQuestion) -> None:
            async with turn:
                await question.asked()

        await asyncio.gather(*map(ask, questions.values()))
        for node, question in questions.items():
            if question.repairing is not False:
                async for event in question.until_still(self._context.controls.nothing_left):
                    yield event
            if question.repairing is not False:
                raise StepFailure(
                    f"{node} has not come to rest, so no other repair can begin",
                    remedy="Wait until nodetool netstats and tpstats show no repair on any node, then retry.",
                )

    async def _rest(self) -> Events:
        """Until no server goes on with a stopped repair: another one of the same ranges would fail, or help nobody."""
        for repair in self._going_on:
            async for event in repair.afterwards(self._context.controls.nothing_left):
                yield event
        self._going_on = [repair for repair in self._going_on if repair.goes_on]

    async def _to_its_end(self, repair: NodeRepair) -> Events:
        async for event in repair.events():
            yield event
        self._context.controls.ended(repair.planned.node)

    def _repair(self, node: str, stop: asyncio.Event) -> NodeRepair:
        return NodeRepair(self._context, self._step, self._planned[node], self._tables, stop, self._turn)

    def _is_repaired(self, repair: NodeRepair) -> bool:
        judged = self._context.state.repairs.get(repair.planned.node)
        return judged is not None and judged.verdict == REPAIRED
