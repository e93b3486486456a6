"""Where fresh timestamps come from: one protocol, whichever service is the authority."""

from typing import Protocol

import msgspec

HIGHEST_TIMESTAMP = 2**63 - 1
"""Java's Long.MAX_VALUE. Nothing within `REFUSED_BELOW_HIGHEST` of it is ever fast-forwarded to."""

REFUSED_BELOW_HIGHEST = 10_000_000
ASKED_ABOVE_BOUND = 10**12
"""A fast-forward further than this above the stored bound is a likely typing error: ask first."""


class TimestampServiceRefused(Exception):
    """The service must not be used as asked. Says what was found, why it matters and what to do."""


class TimestampServiceUnavailable(Exception):
    """The service did not answer, or not in time. Nothing is known to have changed."""


class AnotherTimestampService(TimestampServiceRefused):
    """The stored bound changed under our hand: another timestamp service is running on this keyspace."""


class FastForwarded(msgspec.Struct, frozen=True):
    """What a fast-forward did. `reached` was read back afterwards: every later fresh timestamp is above it."""

    target: int
    before: int | None
    reached: int
    changed: bool


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

    async def ping(self) -> None:
        """Raises TimestampServiceUnavailable or TimestampServiceRefused unless it answers now. Changes nothing."""
        ...

    async def fresh_timestamp(self) -> int:
        """A timestamp above every one handed out before."""
        ...

    async def bound(self) -> int | None:
        """The stored bound if this service has one that can be read, otherwise None. Changes nothing."""
        ...

    def writes_to_fast_forward(self, target: int, bound: int | None) -> tuple[str, ...]:
        """What `fast_forward` would send from this stored bound, written out; () if nothing has to be done."""
        ...

    async def fast_forward(self, target: int) -> FastForwarded:
        """Never go backwards; afterwards read back. Raises if it cannot be proven that fresh > target from now on."""
        ...
