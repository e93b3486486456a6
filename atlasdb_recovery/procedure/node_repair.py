"""One node's repair: run nodetool, stream its lines, judge the transcript, and ask the server where it can't tell."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from atlasdb_recovery.cassandra.activity import running_repairs_and_streams
from atlasdb_recovery.cassandra.ports import Finished, Line, NodetoolFailed
from atlasdb_recovery.cassandra.repair import Judgement, RepairProgress, Verdict, confirmed_by_server, judge
from atlasdb_recovery.events import CommandEnded, CommandStarted, Event, LinePrinted, Noted, Progressed, RepairJudged
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure.context import Context

ASKED_EVERY = 5.0
ASKED_FOR_AT_MOST = 6 * 3600.0


class NodeRepair:
    """Repairs one node's primary ranges of some tables. `events` ends with a RepairJudged."""

    def __init__(
        self,
        context: Context,
        step: str,
        node: str,
        tables: tuple[str, ...],
        command: Sequence[str],
        expected: frozenset[tuple[str, str]],
    ) -> None:
        self._context = context
        self._step = step
        self._node = node
        self._tables = tables
        self._command = tuple(command)
        self._expected = expected
        self._lines: list[Line] = []
        self._exit_code: int | None = None

    async def events(self) -> AsyncIterator[Event]:
        began = self._context.seconds_now()
        before = self._context.state.repairs.get(self._node)
        attempt = 1 if before is None else before.attempt + 1
        async for event in self._run():
            yield event
        judgement = judge(self._command, self._lines, exit_code=self._exit_code, expected=self._expected)
        if judgement.verdict is Verdict.UNKNOWN:
            yield Noted(
                step=self._step,
                level="warning",
                text=f"{self._node}: the transcript cannot tell ({'; '.join(judgement.reasons)}); asking the server",
            )
            judgement = await self._asked(judgement, began)
        yield RepairJudged(
            step=self._step,
            node=self._node,
            tables=self._tables,
            verdict=judgement.verdict.value,
            reasons=tuple(plain(reason) for reason in judgement.reasons),
            ranges=tuple(sorted(f"({start},{end}]" for start, end in self._done(judgement))),
            attempt=attempt,
        )

    async def _run(self) -> AsyncIterator[Event]:
        shown = self._context.nodetool.command(self._node, *self._command)
        yield CommandStarted(step=self._step, source=self._node, command=shown)
        progress = RepairProgress()
        try:
            async for item in self._context.nodetool.stream(self._node, *self._command):
                if isinstance(item, Finished):
                    self._exit_code = item.exit_code
                    yield CommandEnded(
                        step=self._step, source=self._node, exit_code=item.exit_code, seconds=item.seconds
                    )
                    continue
                self._lines.append(item)
                progress.add(item)
                yield LinePrinted(
                    step=self._step, source=self._node, stream=item.stream, text=plain(item.text), at=item.at
                )
                yield Progressed(
                    step=self._step,
                    unit="ranges",
                    done=len(progress.ranges_done),
                    total=len(self._expected),
                    scope=self._node,
                )
        except NodetoolFailed as error:
            yield Noted(step=self._step, level="warning", text=plain(f"{self._node}: {error}"))

    async def _asked(self, judgement: Judgement, began: float) -> Judgement:
        """nodetool may have died while the repair goes on: wait until the node is still, then ask what it remembers."""
        if await self._has_one_replica():
            return Judgement(
                verdict=Verdict.REPAIRED,
                reasons=("replication factor 1: there is no other replica to differ from",),
                ranges_done=self._expected,
                ranges_failed=frozenset(),
                ranges_expected=len(self._expected),
                parent_ids=(),
            )
        deadline = self._context.seconds_now() + ASKED_FOR_AT_MOST
        while await running_repairs_and_streams(self._context.nodetool, self._node):
            if self._context.seconds_now() > deadline:
                return judgement
            await self._context.wait(ASKED_EVERY)
        cluster, keyspace = self._context.cluster, self._context.keyspace
        records = [r for table in self._tables for r in await cluster.repairs(keyspace, table, began)]
        return confirmed_by_server(judgement, records, keyspace, self._tables, self._expected)

    async def _has_one_replica(self) -> bool:
        ranges = await self._context.cluster.ranges(self._context.keyspace)
        return all(len(r.replicas) == 1 for r in ranges if (r.start, r.end) in self._expected)

    def _done(self, judgement: Judgement) -> frozenset[tuple[str, str]]:
        return self._expected if judgement.verdict is Verdict.REPAIRED else judgement.ranges_done


async def merged(sources: Sequence[AsyncIterator[Event]]) -> AsyncIterator[Event]:
    """The events of several iterators as they come; the first error, and stopping it, stops them all."""
    queue: asyncio.Queue[Event | BaseException | None] = asyncio.Queue(maxsize=100)

    async def drain(source: AsyncIterator[Event]) -> None:
        try:
            async for event in source:
                await queue.put(event)
            await queue.put(None)
        except Exception as error:
            await queue.put(error)

    running = [asyncio.create_task(drain(source)) for source in sources]
    try:
        left = len(running)
        while left:
            event = await queue.get()
            if isinstance(event, BaseException):
                raise event
            if event is None:
                left -= 1
            else:
                yield event
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
