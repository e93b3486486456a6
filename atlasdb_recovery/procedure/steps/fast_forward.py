"""`fast-forward`: no timestamp up to F is ever handed out again."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from atlasdb_recovery.events import Event, FactEstablished
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.disabled_namespace import enabled_again, requests_to_enable
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.step import Danger, Evidence, Question, Step, StepFailure
from atlasdb_recovery.procedure.timestamp_row import timestamp_row
from atlasdb_recovery.timestamps.service import ASKED_ABOVE_BOUND, TimestampService


class FastForward(Step):
    name = "fast-forward"
    title = "Fast-forward the timestamp service to F"
    why = (
        "The restored timestamps have gone back in time, and the tables hold traces of later transactions. "
        "Only when a fresh timestamp is above F can the service start without corrupting data silently."
    )
    danger = Danger.CHANGES

    def guards(self, context: Context) -> Sequence[Guard]:
        return preflight.before_fast_forward()

    async def evidence(self, context: Context) -> Evidence | None:
        return None if requests_to_enable(context) else await fast_forward_evidence(context)

    async def plan(self, context: Context) -> Plan:
        target = facts.required(context, facts.FAST_FORWARD_TIMESTAMP)
        service = context.timestamps
        bound = await service.bound()
        enabling = requests_to_enable(context)
        known = await _known(context, bound, is_disabled=bool(enabling))
        is_above = service.serves_live and known is not None and known > target
        writes = () if is_above else service.writes_to_fast_forward(target, bound)
        return Plan(
            title=f"fast-forward to {target}",
            lines=(
                "its bound cannot be seen: a fresh timestamp is fetched before and after"
                if service.serves_live
                else f"stored bound now: {'none' if bound is None else bound}",
                f"fast-forward {service.description} to {target}",
                *enabling,
                *(writes or (_nothing_to_do(service, target),)),
            ),
            depends_on={"target": target, "bound": bound, "enabling": list(enabling)},
            facts={
                "target": target,
                "bound": bound if bound is not None else known,
                "bound_is_seen": not service.serves_live,
                "service": service.description,
                "writes": [*enabling, *writes],
                "is_far": target - (known or 0) > ASKED_ABOVE_BOUND,
            },
        )

    async def outlook(self, context: Context) -> Sequence[str]:
        target = facts.required(context, facts.FAST_FORWARD_TIMESTAMP)
        return (f"raise {context.timestamps.description} above F = {target} where it is below, and read it back",)

    def questions(self, context: Context, plan: Plan) -> Sequence[Question]:
        target, bound = plan.facts["target"], plan.facts["bound"] or 0
        if not plan.facts["is_far"]:
            return ()
        limit = "the stored bound" if plan.facts["bound_is_seen"] else "the timestamps handed out now"
        return (
            Question(
                name="far-fast-forward",
                text=f"F = {target} is {target - bound:,} above {limit}. This cannot be undone. Is it right?",
                detail=plan.lines,
                phrase=context.phrase(f"fast-forward {context.keyspace} to {target}"),
                fingerprint=plan.fingerprint,
            ),
        )

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        async for event in enabled_again(context, self.name):
            yield event
        done = await context.timestamps.fast_forward(plan.facts["target"])
        yield FactEstablished(
            step=self.name,
            name=facts.FAST_FORWARDED,
            value={**msgspec.structs.asdict(done), "bound_is_seen": not context.timestamps.serves_live},
            source=context.timestamps.description,
        )
        yield FactEstablished(step=self.name, name=facts.TIMESTAMP_ROW, value=await timestamp_row(context))

    async def verify(self, context: Context) -> Evidence:
        proof = await fast_forward_evidence(context)
        if proof is None:
            target = facts.required(context, facts.FAST_FORWARD_TIMESTAMP)
            low = "a fresh timestamp is not" if context.timestamps.serves_live else "the bound read back is not at or"
            raise StepFailure(
                f"{low} above F = {target}",
                evidence=(f"{context.timestamps.description}: {await context.timestamps.lower_limit()}",),
                remedy="Do not start the service. Make sure no other timestamp service runs, then retry.",
            )
        return proof


async def _known(context: Context, bound: int | None, *, is_disabled: bool) -> int | None:
    """What the timestamps are above of now; a namespace that is disabled cannot be asked, and is above B."""
    if is_disabled:
        return int(facts.required(context, facts.BACKUP_TIMESTAMP))
    return await context.timestamps.lower_limit() if context.timestamps.serves_live else bound


def _nothing_to_do(service: TimestampService, target: int) -> str:
    if service.serves_live:
        return f"nothing has to be asked for: its timestamps are above {target} already"
    return f"nothing has to be written: the bound is at or above {target} already"


async def fast_forward_evidence(context: Context) -> Evidence | None:
    """The bound, read back, is at or above F, or a fresh timestamp is above it; None if it is not."""
    target = facts.required(context, facts.FAST_FORWARD_TIMESTAMP)
    service = context.timestamps
    limit = await service.lower_limit()
    if limit is None or limit < target or (service.serves_live and limit == target):
        return None
    said = f"{service.description} handed out {limit}" if service.serves_live else f"the stored bound is {limit}"
    return Evidence((f"{said}: every fresh timestamp will be above F = {target}",))
