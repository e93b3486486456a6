"""What a node says of its repair while nodetool is silent or merely slow: bytes, and whether it is still at it."""

import asyncio
from collections.abc import Iterator

from atlasdb_recovery.cassandra.activity import Activity, visible_activity
from atlasdb_recovery.cassandra.node_reports import UnreadableReport
from atlasdb_recovery.cassandra.ports import ClusterUnreachable, NodetoolFailed, NotEnoughReplicas, RepairWork
from atlasdb_recovery.cassandra.repair_work import SeenWork
from atlasdb_recovery.events import Noted, Progressed, ServerAsked
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.event_streams import Events
from atlasdb_recovery.procedure.repair_run import RepairRun
from atlasdb_recovery.procedure.server_question import STILL, ServerQuestion

SILENT_AFTER = 30.0
STILL_AT_MOST = 3
"""Answers in one silence that the node is at nothing: then the end of its repair was lost on its way to nodetool."""
UNANSWERED_AT_MOST = 20
"""The same where it cannot be asked: a broken connection may be whole again."""
SHORTEST_WAIT = 0.1


class RepairWatch:
    """Asks the node at a gentle pace, one question at a time, and never says what became of the repair.

    A nodetool that stays silent while its node is at nothing is ended, so that the server can be asked for the outcome.

    `turn` is shared with the watches of other nodes, so that this machine does not run a nodetool for each at once.
    `since` is the node's own time at which its repair began.
    """

    def __init__(
        self, context: Context, step: str, node: str, run: RepairRun, since: float, turn: asyncio.Semaphore
    ) -> None:
        self._context = context
        self._step = step
        self._node = node
        self._run = run
        self._since = since
        self._turn = turn
        self._question = ServerQuestion(context, step, node)
        self._seen = SeenWork()
        self._asked_at = self._told_at = context.seconds_now()
        self._answers: list[bool | None] = []
        self._shown: dict[str, tuple[int, int]] = {}

    async def events(self) -> Events:
        """Until it is closed."""
        while True:
            await self._context.wait(self._seconds_left())
            async with self._turn:
                now = self._context.seconds_now()
                silent, seen = now - self._run.heard_at, None
                if silent >= SILENT_AFTER and now - self._told_at >= SILENT_AFTER:
                    answer = await self._question.asked(
                        silent_seconds=silent, when_still=f"{STILL}, though nodetool has not ended"
                    )
                    yield answer
                    if self._is_hopeless(answer):
                        yield self._given_up(answer)
                    self._told_at, seen = self._context.seconds_now(), self._question.seen
                for progressed in self._progressed(await self._work(seen)):
                    yield progressed
            self._asked_at = self._context.seconds_now()

    def _is_hopeless(self, answer: ServerAsked) -> bool:
        if self._run.heard_at > self._told_at or answer.repairing:
            self._answers.clear()
        if not answer.repairing:
            self._answers.append(answer.repairing)
        return self._answers.count(False) >= STILL_AT_MOST or len(self._answers) >= UNANSWERED_AT_MOST

    def _given_up(self, answer: ServerAsked) -> Noted:
        self._run.give_up()
        text = (
            f"{self._node}: nodetool has said nothing for {answer.silent_seconds:.0f} s; it is ended: {answer.answer}"
        )
        return Noted(step=self._step, level="warning", text=text)

    def _seconds_left(self) -> float:
        next_silence = max(self._run.heard_at, self._told_at) + SILENT_AFTER
        due = min(self._asked_at + self._context.settings.repair.ask_every, next_silence)
        return max(due - self._context.seconds_now(), SHORTEST_WAIT)

    async def _work(self, seen: Activity | None) -> RepairWork | None:
        """None where nothing was to be had: figures that are only shown are worth no trouble."""
        try:
            work = await self._context.cluster.repair_work(self._node, self._since)
            if work is None:
                work = self._seen.after(seen or await visible_activity(self._context.nodetool, self._node))
        except (NodetoolFailed, UnreadableReport, ClusterUnreachable, NotEnoughReplicas):
            return None
        return work

    def _progressed(self, work: RepairWork | None) -> Iterator[Progressed]:
        if work is None:
            return
        figures = {
            "bytes validated": (work.validated, work.to_validate),
            "bytes streamed": (work.streamed, work.to_stream),
        }
        for unit, (done, total) in figures.items():
            if total and self._shown.get(unit) != (done, total):
                self._shown[unit] = done, total
                yield Progressed(step=self._step, unit=unit, done=done, total=total, scope=self._node)
