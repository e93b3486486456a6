"""A process that backs up or restores, seen from outside: every request passes here, and it can be killed at any."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from functools import partial
from typing import Any

from atlasdb_recovery.events import Event
from atlasdb_recovery.journal.chain import Record
from atlasdb_recovery.journal.record import MemoryJournal
from tests.properties.history import Kill

Before = Callable[[], Awaitable[None]]


class Killed(BaseException):
    """The process is gone."""


class Process:
    """Counts requests and records, and dies at the one that a `Kill` names; then nothing it tries has an effect."""

    def __init__(self, kill: Kill | None = None, before: Before | None = None) -> None:
        self._kill = kill or Kill()
        self._before = before
        self._records = self._requests = 0
        self.is_dead = asyncio.Event()

    async def request(self) -> bool:
        """Before each request; whether the process dies after it."""
        self.require_alive()
        if self._before is not None:
            await self._before()
        self._requests += 1
        dies = self._requests == self._kill.requests
        if dies and not self._kill.is_done:
            self.die()
        return dies

    def recorded(self) -> None:
        self._records += 1
        if self._records == self._kill.records:
            self.die()

    def require_alive(self) -> None:
        if self.is_dead.is_set():
            raise Killed

    def die(self) -> None:
        self.is_dead.set()
        raise Killed

    async def outcome_of(self, session: Coroutine[Any, Any, Any]) -> Any:
        """Run it to its end, or until the process dies: then None."""
        running = asyncio.ensure_future(session)
        death = asyncio.ensure_future(self.is_dead.wait())
        await asyncio.wait((running, death), return_when=asyncio.FIRST_COMPLETED)
        death.cancel()
        if self.is_dead.is_set():
            return None
        return running.result()


def run_alone(session: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """In an event loop of its own; what a killed process leaves behind is cancelled with it, and says nothing."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(lambda *_: None)
        return runner.run(session())


class Requests:
    """A cluster or a nodetool as one process sees it."""

    def __init__(self, target: Any, process: Process) -> None:
        self._target = target
        self._process = process

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        if inspect.isasyncgenfunction(method):
            return partial(self._iterated, method)
        if inspect.iscoroutinefunction(method):
            return partial(self._awaited, method)
        return method

    async def _awaited(self, method: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any) -> Any:
        dies = await self._process.request()
        result = await method(*arguments, **options)
        if dies:
            self._process.die()
        return result

    async def _iterated(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        dies = await self._process.request()
        async with aclosing(method(*arguments, **options)) as items:
            async for item in items:
                if dies:
                    self._process.die()
                self._process.require_alive()
                yield item


class ProcessJournal(MemoryJournal):
    """The session's journal, which outlives the process that writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.process: Process | None = None

    def append(self, event: Event, *, sync: bool = True) -> Record:
        assert self.process is not None
        self.process.require_alive()
        record = super().append(event, sync=sync)
        self.process.recorded()
        return record
