"""TimeLock's lock on the immutable timestamp of one namespace (`TimelockService`, `LockImmutableTimestampResponse`)."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import msgspec

from atlasdb_recovery.timestamps.answers import NotUnderstood, Shape, read_as, timestamp_of
from atlasdb_recovery.timestamps.servers import TOTAL_SECONDS, Answer, Request, Servers
from atlasdb_recovery.timestamps.service import HIGHEST_TIMESTAMP, ImmutableTimestampLock
from atlasdb_recovery.timestamps.timelock_servers import not_usable

LEASE_SECONDS = 20.0
"""A server forgets a lock that was not refreshed for so long."""
REFRESH_EVERY = 5.0
LONGEST = 10_000
"""Bytes of an answer that names locks."""


class _Token(msgspec.Struct):
    request_id: str = msgspec.field(name="requestId")


class _Locked(msgspec.Struct):
    immutable: int = msgspec.field(name="immutableTimestamp")
    lock: _Token


class TimeLockLocks:
    """`ImmutableTimestampLocks` of one namespace. `require_namespace` raises unless it is there."""

    def __init__(
        self,
        servers: Servers,
        namespace: str,
        require_namespace: Callable[[float], Awaitable[None]],
        *,
        total: float = TOTAL_SECONDS,
        refresh_every: float = REFRESH_EVERY,
        lease: float = LEASE_SECONDS,
    ) -> None:
        self._servers = servers
        self._base = f"/{namespace}/timelock"
        self._require_namespace = require_namespace
        self._total = total
        self.refresh_every = refresh_every
        self.lease = lease

    async def immutable_timestamp(self) -> int:
        """Every transaction that began below it has ended. Locks nothing."""
        until = self._until()
        await self._require_namespace(until)
        answer = await self._servers.ask(Request("POST", f"{self._base}/immutable-timestamp"), until)
        try:
            return timestamp_of(answer)
        except NotUnderstood as error:
            raise not_usable(answer.server, str(error)) from None

    async def lock_immutable_timestamp(self) -> ImmutableTimestampLock:
        """Held from now on, as long as it is refreshed within every `lease` seconds."""
        until = self._until()
        await self._require_namespace(until)
        body = msgspec.json.encode({"requestId": str(uuid4())})
        request = Request("POST", f"{self._base}/lock-immutable-timestamp", body=body, longest=LONGEST)
        answer = await self._servers.ask(request, until)
        locked = _read(answer, _Locked)
        if not 1 <= locked.immutable <= HIGHEST_TIMESTAMP or not locked.lock.request_id:
            raise not_usable(answer.server, f"locked the immutable timestamp at {locked.immutable}, which is none")
        return ImmutableTimestampLock(immutable=locked.immutable, token=locked.lock.request_id)

    async def refresh_lock(self, lock: ImmutableTimestampLock, until: float) -> bool:
        return await self._names("refresh-locks", lock, until)

    async def unlock(self, lock: ImmutableTimestampLock) -> bool:
        return await self._names("unlock", lock, self._until())

    async def _names(self, what: str, lock: ImmutableTimestampLock, until: float) -> bool:
        """Whether the answer names this lock: only those that are held are named."""
        body = msgspec.json.encode([{"requestId": lock.token}])
        answer = await self._servers.ask(Request("POST", f"{self._base}/{what}", body=body, longest=LONGEST), until)
        return lock.token in [token.request_id for token in _read(answer, list[_Token])]

    def _until(self) -> float:
        return asyncio.get_running_loop().time() + self._total


def _read(answer: Answer, shape: type[Shape]) -> Shape:
    try:
        return read_as(answer, shape, "answer about a lock")
    except NotUnderstood as error:
        raise not_usable(answer.server, str(error)) from None
