"""Time in a simulation: it passes only when something says so, and things can be due at a moment."""

import asyncio
import heapq
import time
from collections.abc import Callable
from enum import StrEnum
from itertools import count

START = 1_795_400_000.0
"""2026-11-23, in Unix seconds."""

IDLE_TURNS = 5
"""Turns of the event loop in which nobody moves the time on, after which everybody is taken to be waiting for it."""

FOLLOWED_EVERY = 0.25
"""Real seconds between two looks at the real time."""

SimulatedAction = Callable[[], None]


class SimulatedClock:
    """Unix time that passes in no time. `advance` moves it on and runs what has fallen due, in order; so does `sleep`,
    as soon as nobody does anything but sleep: several sleepers wake in their order.
    """

    def __init__(self, start: float = START) -> None:
        self._micros = round(start * 1_000_000)
        self._due: list[tuple[int, int, SimulatedAction]] = []
        self._order = count()
        self._sleepers: list[int] = []

    def time(self) -> float:
        """Unix seconds."""
        return self._micros / 1_000_000

    def micros(self) -> int:
        """Unix microseconds."""
        return self._micros

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._advance_to(self._micros + round(seconds * 1_000_000))

    def after(self, seconds: float, action: SimulatedAction) -> None:
        """Have something happen when that many seconds have passed."""
        heapq.heappush(self._due, (self._micros + round(seconds * 1_000_000), next(self._order), action))

    async def sleep(self, seconds: float) -> None:
        """As `asyncio.sleep`, by this clock, side by side with others."""
        until = self._micros + round(seconds * 1_000_000)
        self._sleepers.append(until)
        try:
            await self._until(until)
        finally:
            self._sleepers.remove(until)

    async def work(self, seconds: float) -> None:
        """Something takes that long. Nobody watches here, so nobody gets a turn meanwhile."""
        self.advance(seconds)

    async def keep_pace(self) -> None:
        """Whoever has let time pass by `advance` waits here until it has passed for the one who watches, too."""

    async def _until(self, until: int) -> None:
        idle = 0
        while True:
            before = self._micros
            await asyncio.sleep(0)
            if self._micros >= until:
                return
            idle = idle + 1 if self._micros == before else 0
            if idle >= IDLE_TURNS and until == min(self._sleepers):
                self._advance_to(until)
                return

    def _advance_to(self, until: int) -> None:
        while self._due and self._due[0][0] <= until:
            due, _, action = heapq.heappop(self._due)
            self._micros = max(self._micros, due)
            action()
        self._micros = max(self._micros, until)


class Speed(StrEnum):
    """How fast simulated time goes by for somebody who watches."""

    REAL = "real"
    TENFOLD = "10x"
    INSTANT = "instant"

    @property
    def pace(self) -> float:
        """How many real seconds a simulated one lasts."""
        return {Speed.REAL: 1.0, Speed.TENFOLD: 0.1, Speed.INSTANT: 0.0}[self]


class PacedClock(SimulatedClock):
    """Simulated time for somebody to watch: a simulated second lasts `pace` real ones; 0: it takes no time.

    `follow` moves it on with real time while nothing else does, so that what is due happens while an operator thinks;
    with a pace of 0 it then keeps step with real time, and only the cluster's own work takes none.
    """

    def __init__(self, start: float, pace: float = 0.0) -> None:
        super().__init__(start)
        self._pace = pace
        self._watched_from: tuple[float, float] | None = None

    @property
    def described(self) -> str:
        """How fast its time goes by for the one who watches, in a sentence."""
        if self._pace == 0:
            return "Times are the simulated cluster's, at speed instant: its work took next to none of yours."
        if self._pace == 1:
            return "Times are the simulated cluster's, at speed real: as long as yours."
        times = f"{1 / self._pace:.0f}"
        return f"Times are the simulated cluster's, at speed {times}x: {times} s of them are 1 s of yours."

    async def follow(self) -> None:
        """Keep step with real time from now on; runs until it is cancelled."""
        self._watched_from = (time.monotonic(), self.time())
        seen = time.monotonic()
        while True:
            await asyncio.sleep(FOLLOWED_EVERY)
            now = time.monotonic()
            self.advance(now - seen if self._pace == 0 else max(0.0, self._watched() - self.time()))
            seen = now

    async def sleep(self, seconds: float) -> None:
        """Those who sleep at the same time sleep side by side, in real time unless the pace is 0."""
        if self._pace == 0 or self._watched_from is None:
            await super().sleep(seconds)
            return
        until = self.time() + seconds
        await asyncio.sleep(max(0.0, (until - self._watched()) * self._pace))
        self.advance(max(0.0, until - self.time()))

    async def work(self, seconds: float) -> None:
        """As `sleep`: others see what is done one after the other."""
        await self.sleep(seconds)

    async def keep_pace(self) -> None:
        ahead = 0.0 if self._pace == 0 or self._watched_from is None else self.time() - self._watched()
        await asyncio.sleep(max(0.0, ahead * self._pace))

    def _watched(self) -> float:
        """What time it is for the one who watches."""
        assert self._watched_from is not None
        real, simulated = self._watched_from
        return simulated + (time.monotonic() - real) / self._pace
