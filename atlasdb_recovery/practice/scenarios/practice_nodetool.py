"""nodetool of a practice cluster, with somebody standing before it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from atlasdb_recovery.cassandra.ports import Finished, Line, Nodetool, Output

Before = Callable[[str, Sequence[str]], Awaitable[None]]
Instead = Callable[[str, Sequence[str]], Sequence[str] | None]


async def _nothing(_: str, __: Sequence[str]) -> None:
    """Most commands are run as they are."""


def _as_it_is(_: str, __: Sequence[str]) -> None:
    """The node is asked."""


class PracticeNodetool:
    """Every command goes through here. `before` is awaited first; where `instead` gives lines, these are printed, the
    exit code is 0, and the node is never asked.
    """

    def __init__(self, inner: Nodetool) -> None:
        self._inner = inner
        self.before: Before = _nothing
        self.instead: Instead = _as_it_is

    def reset(self) -> None:
        """Nobody stands before it."""
        self.before, self.instead = _nothing, _as_it_is

    def command(self, address: str, *arguments: str) -> tuple[str, ...]:
        return self._inner.command(address, *arguments)

    async def run(self, address: str, *arguments: str, timeout: float = 60.0) -> Output:
        await self.before(address, arguments)
        printed = self.instead(address, arguments)
        if printed is None:
            return await self._inner.run(address, *arguments, timeout=timeout)
        lines = tuple(Line(at=0.0, stream="stdout", text=text) for text in printed)
        return Output(command=self.command(address, *arguments), exit_code=0, lines=lines)

    async def stream(self, address: str, *arguments: str) -> AsyncGenerator[Line | Finished, None]:
        await self.before(address, arguments)
        printed = self.instead(address, arguments)
        if printed is None:
            stream = self._inner.stream(address, *arguments)
            assert isinstance(stream, AsyncGenerator)
            async with aclosing(stream):
                async for item in stream:
                    yield item
            return
        for text in printed:
            yield Line(at=0.0, stream="stdout", text=text)
        yield Finished(exit_code=0, seconds=0.0)
