"""A running service's own timestamp endpoint over HTTP (`TimestampService`, `TimestampManagementService`)."""

import asyncio
from collections.abc import Sequence

from atlasdb_recovery.atlas.tls_files import TlsFiles
from atlasdb_recovery.timestamps.fresh import FreshTimestamps
from atlasdb_recovery.timestamps.servers import (
    CONNECT_SECONDS,
    READ_SECONDS,
    TOTAL_SECONDS,
    Request,
    Servers,
)
from atlasdb_recovery.timestamps.service import (
    FastForwarded,
    ImmutableTimestampLocks,
    NamespaceDisabling,
    PingUnanswered,
    Seen,
    TimestampServiceRefused,
    unseen,
)
from atlasdb_recovery.timestamps.targets import require_reachable

PING = Request("GET", "/timestamp-management/ping")


class RemoteTimestamps:
    """`TimestampService` of a running service, at base addresses such as `https://app-1:3828/orders/api`.

    A server that does not answer, or answers 503 (not the leader), is followed by the next, with back-off, until
    `total` seconds are over; the last one that answered is asked first. Everything else is final. Redirects are never
    followed. Asking twice is harmless: a lost answer only skips a timestamp, and a fast-forward is idempotent.
    """

    serves_live = True
    uses_stored_bound = True
    immutable_locks: ImmutableTimestampLocks | None = None
    disabling: NamespaceDisabling | None = None

    def __init__(
        self,
        servers: Sequence[str],
        tls: TlsFiles | None = None,
        *,
        connect: float = CONNECT_SECONDS,
        read: float = READ_SECONDS,
        total: float = TOTAL_SECONDS,
        seen: Seen = unseen,
    ) -> None:
        if not servers:
            raise TimestampServiceRefused("No address of a timestamp service is known. Name its `servers`.")
        self._servers = Servers(servers, tls, _no_timestamp_service, connect=connect, read=read, seen=seen)
        self._timestamps = FreshTimestamps(self._servers, "", _no_timestamp_service, "services")
        self._total = total
        self._one_at_a_time = asyncio.Lock()

    @property
    def description(self) -> str:
        return f"the running service's timestamp endpoint at {', '.join(self._servers.addresses)}"

    async def bound(self) -> None:
        """Always None: a running service does not show its bound."""

    async def fresh_timestamp(self) -> int:
        """One that is above every one seen before. Raises TimestampServiceRefused, TimestampServiceUnavailable."""
        async with self._one_at_a_time:
            return await self._timestamps.next(self._until())

    async def lower_limit(self) -> int:
        return await self.fresh_timestamp()

    async def ping(self) -> str:
        """The server that says that it can manage timestamps. Hands nothing out."""
        try:
            server, body = await self._servers.ask(PING, self._until())
        except TimestampServiceRefused as error:
            raise PingUnanswered(str(error)) from error
        if body.strip() != b"pong":
            raise PingUnanswered(str(_no_timestamp_service(server, "did not answer its ping with “pong”")))
        return server

    def writes_to_fast_forward(self, target: int, bound: int | None) -> tuple[str, ...]:
        """Its bound cannot be seen: the request is told as it is sent unless a fresh timestamp is above already."""
        return (str(self._timestamps.fast_forward(target)),)

    async def fast_forward(self, target: int) -> FastForwarded:
        """Ask for it unless a fresh timestamp is above already; then fetch one and see that it is above."""
        require_reachable(target)
        before = await self.fresh_timestamp()
        if before > target:
            return FastForwarded(target=target, before=before, reached=before, changed=False)
        await self._servers.ask(self._timestamps.fast_forward(target), self._until())
        reached = await self.fresh_timestamp()
        if reached <= target:
            raise TimestampServiceRefused(
                f"The service accepted a fast-forward to {target} and then handed out {reached}: timestamps already"
                " used would be handed out again. Stop it, and find out what its addresses lead to."
            )
        return FastForwarded(target=target, before=before, reached=reached, changed=True)

    def _until(self) -> float:
        return asyncio.get_running_loop().time() + self._total


def _no_timestamp_service(server: str, what: str) -> TimestampServiceRefused:
    return TimestampServiceRefused(
        f"{server} {what}. Whatever answers there is no timestamp service that can be used."
        " Check this address in the configuration: it is the part before `/timestamp/fresh-timestamp`."
    )
