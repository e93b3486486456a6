"""How far something has come, how fast, and how long it will still take."""

import time
from collections.abc import Callable

import humanize

BYTES = "bytes "
"""A unit that begins so is shown as a size: "bytes validated"."""


class Pace:
    """Counts, a rate and a time left; in words for one line."""

    def __init__(self, unit: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._unit = unit
        self._clock = clock
        self._began = self.noted_at = clock()
        self._said: float | None = None
        self._said_done = -1
        self._first: int | None = None
        self._done = 0
        self._total: int | None = None

    def note(self, done: int, total: int | None, at: float | None = None) -> None:
        """How far it is now, or was at a moment of the clock. The rate counts from the first note, and anew where it
        begins again from below.
        """
        now = self._clock() if at is None else at
        if self._first is None or done < self._done:
            self._first, self._began = done, now
        self._done, self._total, self.noted_at = done, total, now

    @property
    def fraction(self) -> float | None:
        """From 0 to 1; None where the total is not known."""
        return None if not self._total else min(self._done / self._total, 1.0)

    def is_due(self, every: float) -> bool:
        """Whether to say it now: the first time, at the end, and otherwise every so many seconds."""
        now = self._clock()
        at_end = self._total is not None and self._done >= self._total and self._said_done != self._done
        if self._said is not None and not at_end and now - self._said < every:
            return False
        self._said, self._said_done = now, self._done
        return True

    def counted(self) -> str:
        """How far it came, without a rate: of what is not going on."""
        total = "" if self._total is None else f" of {self._shown(self._total)}"
        return f"{self._shown(self._done)}{total} {self._unit.removeprefix(BYTES)}"

    def describe(self) -> str:
        count = self.counted()
        elapsed = self._clock() - self._began
        gained = self._done - (self._first or 0)
        if elapsed < 1.0 or not gained:
            return count
        rate = gained / elapsed
        shown = f"{self._shown(rate)}/s" if rate >= 1 else f"{rate * 60:,.1f}/min"
        if self._total is None or self._done >= self._total:
            return f"{count}, {shown}"
        left = humanize.precisedelta((self._total - self._done) / rate, minimum_unit="seconds", format="%0.0f")
        return f"{count}, {shown}, about {left} left"

    def _shown(self, number: float) -> str:
        return humanize.naturalsize(number) if self._unit.startswith(BYTES) else f"{number:,.0f}"
