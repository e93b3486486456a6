"""Streams of events merged, and ended from outside."""

import asyncio

import pytest

from atlasdb_recovery.events import Noted
from atlasdb_recovery.procedure.event_streams import Events, merged, pause, until


class Source:
    """So many events, then, if it hangs, nothing for ever. Knows whether it was closed."""

    def __init__(self, name: str, count: int, *, hangs: bool = False, fails: bool = False) -> None:
        self.name, self.count, self.hangs, self.fails = name, count, hangs, fails
        self.closed = asyncio.Event()

    async def events(self) -> Events:
        try:
            for number in range(self.count):
                yield Noted(level="note", text=f"{self.name}{number}")
                await asyncio.sleep(0)
            if self.fails:
                raise OSError(self.name)
            if self.hangs:
                await asyncio.Event().wait()
        finally:
            self.closed.set()


async def texts(events: Events) -> list[str]:
    return [event.text async for event in events if isinstance(event, Noted)]


async def test_all_events_of_all_sources_each_in_its_order() -> None:
    found = await texts(merged([Source("a", 3).events(), Source("b", 2).events()]))
    assert sorted(found) == ["a0", "a1", "a2", "b0", "b1"]
    assert [text for text in found if text[0] == "a"] == ["a0", "a1", "a2"]


async def test_what_runs_beside_ends_with_the_sources() -> None:
    beside = Source("b", 1, hangs=True)
    assert "a4" in await texts(merged([Source("a", 5).events()], beside=[beside.events()]))
    assert beside.closed.is_set()


async def test_the_first_error_closes_the_others() -> None:
    other = Source("a", 1, hangs=True)
    with pytest.raises(OSError, match="b"):
        await texts(merged([other.events(), Source("b", 1, fails=True).events()]))
    assert other.closed.is_set()


async def test_closing_it_closes_sources_that_nobody_takes_events_from() -> None:
    """More events than it holds back: the sources wait to hand them over, outside of themselves."""
    sources = [Source("a", 1_000), Source("b", 1_000)]
    stream = merged([source.events() for source in sources])
    await anext(stream)
    await asyncio.sleep(0)
    await stream.aclose()
    assert all(source.closed.is_set() for source in sources)


async def test_until_stopped() -> None:
    stop, source = asyncio.Event(), Source("a", 2, hangs=True)
    taken = []
    async for event in until(source.events(), stop):
        taken.append(event)
        if len(taken) == 2:
            asyncio.get_running_loop().call_soon(stop.set)
    assert len(taken) == 2
    assert source.closed.is_set()


async def test_until_the_source_ends_or_fails_by_itself() -> None:
    stop = asyncio.Event()
    assert await texts(until(Source("a", 2).events(), stop)) == ["a0", "a1"]
    with pytest.raises(OSError, match="a"):
        await texts(until(Source("a", 2, fails=True).events(), stop))


async def test_stopped_before_it_began_nothing_comes() -> None:
    stop = asyncio.Event()
    stop.set()
    assert await texts(until(Source("a", 2).events(), stop)) == []


async def test_cancelled_while_it_waits_the_source_is_closed() -> None:
    source = Source("a", 1, hangs=True)
    task = asyncio.create_task(texts(until(source.events(), asyncio.Event())))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert source.closed.is_set()


async def test_a_pause_ends_by_time_or_by_word() -> None:
    never, stop = asyncio.Event(), asyncio.Event()

    async def for_ever(seconds: float) -> None:
        await never.wait()

    async def at_once(seconds: float) -> None:
        assert seconds == 5.0

    await pause(at_once, 5.0, stop)
    asyncio.get_running_loop().call_soon(stop.set)
    await pause(for_ever, 5.0, stop)
    assert stop.is_set()
