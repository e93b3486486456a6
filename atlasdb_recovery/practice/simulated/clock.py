"""Time in a simulation: it passes only when something says so, and things can be due at a moment."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

START = 1_795_400_000.0
"""2026-11-23, in Unix seconds."""

SimulatedAction = Callable[[], None]


class SimulatedClock:
    """Unix time that passes in no time. `sleep` and `advance` move it on and run what has fallen due, in order."""

    def __init__(self, start: float = START) -> None:
        self._micros = round(start * 1_000_000)
        self._due: list[tuple[int, int, SimulatedAction]] = []
        self._order = count()

    def time(self) -> float:
        """Unix seconds."""
        return self._micros / 1_000_000

    def micros(self) -> int:
        """Unix microseconds."""
        return self._micros

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        until = self._micros + round(seconds * 1_000_000)
        while self._due and self._due[0][0] <= until:
            due, _, action = heapq.heappop(self._due)
            self._micros = max(self._micros, due)
            action()
        self._micros = max(self._micros, until)

    def after(self, seconds: float, action: SimulatedAction) -> None:
        """Have something happen when that many seconds have passed."""
        heapq.heappush(self._due, (self._micros + round(seconds * 1_000_000), next(self._order), action))

    async def sleep(self, seconds: float) -> None:
        """As `asyncio.sleep`, but no real time passes; others get their turn."""
        self.advance(seconds)
        await asyncio.sleep(0)
