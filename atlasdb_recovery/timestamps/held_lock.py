"""A lock on the immutable timestamp that is kept: refreshed in the background, and believed only while it answers."""

import asyncio
import contextlib
from typing import Self

from atlasdb_recovery.timestamps.service import (
    ImmutableTimestampLock,
    ImmutableTimestampLocks,
    TimestampServiceRefused,
    TimestampServiceUnavailable,
)


class HeldLock:
    """Held without a gap since it was taken, until `lost` is set; `problem` says how it was lost.

    A lock that a server forgot never comes back under its token: one refresh that names it proves all the time before.
    """

    def __init__(self, locks: ImmutableTimestampLocks, lock: ImmutableTimestampLock, confirmed_at: float) -> None:
        self.lock = lock
        self.lost = asyncio.Event()
        self.problem = ""
        self._locks = locks
        self._confirmed_at = confirmed_at
        self._refreshing = asyncio.create_task(self._refresh())

    @classmethod
    async def taken(cls, locks: ImmutableTimestampLocks) -> Self:
        """A new one. Raises TimestampServiceRefused, TimestampServiceUnavailable."""
        began = asyncio.get_running_loop().time()
        return cls(locks, await locks.lock_immutable_timestamp(), began)

    @classmethod
    async def resumed(cls, locks: ImmutableTimestampLocks, lock: ImmutableTimestampLock) -> Self:
        """One that another process took and left; `problem` if it is lost."""
        held = cls(locks, lock, asyncio.get_running_loop().time())
        await held.confirm()
        return held

    async def confirm(self) -> None:
        """Ask now whether it was held until now."""
        sent = asyncio.get_running_loop().time()
        try:
            if await self._locks.refresh_lock(self.lock, self._confirmed_at + self._locks.lease):
                self._confirmed_at = max(self._confirmed_at, sent)
                return
            self._lose("TimeLock does not have it any more: another server leads, or it was not refreshed in time")
        except TimestampServiceUnavailable as error:
            self._lose(f"for {self._locks.lease:g} seconds nobody could say that it is held: {error}")
        except TimestampServiceRefused as error:
            self._lose(str(error))

    async def release(self) -> None:
        """Let it go, after a last refresh that proves it was held; `problem` if it was not."""
        await self.confirm()
        self.stop()
        if not self.problem:
            with contextlib.suppress(TimestampServiceRefused, TimestampServiceUnavailable):
                await self._locks.unlock(self.lock)

    def stop(self) -> None:
        """Refresh it no more; it ends by itself."""
        self._refreshing.cancel()

    async def _refresh(self) -> None:
        while not self.problem:
            await asyncio.sleep(self._locks.refresh_every)
            await self.confirm()

    def _lose(self, problem: str) -> None:
        self.problem = self.problem or problem
        self.lost.set()
