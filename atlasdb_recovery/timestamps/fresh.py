"""Fresh timestamps of a service's servers over HTTP, and the request that raises them (`TimestampResource`)."""

from collections.abc import Callable

from atlasdb_recovery.timestamps.answers import NotUnderstood, timestamp_of
from atlasdb_recovery.timestamps.servers import Request, Servers
from atlasdb_recovery.timestamps.service import TimestampServiceRefused


class FreshTimestamps:
    """Below `base`: "" or a namespace's path. `refusal` makes the error of (server, what it did); `kind` is what the
    servers may belong to several of.
    """

    def __init__(
        self, servers: Servers, base: str, refusal: Callable[[str, str], TimestampServiceRefused], kind: str
    ) -> None:
        self._servers = servers
        self._base = base
        self._refusal = refusal
        self._kind = kind
        self._highest = 0

    async def next(self, until: float) -> int:
        """Above every one seen before. Raises TimestampServiceRefused, TimestampServiceUnavailable."""
        answer = await self._servers.ask(Request("POST", f"{self._base}/timestamp/fresh-timestamp"), until)
        try:
            fresh = timestamp_of(answer)
        except NotUnderstood as error:
            raise self._refusal(answer.server, str(error)) from None
        if fresh <= self._highest:
            raise TimestampServiceRefused(
                f"{answer.server} handed out timestamp {fresh} after {self._highest}: its timestamps go backwards, or"
                f" its servers belong to different {self._kind}. Do not use either number. Check the addresses in the"
                " configuration."
            )
        self._highest = fresh
        return fresh

    def fast_forward(self, target: int) -> Request:
        path = f"{self._base}/timestamp-management/fast-forward?currentTimestamp={target}"
        return Request("POST", path, (200, 204))
