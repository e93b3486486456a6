"""Simulated time: as fast as it is asked for, and never backwards."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from atlasdb_recovery.practice.simulated import PacedClock, SimulatedClock

BEGAN = 1_000.0


@asynccontextmanager
async def followed(pace: float) -> AsyncIterator[PacedClock]:
    clock = PacedClock(BEGAN, pace)
    following = asyncio.create_task(clock.follow())
    await asyncio.sleep(0)
    yield clock
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


def test_what_is_due_happens_in_order_at_its_own_moment() -> None:
    clock = SimulatedClock(BEGAN)
    seen: list[tuple[str, float]] = []
    clock.after(3, lambda: seen.append(("later", clock.time())))
    clock.after(1, lambda: seen.append(("first", clock.time())))
    clock.advance(2)
    assert seen == [("first", BEGAN + 1)]
    clock.advance(5)
    assert seen == [("first", BEGAN + 1), ("later", BEGAN + 3)]
    assert clock.time() == BEGAN + 7


async def test_at_no_pace_a_long_time_takes_none() -> None:
    async with followed(0.0) as clock:
        began = time.monotonic()
        await asyncio.gather(clock.sleep(3_600), clock.work(3_600))
        assert time.monotonic() - began < 60
        assert clock.time() >= BEGAN + 3_600


@pytest.mark.parametrize("pace", [0.01, 0.1])
async def test_at_a_pace_simulated_seconds_last_so_long_and_sleepers_sleep_side_by_side(pace: float) -> None:
    async with followed(pace) as clock:
        began = time.monotonic()
        await asyncio.gather(clock.sleep(5), clock.work(5), clock.sleep(3))
        assert time.monotonic() - began >= 5 * pace * 0.99
        assert BEGAN + 5 <= clock.time() < BEGAN + 5 + (time.monotonic() - began) / pace


async def test_who_has_let_time_pass_waits_until_it_has_passed_for_the_watcher() -> None:
    async with followed(0.05) as clock:
        began = time.monotonic()
        clock.advance(4)
        await clock.keep_pace()
        assert time.monotonic() - began >= 4 * 0.05 * 0.99


@pytest.mark.parametrize("pace", [0.0, 0.01])
async def test_time_goes_on_while_nobody_does_anything(pace: float) -> None:
    """An operator thinks; what is due then happens."""
    happened = asyncio.Event()
    async with followed(pace) as clock:
        clock.after(0.1, happened.set)
        await asyncio.wait_for(happened.wait(), 60)
        assert clock.time() >= BEGAN + 0.1


async def test_before_it_is_followed_no_time_is_waited_for() -> None:
    clock = PacedClock(BEGAN, 1.0)
    began = time.monotonic()
    await clock.sleep(600)
    await clock.keep_pace()
    assert time.monotonic() - began < 60
    assert clock.time() == BEGAN + 600
