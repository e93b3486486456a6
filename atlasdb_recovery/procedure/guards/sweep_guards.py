"""Guards over what sweep may delete while the store is being backed up."""

from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed, warned
from atlasdb_recovery.procedure.immutable_lock import LOST, REMEDY, held_lock


class SweepHeldBack(Guard):
    proves = "Sweep will delete nothing that is needed at B while the store is being backed up."
    remedy = (
        "Only TimeLock, asked over HTTP, can hold sweep back: switch it off for the time of the backup (runtime "
        "configuration: `sweep: {enabled: false}` and `targetedSweep: {enabled: false}`), and on again afterwards."
    )

    async def check(self, context: Context) -> GuardResult:
        if context.timestamps.immutable_locks is None:
            return warned("nothing holds sweep back: what is needed at B may be deleted between two nodes' copies")
        return passed("the immutable timestamp is locked from before B until after F")


class ImmutableTimestampLocked(Guard):
    proves = "The lock on the immutable timestamp has been held without a gap since before B was fetched."
    remedy = REMEDY

    async def check(self, context: Context) -> GuardResult:
        if context.timestamps.immutable_locks is None:
            return not_applicable("this timestamp service offers no lock")
        if context.state.fact(facts.IMMUTABLE_LOCK) is None:
            return not_applicable("B has not been fetched yet")
        held = await held_lock(context)
        assert held is not None
        if not held.problem:
            await held.confirm()
        if held.problem:
            return blocked(f"{LOST}: {held.problem}")
        return passed(f"locked at {held.lock.immutable}")
