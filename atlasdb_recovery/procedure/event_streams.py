"""Events from several sources as one stream, and streams that can be told to end."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from atlasdb_recovery.events import Event

Item = TypeVar("Item")
Events = AsyncGenerator[Event, None]


async def merged(sources: Sequence[Events], *, beside: Sequence[Events] = ()) -> Events:
    """The events of several sources as they come, and those of others beside them, until the sources have ended.

    The first error, and closing it, closes them all.
    """
    queue: asyncio.Queue[Event | BaseException | None] = asyncio.Queue(maxsize=100)

    async def drain(source: Events, *, counts: bool) -> None:
        try:
            async with aclosing(source):
                async for event in source:
                    await queue.put(event)
            if counts:
                await queue.put(None)
        except Exception as error:
            await queue.put(error)

    running = [asyncio.create_task(drain(source, counts=True)) for source in sources]
    running += [asyncio.create_task(drain(source, counts=False)) for source in beside]
    try:
        left = len(sources)
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


async def until(source: AsyncGenerator[Item, None], *stops: asyncio.Event) -> AsyncGenerator[Item, None]:
    """The source's items until it ends or one of `stops` is set; then it is closed, whatever it is waiting for."""
    stopping = [asyncio.ensure_future(stop.wait()) for stop in stops]
    following: asyncio.Future[Item | None] | None = None
    try:
        while not any(stop.is_set() for stop in stops):
            following = asyncio.ensure_future(anext(source, None))
            await asyncio.wait({following, *stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not following.done() or (item := following.result()) is None:
                return
            yield item
    finally:
        for each in stopping:
            each.cancel()
        if following is not None and not following.done():
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        await source.aclose()


async def pause(wait: Callable[[float], Awaitable[None]], seconds: float, stop: asyncio.Event) -> None:
    """Wait so long, or until `stop` is set."""
    waiting = [asyncio.ensure_future(wait(seconds)), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
