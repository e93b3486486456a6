"""Simulated time: several sleepers wake in their order, and nobody overtakes who works."""

import asyncio

from atlasdb_recovery.practice.simulated import SimulatedClock


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock = SimulatedClock(start=0.0)
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, naps: list[float]) -> None:
        for seconds in naps:
            await clock.sleep(seconds)
            woken.append((name, clock.time()))

    await asyncio.gather(sleeper("a", [10.0, 10.0]), sleeper("b", [3.0, 3.0, 3.0]), sleeper("c", [100.0]))
    assert woken == [("b", 3.0), ("b", 6.0), ("b", 9.0), ("a", 10.0), ("a", 20.0), ("c", 100.0)]


async def test_who_works_meanwhile_is_not_overtaken() -> None:
    """Time moves by the work of others; the sleeper wakes when it has come, not before."""
    clock = SimulatedClock(start=0.0)
    sleeping = asyncio.create_task(clock.sleep(10.0))
    await asyncio.sleep(0)
    for _ in range(19):
        clock.advance(0.5)
        await asyncio.sleep(0)
        assert not sleeping.done()
    await sleeping
    assert clock.time() == 10.0


async def test_what_falls_due_happens_on_the_way() -> None:
    clock = SimulatedClock(start=0.0)
    happened: list[float] = []
    clock.after(4.0, lambda: happened.append(clock.time()))
    await clock.sleep(10.0)
    assert happened == [4.0]
    assert clock.time() == 10.0


async def test_a_cancelled_sleeper_holds_nobody_up() -> None:
    clock = SimulatedClock(start=0.0)
    first = asyncio.create_task(clock.sleep(1.0))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await clock.sleep(5.0)
    assert clock.time() == 5.0
