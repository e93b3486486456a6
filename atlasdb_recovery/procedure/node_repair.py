"""One node's repair: run nodetool, judge each transcript, and ask the server where that cannot tell."""

import asyncio
from collections.abc import Iterable

import msgspec

from atlasdb_recovery.cassandra.ports import ClusterUnreachable, NotEnoughReplicas
from atlasdb_recovery.cassandra.repair import Judgement, Verdict, confirmed_by_server, judge
from atlasdb_recovery.cassandra.repair_ranges import Range
from atlasdb_recovery.cassandra.unattended_repair import what_goes_on
from atlasdb_recovery.events import Noted, RangesRepaired, RepairJudged, RepairStopped
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.event_streams import Events, merged
from atlasdb_recovery.procedure.judged_node import judged_node
from atlasdb_recovery.procedure.planned_repair import PlannedRepair
from atlasdb_recovery.procedure.ranges_shown import RangesShown
from atlasdb_recovery.procedure.repair_run import RepairRun
from atlasdb_recovery.procedure.repair_watch import RepairWatch
from atlasdb_recovery.procedure.server_question import ServerQuestion

STOPPED = "stopped by the operator"
NEVER_ENDED = "nodetool never heard of its end, though the node was at nothing any more"


class Judged(msgspec.Struct):
    """One command's judgement: by its transcript, and, where that cannot tell, with what the server remembers."""

    covered: frozenset[Range]
    since: float
    transcript: Judgement
    judgement: Judgement


class NodeRepair:
    """Repairs what is left of a node's primary ranges. `events` ends with a RepairJudged.

    `goes_on` afterwards: the server was still at it, or could not be asked, when nodetool was gone.
    """

    def __init__(
        self,
        context: Context,
        step: str,
        planned: PlannedRepair,
        tables: tuple[str, ...],
        stop: asyncio.Event,
        turn: asyncio.Semaphore,
    ) -> None:
        before = context.state.repairs.get(planned.node)
        self.planned = planned
        self.goes_on = False
        self._context = context
        self._step = step
        self._node = planned.node
        self._tables = tables
        self._stop = stop
        self._turn = turn
        self._attempt = 1 if before is None else before.attempt + 1
        self._shown = RangesShown(planned.expected, planned.proven)
        self._judged: list[Judged] = []

    async def events(self) -> Events:
        for command in self.planned.commands:
            if self._stop.is_set() or self.goes_on:
                break
            async for event in self._command(command):
                yield event
        yield self._verdict()

    async def afterwards(self, stop: asyncio.Event) -> Events:
        """For a repair that goes on by itself: wait until the node is still, or for `stop`, and judge again."""
        async for event in self._ask(self._judged[-1], stop):
            yield event
        yield self._verdict()

    async def _command(self, command: tuple[str, ...]) -> Events:
        covered, since = self.planned.covered_by(command), await self._node_time()
        run = RepairRun(self._context, self._step, self._node, command, self._shown, self._stop)
        watch = RepairWatch(self._context, self._step, self._node, run, since, self._turn)
        async for event in merged([run.events()], beside=[watch.events()]):
            yield event
        judgement = self._by_transcript(command, run, covered)
        if run.was_stopped:
            yield RepairStopped(step=self._step, node=self._node, goes_on=what_goes_on(await self._release()))
            judgement = msgspec.structs.replace(judgement, reasons=(STOPPED, *judgement.reasons))
        elif run.was_given_up:
            judgement = msgspec.structs.replace(judgement, reasons=(NEVER_ENDED, *judgement.reasons))
        self._judged.append(Judged(covered, since, judgement, judgement))
        if judgement.verdict is Verdict.UNKNOWN:
            yield Noted(
                step=self._step,
                level="warning",
                text=f"{self._node}: the transcript cannot tell ({'; '.join(judgement.reasons)}); asking the server",
            )
            async for event in self._ask(self._judged[-1], self._stop):
                yield event

    def _by_transcript(self, command: tuple[str, ...], run: RepairRun, covered: frozenset[Range]) -> Judgement:
        by_default = self.planned.full_by_default
        return judge(command, run.lines, exit_code=run.exit_code, expected=covered, full_by_default=by_default)

    async def _ask(self, judged: Judged, stop: asyncio.Event) -> Events:
        """What nodetool could not tell: wait until the node is still, then take what it remembers."""
        if await self._has_one_replica(judged.covered):
            judged.judgement = _one_replica(judged.covered)
            return
        question = ServerQuestion(self._context, self._step, self._node)
        async for event in question.until_still(stop):
            yield event
        self.goes_on = question.repairing is not False
        judged.judgement = await self._remembered(judged)
        done, _ = self._shown.take(done=judged.judgement.ranges_proven)
        if done:
            yield RangesRepaired(step=self._step, node=self._node, ranges=done)

    async def _remembered(self, judged: Judged) -> Judgement:
        cluster, keyspace = self._context.cluster, self._context.keyspace
        try:
            records = [r for table in self._tables for r in await cluster.repairs(keyspace, table, judged.since)]
        except (ClusterUnreachable, NotEnoughReplicas) as error:
            reason = f"what the server remembers could not be read: {error}"
            return msgspec.structs.replace(judged.transcript, reasons=(reason, *judged.transcript.reasons))
        return confirmed_by_server(judged.transcript, records, keyspace, self._tables, judged.covered)

    def _verdict(self) -> RepairJudged:
        return judged_node(
            self._step,
            self.planned,
            self._tables,
            [(each.covered, each.judgement) for each in self._judged],
            self._attempt,
        )

    async def _has_one_replica(self, covered: Iterable[Range]) -> bool:
        ranges = await self._context.cluster.ranges(self._context.keyspace)
        replicas = {(r.start, r.end): r.replicas for r in ranges}
        return all(len(replicas[span]) == 1 for span in covered)

    async def _release(self) -> str:
        try:
            return (await self._context.cluster.node(self._node)).release_version
        except (ClusterUnreachable, NotEnoughReplicas):
            return ""

    async def _node_time(self) -> float:
        """Now, by the clock that the node's own records bear; by ours where it does not answer."""
        now = self._context.seconds_now()
        try:
            clock = await self._context.cluster.clock(self._node)
        except (ClusterUnreachable, NotEnoughReplicas):
            return now
        return now + clock.offset - clock.uncertainty


def _one_replica(covered: frozenset[Range]) -> Judgement:
    return Judgement(
        verdict=Verdict.REPAIRED,
        reasons=("replication factor 1: there is no other replica to differ from",),
        ranges_done=covered,
        ranges_failed=frozenset(),
        ranges_expected=len(covered),
        parent_ids=(),
        ranges_proven=covered,
    )
