"""Back up the key value store, which AtlasDB's page treats as a black box."""

from collections.abc import AsyncIterator, Sequence

from atlasdb_recovery.events import Event
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.copied_tables import copied_tables
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.immutable_lock import require_held, while_held
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.step import Danger, Evidence, Question, Step
from atlasdb_recovery.procedure.steps.names import BACK_UP_STORE


class BackUpStore(Step):
    name = BACK_UP_STORE
    title = "Back up the store"
    why = (
        "This copies the keyspace's tables from every node, at whatever moment each node's copy is made. "
        "It must begin after B was fetched and end before F is."
    )
    danger = Danger.CHANGES

    def guards(self, context: Context) -> Sequence[Guard]:
        return preflight.before_store_backup()

    async def plan(self, context: Context) -> Plan:
        lines = await context.store.plan_backup(context.store_context())
        return Plan(title=f"back up keyspace {context.keyspace} by method {context.store.name}", lines=tuple(lines))

    def questions(self, context: Context, plan: Plan) -> Sequence[Question]:
        if context.store.name != "external":
            return ()
        return (
            Question(
                name="store-backed-up",
                text=f"Back up keyspace {context.keyspace} on every node now, then say how it was done.",
                detail=plan.lines,
            ),
        )

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        async for event in while_held(context, context.store.backup(context.store_context())):
            yield event

    async def verify(self, context: Context) -> Evidence:
        lock = await require_held(context)
        found = await context.store.verify_backup(context.store_context())
        await copied_tables(context)
        held = () if lock is None else (f"the immutable timestamp {lock.immutable} was locked from before B until now",)
        return Evidence((*found, *held))
