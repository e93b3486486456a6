"""One `nodetool repair` of a node, from its start to its end, or to the operator's word."""

import asyncio
from collections.abc import Iterator

from atlasdb_recovery.cassandra.ports import Finished, Line, NodetoolFailed
from atlasdb_recovery.cassandra.repair import RepairProgress
from atlasdb_recovery.cassandra.repair_transcript import Failed, SessionFinished
from atlasdb_recovery.events import (
    CommandEnded,
    CommandStarted,
    Event,
    LinePrinted,
    Noted,
    Progressed,
    RangesRepaired,
)
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.event_streams import Events, until
from atlasdb_recovery.procedure.ranges_shown import RangesShown


class RepairRun:
    """Streams a node's repair command. `heard_at` is when its last line came, by the context's clock.

    `give_up` ends a nodetool that waits for an end that nobody will tell it any more.
    """

    def __init__(
        self,
        context: Context,
        step: str,
        node: str,
        arguments: tuple[str, ...],
        shown: RangesShown,
        stop: asyncio.Event,
    ) -> None:
        self._context = context
        self._step = step
        self._node = node
        self._arguments = arguments
        self._shown = shown
        self._stop = stop
        self._given_up = asyncio.Event()
        self._progress = RepairProgress()
        self.lines: list[Line] = []
        self.exit_code: int | None = None
        self.heard_at = context.seconds_now()

    @property
    def was_stopped(self) -> bool:
        """Whether nodetool was ended by the operator before it ended by itself."""
        return self._stop.is_set() and self.exit_code is None

    @property
    def was_given_up(self) -> bool:
        return self._given_up.is_set() and self.exit_code is None

    def give_up(self) -> None:
        self._given_up.set()

    async def events(self) -> Events:
        nodetool = self._context.nodetool
        shown = nodetool.command(self._node, *self._arguments)
        yield CommandStarted(step=self._step, source=self._node, command=shown)
        yield self._ranges_progressed()
        try:
            async for item in until(nodetool.stream(self._node, *self._arguments), self._stop, self._given_up):
                if isinstance(item, Finished):
                    self.exit_code = item.exit_code
                    yield CommandEnded(
                        step=self._step, source=self._node, exit_code=item.exit_code, seconds=item.seconds
                    )
                else:
                    for event in self._heard(item):
                        yield event
        except NodetoolFailed as error:
            yield Noted(step=self._step, level="warning", text=plain(f"{self._node}: {error}"))

    def _heard(self, line: Line) -> Iterator[Event]:
        self.lines.append(line)
        self.heard_at = self._context.seconds_now()
        yield LinePrinted(step=self._step, source=self._node, stream=line.stream, text=plain(line.text), at=line.at)
        match self._progress.add(line):
            case SessionFinished(ranges=ranges):
                done, failed = self._shown.take(done=ranges)
            case Failed(ranges=ranges):
                done, failed = self._shown.take(failed=ranges)
            case _:
                return
        if done or failed:
            yield RangesRepaired(step=self._step, node=self._node, ranges=done, failed=failed)
            yield self._ranges_progressed()

    def _ranges_progressed(self) -> Progressed:
        return Progressed(
            step=self._step, unit="ranges", done=self._shown.done, total=self._shown.total, scope=self._node
        )
