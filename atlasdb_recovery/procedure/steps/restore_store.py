"""Restore the key value store into a keyspace that does not exist yet."""

from collections.abc import AsyncIterator, Sequence

from atlasdb_recovery.atlas.timestamp_bound import BoundInvalidated, MalformedBound
from atlasdb_recovery.events import Event, FactEstablished
from atlasdb_recovery.procedure import settling
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.expected_tables import missing_tables
from atlasdb_recovery.procedure.facts import TABLES, TIMESTAMP_ROW
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.step import Danger, Evidence, Question, Step, StepFailure
from atlasdb_recovery.procedure.timestamp_row import stored_bound, timestamp_row
from atlasdb_recovery.timestamps.service import TimestampServiceRefused
from atlasdb_recovery.timestamps.timelock_keyspace import timestamps_used


class RestoreStore(Step):
    name = "restore-store"
    title = "Restore the store"
    why = (
        "This brings every node's copy of the keyspace back, each from its own moment: it is not consistent yet. "
        "Tables get new ids, so that nothing left over from before can be replayed into them."
    )
    danger = Danger.CHANGES

    def guards(self, context: Context) -> Sequence[Guard]:
        return preflight.before_store_restore()

    async def plan(self, context: Context) -> Plan:
        lines = await context.store.plan_restore(context.store_context())
        return Plan(title=f"restore keyspace {context.keyspace} by method {context.store.name}", lines=tuple(lines))

    def questions(self, context: Context, plan: Plan) -> Sequence[Question]:
        if context.store.name != "external":
            return ()
        return (
            Question(
                name="store-restored",
                text=f"Restore keyspace {context.keyspace} on every node with your own tool, then say how it was done.",
                detail=plan.lines,
            ),
        )

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        async for event in context.store.restore(context.store_context()):
            yield event
        await settling.wait_until_settled(context)
        yield FactEstablished(step=self.name, name=TABLES, value=await settling.tables_baseline(context))
        yield FactEstablished(step=self.name, name=TIMESTAMP_ROW, value=await timestamp_row(context))

    async def verify(self, context: Context) -> Evidence:
        keyspace = await context.cluster.keyspace(context.keyspace)
        if keyspace is None or not keyspace.tables:
            raise StepFailure(
                f"keyspace {context.keyspace} has no tables after the store was restored",
                remedy="Look at the output of the store's restore above; restore it, then resume.",
            )
        missing = await missing_tables(context, keyspace)
        if missing.refused:
            raise StepFailure(missing.evidence, remedy=missing.remedy)
        authority = await _authority(context)
        return Evidence(
            (
                f"{len(keyspace.tables)} tables are present in keyspace {context.keyspace}",
                missing.evidence,
                authority,
            )
        )


async def _authority(context: Context) -> str:
    """Found out before anything is repaired or removed: a fast-forward to F must be possible at the end."""
    try:
        if not context.timestamps.uses_stored_bound:
            used = await timestamps_used(context.cluster, context.keyspace)
            return f"the restored keyspace leaves its timestamps to TimeLock; it has used them up to {used} at least"
        bound = await stored_bound(context)
        return f"the restored timestamp bound is {'empty' if bound is None else bound}"
    except TimestampServiceRefused as error:
        raise StepFailure(
            f"this keyspace's timestamps cannot be fast-forwarded through TimeLock: {error}",
            remedy="Restore the store's backup that belongs to B and F, or name the configuration it was written with.",
        ) from None
    except (BoundInvalidated, MalformedBound) as error:
        raise StepFailure(
            f"the restored timestamp bound cannot be fast-forwarded: {error}",
            remedy="Restore the store's backup that belongs to B and F, or ask the service that hands out timestamps.",
        ) from None
