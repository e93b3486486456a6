"""The last look: every claim of the restore is checked again before it is called complete."""

from collections.abc import AsyncIterator, Sequence

from atlasdb_recovery.events import Event, Noted
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.step import Danger, Evidence, Step, StepFailure
from atlasdb_recovery.procedure.steps.fast_forward import fast_forward_evidence
from atlasdb_recovery.procedure.steps.repair import repair_evidence
from atlasdb_recovery.procedure.thrift import switched_on_again


class Prove(Step):
    name = "prove"
    title = "Prove the restore"
    why = (
        "Each step has been proven when it ended; this looks at all of it once more, at the same moment. "
        "Only then may the service be started."
    )
    danger = Danger.READS

    def guards(self, context: Context) -> Sequence[Guard]:
        return preflight.before_proof()

    async def plan(self, context: Context) -> Plan:
        return Plan(title="read back the timestamp service, the repair's coverage and the guards' baselines")

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        yield Noted(step=self.name, level="note", text="looking at every claim once more")
        async for event in switched_on_again(context, self.name):
            yield event

    async def verify(self, context: Context) -> Evidence:
        repaired = await repair_evidence(context)
        forwarded = await fast_forward_evidence(context)
        if forwarded is None:
            raise StepFailure(
                "the timestamp service is not above F: the restore is not complete",
                evidence=(f"{context.timestamps.description}: {await context.timestamps.lower_limit()}",),
                remedy="Do not start the service. Find out who set it back, then restore again.",
            )
        return Evidence((*repaired.found, *forwarded.found))
