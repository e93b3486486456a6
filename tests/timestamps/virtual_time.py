"""An event loop whose clock jumps: waiting takes no time, and every schedule is the same each time."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")


class _NothingToSelect(selectors.DefaultSelector):
    """Where the loop would wait, its clock goes on instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits for nothing: a deadlock")
        self.now += timeout
        return []


class VirtualTime(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _NothingToSelect()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def played(scene: Callable[[VirtualTime], Awaitable[Result]]) -> Result:
    """The scene to its end, at once."""
    loop = VirtualTime()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(scene(loop))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()
