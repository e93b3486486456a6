"""One namespace on the leader: its timestamps and its locks on the immutable timestamp.

Agrees with `PersistentTimestampServiceImpl` over TimeLock's Paxos bound, which begins at 0: the first timestamp is 1.
"""

from collections.abc import Callable

from atlasdb_recovery.atlas.timestamp_bound import ALLOCATION_BUFFER
from atlasdb_recovery.timestamps.service import HIGHEST_TIMESTAMP

MOST_AT_ONCE = 10_000
LEASE_SECONDS = 20.0


class Exhausted(Exception):
    """There are no timestamps left above: the server answers 500."""


class Bound:
    """What a majority of nodes keeps of a namespace: a new leader goes on above it."""

    def __init__(self) -> None:
        self.stored = 0

    def store(self, limit: int) -> int:
        """Raises Exhausted for one beyond Java's long."""
        if limit > HIGHEST_TIMESTAMP:
            raise Exhausted
        self.stored = limit
        return limit


class LedNamespace:
    """A namespace for as long as one node leads; the next leader begins another, without locks."""

    def __init__(self, bound: Bound, now: Callable[[], float]) -> None:
        self._bound = bound
        self._now = now
        self._last = self._limit = bound.stored
        self._locks: dict[str, tuple[int, float]] = {}

    def fresh(self, count: int = 1) -> tuple[int, int]:
        """The lowest and the highest of so many, at most 10,000. Raises Exhausted."""
        upper = self._last + min(count, MOST_AT_ONCE)
        if upper > HIGHEST_TIMESTAMP:
            raise Exhausted
        if upper > self._limit:
            self._limit = self._bound.store(upper + ALLOCATION_BUFFER)
        lower, self._last = self._last + 1, upper
        return lower, upper

    def fast_forward(self, target: int) -> None:
        """Never backwards. What it cannot store it still remembers, and hands out nothing any more: Exhausted."""
        self._last = max(self._last, target)
        if target > self._limit:
            self._limit = self._bound.store(target + ALLOCATION_BUFFER)

    def immutable(self) -> int:
        """The lowest that is locked; a fresh timestamp if none is."""
        self._forget_expired()
        return min((timestamp for timestamp, _ in self._locks.values()), default=0) or self.fresh()[0]

    def lock_immutable(self, token: str) -> int:
        self._forget_expired()
        if token not in self._locks:
            self._locks[token] = (self.fresh()[0], self._now() + LEASE_SECONDS)
        return self.immutable()

    def refresh(self, tokens: list[str]) -> list[str]:
        """Those that are still held."""
        self._forget_expired()
        held = [token for token in tokens if token in self._locks]
        for token in held:
            self._locks[token] = (self._locks[token][0], self._now() + LEASE_SECONDS)
        return held

    def unlock(self, tokens: list[str]) -> list[str]:
        """Those that were held until now."""
        self._forget_expired()
        return [token for token in tokens if self._locks.pop(token, None) is not None]

    def lose_locks(self) -> None:
        self._locks.clear()

    def _forget_expired(self) -> None:
        now = self._now()
        self._locks = {token: lock for token, lock in self._locks.items() if lock[1] > now}
