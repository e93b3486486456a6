"""TimeLock's timestamps of one namespace, over HTTP (`TimestampResource`, `TimestampManagementResource`)."""

import asyncio
from collections.abc import Awaitable, Callable

from atlasdb_recovery.timestamps.fresh import FreshTimestamps
from atlasdb_recovery.timestamps.servers import TOTAL_SECONDS, Servers
from atlasdb_recovery.timestamps.service import (
    FastForwarded,
    ImmutableTimestampLocks,
    NamespaceDisabling,
    TimestampServiceRefused,
    TimestampServiceUnavailable,
)
from atlasdb_recovery.timestamps.targets import require_reachable
from atlasdb_recovery.timestamps.timelock_locks import TimeLockLocks
from atlasdb_recovery.timestamps.timelock_names import require_name
from atlasdb_recovery.timestamps.timelock_servers import is_listed, not_usable, who_leads

Known = Callable[[], Awaitable[int]]
"""What the keyspace says of its timestamps: the highest it proves to have been handed out, 0 if it proves none.

Raises TimestampServiceRefused if TimeLock is not the authority for this keyspace.
"""


class TimeLockTimestamps:
    """`TimestampService` of one namespace.

    Nothing is asked of a namespace that TimeLock does not have, because asking is what creates one, at timestamp 1.
    Only a fast-forward may, and only with `is_meant`, the operator's word. A timestamp that is not above what the
    keyspace is known to have used is refused: it is another keyspace's. Every call ends within `total` seconds.
    """

    serves_live = True
    uses_stored_bound = False

    def __init__(
        self,
        servers: Servers,
        namespace: str,
        known: Known,
        *,
        is_meant: bool = False,
        disabling: NamespaceDisabling | None = None,
        total: float = TOTAL_SECONDS,
    ) -> None:
        require_name(namespace)
        self.namespace = namespace
        self.disabling = disabling
        self._servers = servers
        self._timestamps = FreshTimestamps(servers, f"/{namespace}", not_usable, "TimeLocks")
        self._known = known
        self._is_meant = is_meant
        self._total = total
        self._is_there = False
        self._one_at_a_time = asyncio.Lock()
        self.immutable_locks: ImmutableTimestampLocks | None = TimeLockLocks(
            servers, namespace, self._require_namespace, total=total
        )

    @property
    def description(self) -> str:
        return f"TimeLock's namespace “{self.namespace}” at {', '.join(self._servers.addresses)}"

    async def bound(self) -> None:
        """Always None: TimeLock shows no bound."""

    async def ping(self) -> str:
        """Who leads. The namespace is there, and nothing was asked of it: its own ping would create it."""
        leaders = await who_leads(self._servers)
        await self._exists(self._until())
        return leaders

    async def fresh_timestamp(self) -> int:
        """Above every one seen before, and above all that the keyspace is known to have used."""
        async with self._one_at_a_time:
            until = self._until()
            known = await self._known_before(until)
            await self._require_namespace(until)
            fresh = await self._timestamps.next(until)
        if fresh <= known:
            raise self._another_namespace(fresh, known)
        return fresh

    async def lower_limit(self) -> int | None:
        """A fresh timestamp; None for a namespace that does not exist yet, which is left so."""
        async with self._one_at_a_time:
            until = self._until()
            await self._known_before(until)
            return await self._timestamps.next(until) if await self._exists(until) else None

    def writes_to_fast_forward(self, target: int, bound: int | None) -> tuple[str, ...]:
        """Its bound cannot be seen: the request is told as it is sent unless a fresh timestamp is above already."""
        return (str(self._timestamps.fast_forward(target)),)

    async def fast_forward(self, target: int) -> FastForwarded:
        """Ask for it unless a fresh timestamp is above already; then fetch one and see that it is above."""
        require_reachable(target)
        async with self._one_at_a_time:
            until = self._until()
            known = await self._known_before(until)
            before = await self._timestamps.next(until) if await self._exists(until) else None
            if before is not None and before > target:
                return FastForwarded(target=target, before=before, reached=before, changed=False)
            if before is not None and before <= known < target and not self._is_meant:
                raise self._another_namespace(before, known)
            await self._servers.ask(self._timestamps.fast_forward(target), until)
            self._is_there = True
            reached = await self._timestamps.next(until)
        if reached <= target:
            raise TimestampServiceRefused(
                f"TimeLock accepted a fast-forward to {target} and then handed out {reached}: timestamps already used"
                " would be handed out again. Do not start the service. Find out what TimeLock's addresses lead to."
            )
        return FastForwarded(target=target, before=before, reached=reached, changed=True)

    async def _known_before(self, until: float) -> int:
        try:
            async with asyncio.timeout_at(until):
                return await self._known()
        except TimeoutError:
            raise TimestampServiceUnavailable(
                f"Within {self._total:g} seconds the cluster did not say what timestamps its keyspace has used."
                " TimeLock was not asked. See that all nodes are up, then try again."
            ) from None

    async def _require_namespace(self, until: float) -> None:
        if not await self._exists(until):
            raise self._absent()

    async def _exists(self, until: float) -> bool:
        """Whether it is there. Raises TimestampServiceRefused if it is not and nobody said that it is meant."""
        if not self._is_there:
            self._is_there = await is_listed(self._servers, self.namespace, until, is_meant=self._is_meant)
        if not self._is_there and not self._is_meant:
            raise self._absent()
        return self._is_there

    def _absent(self) -> TimestampServiceRefused:
        return TimestampServiceRefused(
            f"Nothing was changed: TimeLock has no namespace “{self.namespace}”. Asking for a timestamp of it would"
            " create it, and hand out 1. Compare `namespace` (or the timelock block's `client`) and TimeLock's"
            " addresses in the service's configuration with what the service used. Only if TimeLock itself was lost"
            f" and this is its new one: write `timestamps: {{namespace: {self.namespace}}}` in recovery.yml; then a"
            " fast-forward creates it."
        )

    def _another_namespace(self, fresh: int, known: int) -> TimestampServiceRefused:
        return TimestampServiceRefused(
            f"TimeLock handed out {fresh} for namespace “{self.namespace}”, but the keyspace has used timestamps up to"
            f" {known} at least: these are another keyspace's timestamps, or TimeLock has lost its own. Do not use this"
            " number. Compare the namespace and TimeLock's addresses in the service's configuration. Only if TimeLock"
            f" itself was lost and this is its new one: write `timestamps: {{namespace: {self.namespace}}}` in"
            " recovery.yml before the restore's fast-forward."
        )

    def _until(self) -> float:
        return asyncio.get_running_loop().time() + self._total
