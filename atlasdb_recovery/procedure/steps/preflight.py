"""The first step: every guard before the first irreversible action, and what the session pins."""

from collections.abc import AsyncIterator, Sequence

from atlasdb_recovery.events import Event, FactEstablished
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.disabled_namespace import disabled
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.backup_guards import read_timestamps
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.step import Danger, Evidence, Question, Step, StepFailure, confirmed
from atlasdb_recovery.procedure.thrift import switched_off


class BackupPreflight(Step):
    name = "preflight"
    title = "Look before anything is copied"
    why = (
        "A backup that cannot be restored is found out too late. "
        "All that later steps need is tried now: every node, its nodetool, the timestamp service, the directories."
    )
    danger = Danger.READS

    def guards(self, context: Context) -> Sequence[Guard]:
        return preflight.before_backup()

    async def plan(self, context: Context) -> Plan:
        return Plan(
            title=f"look at the cluster of keyspace {context.keyspace}",
            facts={"needs_word": not context.timestamps.serves_live and await cannot_list_clients(context)},
        )

    def questions(self, context: Context, plan: Plan) -> Sequence[Question]:
        """A stored bound is never written beside a running service; where nobody can see one, it takes a word."""
        return (offline_question(context),) if plan.facts["needs_word"] else ()

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        identity = facts.identity_fact(await context.cluster.identity())
        yield FactEstablished(step=self.name, name=facts.IDENTITY, value=identity)

    async def verify(self, context: Context) -> Evidence:
        identity = facts.required(context, facts.IDENTITY)
        return Evidence(
            (f"cluster {identity['cluster_name']}, {len(identity['nodes'])} nodes, pinned for this session",)
        )


class RestorePreflight(BackupPreflight):
    title = "Look before anything is restored"
    why = (
        "The restore is offline: the keyspace does not exist, and nobody else touches it until it is complete. "
        "All that later steps need is tried now, before the first of them changes anything."
    )

    def guards(self, context: Context) -> Sequence[Guard]:
        return preflight.before_restore()

    async def plan(self, context: Context) -> Plan:
        read = read_timestamps(context)
        return Plan(
            title=f"restore keyspace {context.keyspace} to B = {read.backup}",
            lines=(
                f"backup in {context.backup_dir}: B = {read.backup}, F = {read.fast_forward}",
                f"store method {context.store.name}, removal {context.settings.removal}",
            ),
            depends_on={"backup": read.backup, "fast_forward": read.fast_forward},
            facts={"backup": read.backup, "fast_forward": read.fast_forward},
            establishes={
                facts.BACKUP_TIMESTAMP: read.backup,
                facts.FAST_FORWARD_TIMESTAMP: read.fast_forward,
            },
        )

    def questions(self, context: Context, plan: Plan) -> Sequence[Question]:
        return (offline_question(context),)

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        if not confirmed(context.answer("offline")):
            raise StepFailure(
                "the service is not said to be offline", remedy="Stop every instance of it, then answer offline: true."
            )
        for name, value in plan.establishes.items():
            yield FactEstablished(step=self.name, name=name, value=value)
        async for event in super().perform(context, plan):
            yield event
        if confirmed(context.answer("disable-thrift")):
            async for event in switched_off(context, self.name):
                yield event
        async for event in disabled(context, self.name):
            yield event

    async def verify(self, context: Context) -> Evidence:
        pinned = await super().verify(context)
        backup = facts.required(context, facts.BACKUP_TIMESTAMP)
        target = facts.required(context, facts.FAST_FORWARD_TIMESTAMP)
        return Evidence((*pinned.found, f"restoring to B = {backup}; fast-forward to F = {target}"))


def offline_question(context: Context) -> Question:
    return Question(
        name="offline",
        text=f"Is every instance of the service on keyspace {context.keyspace} stopped, and will it stay so?",
        detail=("Not every server can list its clients; then your word stands in the report.",),
    )


async def cannot_list_clients(context: Context) -> bool:
    """Whether some node can neither list its clients nor be looked at from this machine."""
    nodes = (await context.cluster.identity()).nodes
    seen = [await context.cluster.clients(n.address) for n in nodes if n.address not in context.local_addresses]
    return not all(clients.can_tell for clients in seen)
