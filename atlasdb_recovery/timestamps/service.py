"""Where fresh timestamps come from: one protocol, whichever service is the authority."""

from collections.abc import Callable
from typing import Protocol

import msgspec

HIGHEST_TIMESTAMP = 2**63 - 1
"""Java's Long.MAX_VALUE. Nothing within `REFUSED_BELOW_HIGHEST` of it is ever fast-forwarded to."""

REFUSED_BELOW_HIGHEST = 10_000_000
ASKED_ABOVE_BOUND = 10**12
"""A fast-forward further than this above the stored bound is a likely typing error: ask first."""

Seen = Callable[[str, str, str], None]
"""Told of a server of the service, its role (leads | follows | silent | refused), and why."""


def unseen(_: str, __: str, ___: str) -> None:
    """Nobody looks on."""


class TimestampServiceRefused(Exception):
    """The service must not be used as asked. Says what was found, why it matters and what to do."""


class TimestampServiceUnavailable(Exception):
    """The service did not answer, or not in time. Nothing is known to have changed."""


class AnotherTimestampService(TimestampServiceRefused):
    """The stored bound changed under our hand: another timestamp service is running on this keyspace."""


class PingUnanswered(TimestampServiceRefused):
    """It answers, but not to its ping: not every service offers one. Nothing is known of the rest."""


class FastForwarded(msgspec.Struct, frozen=True):
    """What a fast-forward did. `reached` was read back afterwards: every later fresh timestamp is above it."""

    target: int
    before: int | None
    reached: int
    changed: bool


class ImmutableTimestampLock(msgspec.Struct, frozen=True):
    """A lock on the immutable timestamp: while it is held, no timestamp from `immutable` on becomes immutable."""

    immutable: int
    token: str


class ImmutableTimestampLocks(Protocol):
    """Locks on the immutable timestamp (`TimelockService`). A lock that was lost once never comes back."""

    refresh_every: float
    """Seconds."""
    lease: float
    """Seconds after which a lock that was not refreshed is lost."""

    async def immutable_timestamp(self) -> int:
        """Every transaction that began below it has ended. Locks nothing."""
        ...

    async def lock_immutable_timestamp(self) -> ImmutableTimestampLock: ...

    async def refresh_lock(self, lock: ImmutableTimestampLock, until: float) -> bool:
        """Whether it has been held without a gap until now; asked until that moment of the event loop's time."""
        ...

    async def unlock(self, lock: ImmutableTimestampLock) -> bool:
        """Whether it was held until now."""
        ...


class CompletedBackup(msgspec.Struct, frozen=True):
    """What TimeLock is told of the backup that was restored (`CompletedBackup`): I, B and F."""

    immutable: int
    start: int
    end: int


class NamespaceDisabling(Protocol):
    """A disabled namespace serves nobody. `lock` is a UUID: who disabled it enables it again."""

    async def disable(self, lock: str) -> bool:
        """May be asked again under the same lock. False where this release offers nothing of the kind."""
        ...

    async def enable(self, lock: str, backup: CompletedBackup) -> None:
        """Fast-forwards it to the backup's end while nobody can ask it, then enables it. May be asked again."""
        ...

    def requests_to_enable(self, lock: str) -> tuple[str, ...]:
        """What `enable` sends, written out."""
        ...


class TimestampService(Protocol):
    """A timestamp service of one namespace (`com.palantir.timestamp.TimestampService` and its management service)."""

    @property
    def description(self) -> str:
        """What it is and where, in words for an operator, without secrets."""
        ...

    @property
    def serves_live(self) -> bool:
        """True if it may be asked while the service runs; False if only when no client is connected."""
        ...

    @property
    def uses_stored_bound(self) -> bool:
        """True if its bound is the one in the keyspace's `_timestamp`; False if that must have been invalidated."""
        ...

    @property
    def immutable_locks(self) -> ImmutableTimestampLocks | None:
        """Its locks on the immutable timestamp, which hold sweep back; None if it offers none."""
        ...

    @property
    def disabling(self) -> NamespaceDisabling | None:
        """Whether its namespace can be disabled while the keyspace is restored; None if nothing of it is offered."""
        ...

    async def ping(self) -> str:
        """Who answers, in words, where there is more to say. Changes nothing.

        Raises TimestampServiceUnavailable or TimestampServiceRefused unless it answers now.
        """
        ...

    async def fresh_timestamp(self) -> int:
        """A timestamp above every one handed out before."""
        ...

    async def bound(self) -> int | None:
        """The stored bound if this service has one that can be read, otherwise None. Changes nothing."""
        ...

    async def lower_limit(self) -> int | None:
        """Every fresh timestamp from now on is above this, as it says itself: its stored bound, or a fresh timestamp.

        None if it has none yet.
        """
        ...

    def writes_to_fast_forward(self, target: int, bound: int | None) -> tuple[str, ...]:
        """What `fast_forward` would send from this stored bound, written out; () if nothing has to be done."""
        ...

    async def fast_forward(self, target: int) -> FastForwarded:
        """Never go backwards; afterwards read back. Raises if it cannot be proven that fresh > target from now on."""
        ...
