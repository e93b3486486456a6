"""Looking at a procedure without a session: every guard of every step, and each plan as far as it can be told."""

import asyncio
from functools import partial

from atlasdb_recovery.cli.graph import Graph
from atlasdb_recovery.cli.sessions import PROCEDURES, SessionFrontEnd
from atlasdb_recovery.events import GuardChecked, PlanMade
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.runner import EXPECTED, checked
from atlasdb_recovery.procedure.step import Step, StepFailure
from atlasdb_recovery.settings import Settings


async def look(graph: Graph, procedure: str, settings: Settings, front_end: SessionFrontEnd) -> None:
    """Shows it all to the front-end. Nothing is journalled, locked or changed."""
    async with graph(settings, "look", {}, offline=procedure == "restore") as context:
        context.server_seen = partial(_server_seen, context, front_end)
        for step in PROCEDURES[procedure]():
            await asyncio.gather(*(_guard(context, step, guard, front_end) for guard in step.guards(context)))
            await _plan(context, step, front_end)


async def _guard(context: Context, step: Step, guard: Guard, front_end: SessionFrontEnd) -> None:
    result = await checked(guard, context)
    event = GuardChecked(
        step=step.name,
        guard=guard.name,
        status=result.status.value,
        evidence=plain(result.evidence),
        remedy=plain(guard.remedy_for(result)),
    )
    context.state.apply(event)
    front_end.show(event, context.state)


def _server_seen(context: Context, front_end: SessionFrontEnd, server: str, role: str, note: str) -> None:
    event = context.state.server_asked(server, role, note)
    context.state.apply(event)
    front_end.show(event, context.state)


async def _plan(context: Context, step: Step, front_end: SessionFrontEnd) -> None:
    try:
        plan = await step.plan(context)
    except (StepFailure, ValueError, *EXPECTED) as error:
        front_end.say(f"{step.name}: what it would run can be told once the steps before it are done: {error}")
        return
    event = PlanMade(step=step.name, title=plan.title, lines=plan.lines, fingerprint=plan.fingerprint, facts=plan.facts)
    front_end.show(event, context.state)
