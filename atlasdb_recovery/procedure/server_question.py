"""The question whether a node is still at its repair, asked of the server and not of nodetool's transcript."""

import asyncio

from atlasdb_recovery.cassandra.activity import Activity, activity
from atlasdb_recovery.cassandra.node_reports import UnreadableReport
from atlasdb_recovery.cassandra.ports import NodetoolFailed
from atlasdb_recovery.events import ServerAsked
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.event_streams import Events, pause

ASKED_FOR_AT_MOST = 6 * 3600.0
UNANSWERED_AT_MOST = 3
TOLD_EVERY = 30.0
ASKED_EVERY = 5.0
EVIDENCE_SHOWN = 4
STILL = "nothing of a repair runs there any more"


class ServerQuestion:
    """Asks one node. `repairing` is its last answer, None where it could not be asked; `seen` what it was at."""

    def __init__(self, context: Context, step: str, node: str) -> None:
        self._context = context
        self._step = step
        self._node = node
        self.repairing: bool | None = None
        self.seen: Activity | None = None

    async def asked(self, *, silent_seconds: float = 0.0, when_still: str = STILL) -> ServerAsked:
        """`when_still` is how it is put that the node is at nothing."""
        try:
            self.seen = await activity(self._context.nodetool, self._node)
        except (NodetoolFailed, UnreadableReport) as error:
            self.seen, self.repairing, answer = None, None, plain(f"it could not be asked: {error}")
        else:
            evidence = self.seen.evidence
            self.repairing = bool(evidence)
            more = f" and {len(evidence) - EVIDENCE_SHOWN} more" if len(evidence) > EVIDENCE_SHOWN else ""
            answer = "; ".join(evidence[:EVIDENCE_SHOWN]) + more if evidence else when_still
        return ServerAsked(
            step=self._step,
            node=self._node,
            answer=answer,
            repairing=self.repairing,
            silent_seconds=round(silent_seconds, 1),
        )

    async def until_still(self, stop: asyncio.Event) -> Events:
        """Asks until the node is at nothing, or `stop` is set, or it does not answer any more; tells what changes."""
        deadline = self._context.seconds_now() + ASKED_FOR_AT_MOST
        told, told_at, unanswered = None, 0.0, 0
        while True:
            answer = await self.asked()
            now = self._context.seconds_now()
            if told is None or told.repairing is not answer.repairing or now - told_at >= TOLD_EVERY:
                yield answer
                told, told_at = answer, now
            unanswered = unanswered + 1 if self.repairing is None else 0
            if self.repairing is False or unanswered == UNANSWERED_AT_MOST or now > deadline or stop.is_set():
                return
            await pause(self._context.wait, ASKED_EVERY, stop)
