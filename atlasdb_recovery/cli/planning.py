"""`--plan`: every step, what guards it, and what it would run as far as that can be told now. Changes nothing."""

from collections.abc import Callable, Sequence

from atlasdb_recovery.cli.graph import live_context
from atlasdb_recovery.cli.sessions import PROCEDURES
from atlasdb_recovery.events import GuardChecked
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure.answers import Answers
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.runner import EXPECTED, Outcome, checked
from atlasdb_recovery.procedure.step import Step, StepFailure
from atlasdb_recovery.settings import Settings
from atlasdb_recovery.wording import lines_for

NOT_YET = "can be told once the steps before it are done"


async def show(procedure: str, settings: Settings, answers: Answers, say: Callable[[str], None]) -> int:
    """Prints the plan of each step; 3 if a guard of the first step would refuse."""
    async with live_context(settings, "plan", answers, offline=procedure == "restore") as context:
        return await show_in(context, PROCEDURES[procedure](), say)


async def show_in(context: Context, steps: Sequence[Step], say: Callable[[str], None]) -> int:
    """The same in any object graph."""
    outcome = Outcome.DONE
    for number, step in enumerate(steps, 1):
        say(f"{number}. {step.name}: {step.title} ({step.danger.value})")
        say(f"   {step.why}")
        for guard in step.guards(context):
            if number > 1:
                say(f"   guard {guard.name}: {guard.proves}")
                continue
            result = await checked(guard, context)
            event = GuardChecked(
                step=step.name,
                guard=guard.name,
                status=result.status.value,
                evidence=plain(result.evidence),
                remedy=plain(result.remedy or guard.remedy),
            )
            for line in lines_for(event):
                say("   " + line)
            outcome = outcome if result.status.lets_pass else Outcome.REFUSED
        for line in await _plan_lines(step, context):
            say("   would: " + line)
    say("nothing was changed")
    return outcome


async def _plan_lines(step: Step, context: Context) -> list[str]:
    try:
        plan = await step.plan(context)
    except (StepFailure, ValueError, *EXPECTED) as error:
        return [f"{NOT_YET} ({plain(str(error))})"]
    return [plan.title, *plan.lines]
