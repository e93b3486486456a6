"""Work that reports as it goes, as a stream of events; and nodetool whose runs are such events."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from atlasdb_recovery.cassandra.copying import CopyFailed
from atlasdb_recovery.cassandra.ports import Finished, Line, Nodetool, Output
from atlasdb_recovery.cassandra.snapshot_files import SnapshotFailed
from atlasdb_recovery.events import CommandEnded, CommandStarted, Event, LinePrinted, Progressed
from atlasdb_recovery.foreign import masked, plain
from atlasdb_recovery.procedure.step import StepFailure

Emit = Callable[[Event], None]


async def events_of(work: Callable[[Emit], Awaitable[None]]) -> AsyncGenerator[Event, None]:
    """The events that the work emits. Closing it cancels the work and waits for its end.

    What a snapshot's work refuses (`SnapshotFailed`, `CopyFailed`) is raised as `StepFailure`.
    """
    queue: asyncio.Queue[Event | None] = asyncio.Queue()

    async def run() -> None:
        try:
            await work(queue.put_nowait)
        finally:
            queue.put_nowait(None)

    task = asyncio.create_task(run())
    try:
        while (event := await queue.get()) is not None:
            yield event
        await task
    except (SnapshotFailed, CopyFailed) as error:
        raise StepFailure(str(error)) from None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Bytes:
    """Counts bytes of one part of the work and emits how far it is."""

    def __init__(self, emit: Emit, scope: str, total: int | None = None, note: str = "") -> None:
        self._emit, self._scope, self._total, self._note = emit, scope, total, note
        self._done = 0

    def __call__(self, count: int) -> None:
        self._done += count
        self._emit(Progressed(unit="bytes", done=self._done, total=self._total, scope=self._scope, note=self._note))


class ReportedNodetool:
    """A nodetool that emits every run: its command, its lines, its end. The source is the node's address."""

    def __init__(self, nodetool: Nodetool, emit: Emit, secrets: frozenset[str]) -> None:
        self._nodetool, self._emit, self._secrets = nodetool, emit, secrets

    def command(self, address: str, *arguments: str) -> tuple[str, ...]:
        return self._nodetool.command(address, *arguments)

    async def run(self, address: str, *arguments: str, timeout: float = 60.0) -> Output:
        command = tuple(plain(word) for word in self.command(address, *arguments))
        self._emit(CommandStarted(source=address, command=command))
        started = asyncio.get_running_loop().time()
        output = await self._nodetool.run(address, *arguments, timeout=timeout)
        for line in output.lines:
            text = plain(masked(line.text, self._secrets))
            self._emit(LinePrinted(source=address, stream=line.stream, text=text, at=line.at))
        seconds = asyncio.get_running_loop().time() - started
        self._emit(CommandEnded(source=address, exit_code=output.exit_code, seconds=seconds))
        return output

    def stream(self, address: str, *arguments: str) -> AsyncGenerator[Line | Finished, None]:
        return self._nodetool.stream(address, *arguments)
