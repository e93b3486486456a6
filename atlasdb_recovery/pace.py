"""How far something has come, how fast, and how long it will still take."""

import time

import humanize


class Pace:
    """Counts, a rate and a time left; in words for one line."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._began = self.noted_at = time.monotonic()
        self._said: float | None = None
        self._said_done = -1
        self._done = 0
        self._total: int | None = None

    def note(self, done: int, total: int | None) -> None:
        self._done, self._total, self.noted_at = done, total, time.monotonic()

    @property
    def fraction(self) -> float | None:
        """From 0 to 1; None where the total is not known."""
        return None if not self._total else min(self._done / self._total, 1.0)

    def is_due(self, every: float) -> bool:
        """Whether to say it now: the first time, at the end, and otherwise every so many seconds."""
        now = time.monotonic()
        at_end = self._total is not None and self._done >= self._total and self._said_done != self._done
        if self._said is not None and not at_end and now - self._said < every:
            return False
        self._said, self._said_done = now, self._done
        return True

    def describe(self) -> str:
        count = (
            f"{self._done:,} {self._unit}" if self._total is None else f"{self._done:,} of {self._total:,} {self._unit}"
        )
        elapsed = time.monotonic() - self._began
        if elapsed < 1.0 or not self._done:
            return count
        rate = self._done / elapsed
        if self._total is None or self._done >= self._total:
            return f"{count}, {rate:,.0f}/s"
        left = humanize.precisedelta((self._total - self._done) / rate, minimum_unit="seconds", format="%0.0f")
        return f"{count}, {rate:,.0f}/s, about {left} left"
