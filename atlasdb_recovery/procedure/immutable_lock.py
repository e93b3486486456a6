"""The lock that holds sweep back while the store is backed up, as the steps of one session share it.

It is taken before B is fetched and let go after F is: what was needed at B is then nowhere deleted in between.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast

from atlasdb_recovery.events import Event
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.event_streams import until
from atlasdb_recovery.procedure.step import StepFailure
from atlasdb_recovery.timestamps.held_lock import HeldLock
from atlasdb_recovery.timestamps.service import ImmutableTimestampLock

LOST = "the lock on the immutable timestamp was lost while the store was being backed up"
REMEDY = (
    "Sweep may have deleted meanwhile what is needed at B: this backup proves nothing. Take a new one, from the"
    " beginning, in an empty backup directory."
)


async def held_lock(context: Context) -> HeldLock | None:
    """This session's lock, also where another process took it; None if none was taken. It may be lost."""
    locks, fact = context.timestamps.immutable_locks, context.state.fact(facts.IMMUTABLE_LOCK)
    if context.held_lock is None and locks is not None and fact is not None:
        lock = ImmutableTimestampLock(immutable=fact["immutable"], token=fact["token"])
        context.held_lock = await HeldLock.resumed(locks, lock)
    return context.held_lock


async def require_held(context: Context) -> ImmutableTimestampLock | None:
    """The lock, held without a gap until now; None if none was taken. Raises StepFailure if it was lost."""
    held = await held_lock(context)
    if held is None:
        return None
    if not held.problem:
        await held.confirm()
    _require(held)
    return held.lock


async def while_held(context: Context, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """The events for as long as the lock is held. Raises StepFailure at once when it is lost."""
    held = await held_lock(context)
    if held is None:
        async for event in events:
            yield event
        return
    async for event in until(cast(AsyncGenerator[Event, None], events), held.lost):
        yield event
    _require(held)


async def let_go(context: Context) -> None:
    """It is needed no longer."""
    held = await held_lock(context)
    if held is not None:
        await held.release()


def _require(held: HeldLock) -> None:
    if held.problem:
        raise StepFailure(LOST, evidence=(held.problem,), remedy=REMEDY)
