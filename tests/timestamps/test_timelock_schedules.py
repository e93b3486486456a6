"""1,000 random schedules of kills, freezes, elections and restarts, each the same every time, in virtual time.

Whatever happens: no timestamp is ever lower than an earlier one, no fast-forward is reported that did not happen, and
none later than its deadline.
"""

import asyncio
import random
from typing import NamedTuple

import pytest

from atlasdb_recovery.practice.simulated.timelock.ensemble import Ensemble, NodeState
from atlasdb_recovery.practice.simulated.timelock.namespaces import Bound, LedNamespace
from atlasdb_recovery.timestamps.service import TimestampServiceRefused, TimestampServiceUnavailable
from atlasdb_recovery.timestamps.timelock import TimeLockTimestamps
from atlasdb_recovery.timestamps.timelock_servers import timelock_servers
from tests.timestamps.timelock_wire import Wire
from tests.timestamps.virtual_time import VirtualTime, played

ADDRESSES = tuple(f"http://127.0.20.{number}:8421" for number in (1, 2, 3))
TOTAL = 30.0
A_MOMENT = 0.001
STARTS = 0.3
SCHEDULES, AT_ONCE = 1_000, 100


class Told(NamedTuple):
    """One call: when it began and ended, what was asked, and what was reported (None: it was given up)."""

    began: float
    ended: float
    target: int | None
    reported: int | None
    changed: bool


async def nothing_known() -> int:
    return 0


class Schedule:
    """One client that fetches and fast-forwards while things happen to the servers."""

    def __init__(self, loop: VirtualTime, seed: int) -> None:
        self.loop = loop
        self.random = random.Random(seed)
        self.ensemble = Ensemble(self.random.choice((1, 3, 3, 3)), now=loop.time, seed=seed)
        self.ensemble.namespace("orders").fresh()
        addresses = ADDRESSES[: len(self.ensemble.states)]
        self.wire = Wire(self.ensemble, addresses, loop.time, seed)
        self.timestamps = TimeLockTimestamps(
            timelock_servers(addresses, None, transport=self.wire), "orders", nothing_known, total=TOTAL
        )
        self.calls: list[Told] = []

    async def play(self) -> None:
        meanwhile = asyncio.create_task(self.disturb())
        for _ in range(self.random.randint(2, 6)):
            await asyncio.sleep(self.random.random() * 4)
            await self.call()
        meanwhile.cancel()

    async def disturb(self) -> None:
        while True:
            await asyncio.sleep(self.random.expovariate(0.4))
            node = self.random.randrange(len(self.ensemble.states))
            if self.ensemble.states[node] is not NodeState.UP:
                if self.random.random() < STARTS:
                    self.ensemble.start(node)
            else:
                self.random.choice((self.ensemble.kill, self.ensemble.freeze, lambda _: self.ensemble.resign()))(node)

    async def call(self) -> None:
        target = self.random.choice((None, self.random.randrange(1, 20_000_000)))
        began, reported, changed = self.loop.time(), None, False
        try:
            if target is None:
                reported = await self.timestamps.fresh_timestamp()
            else:
                done = await self.timestamps.fast_forward(target)
                reported, changed = done.reached, done.changed
        except TimestampServiceUnavailable:
            pass
        self.calls.append(Told(began, self.loop.time(), target, reported, changed))

    def judge(self) -> None:
        reported = [call.reported for call in self.calls if call.reported is not None]
        assert reported == sorted(set(reported)), self.calls
        for call in self.calls:
            assert call.ended - call.began <= TOTAL + A_MOMENT, call
            if call.target is not None and call.reported is not None:
                assert call.reported > call.target, call
                assert not call.changed or self.happened(call), call

    def happened(self, call: Told) -> bool:
        asked = f"POST /orders/timestamp-management/fast-forward?currentTimestamp={call.target}"
        return any(call.began <= when <= call.ended and what == asked for when, what in self.wire.served)


def play(seed: int) -> Schedule:
    random.seed(seed)

    async def scene(loop: VirtualTime) -> Schedule:
        schedule = Schedule(loop, seed)
        await schedule.play()
        return schedule

    return played(scene)


@pytest.mark.parametrize("first", range(0, SCHEDULES, AT_ONCE))
def test_random_schedules(first: int) -> None:
    schedules = [play(seed) for seed in range(first, first + AT_ONCE)]
    for schedule in schedules:
        schedule.judge()
    calls = [call for schedule in schedules for call in schedule.calls]
    assert sum(call.reported is not None for call in calls) > 200
    assert sum(call.reported is None for call in calls) > 5
    assert sum(call.changed for call in calls) > 40
    assert sum(len(schedule.ensemble.elections) for schedule in schedules) > 100


def test_a_schedule_is_the_same_each_time() -> None:
    assert play(7).calls == play(7).calls


class Forgetful(LedNamespace):
    def fast_forward(self, target: int) -> None:
        """Answers, and does nothing."""


class Repeating(LedNamespace):
    def fresh(self, count: int = 1) -> tuple[int, int]:
        return 1, 1


def bent(schedule: Schedule, kind: type[LedNamespace]) -> TimeLockTimestamps:
    schedule.ensemble.led["orders"] = kind(Bound(), schedule.loop.time)
    return schedule.timestamps


def test_a_fast_forward_that_is_answered_and_not_done_is_caught() -> None:
    async def scene(loop: VirtualTime) -> None:
        await bent(Schedule(loop, 1), Forgetful).fast_forward(5_000_000)

    with pytest.raises(TimestampServiceRefused, match="accepted a fast-forward to 5000000 and then handed out 2:"):
        played(scene)


def test_a_leader_that_begins_again_below_is_caught() -> None:
    async def scene(loop: VirtualTime) -> None:
        timestamps = bent(Schedule(loop, 1), Repeating)
        await timestamps.fresh_timestamp()
        await timestamps.fresh_timestamp()

    with pytest.raises(TimestampServiceRefused, match="handed out timestamp 1 after 1: its timestamps go backwards"):
        played(scene)
