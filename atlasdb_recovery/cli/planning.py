"""`--plan`: every step, what guards it, and what it would run as far as that can be told now. Changes nothing."""

from collections.abc import Sequence

from atlasdb_recovery.cli.graph import Graph
from atlasdb_recovery.cli.lines import while_alive
from atlasdb_recovery.cli.plain import PlainFrontEnd
from atlasdb_recovery.cli.sessions import PROCEDURES
from atlasdb_recovery.events import FactEstablished, GuardChecked
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.runner import EXPECTED, Outcome, checked
from atlasdb_recovery.procedure.step import Step, StepFailure
from atlasdb_recovery.settings import Settings
from atlasdb_recovery.wording import lines_for, one_line

NOT_YET = "exactly what, can be told once the steps before it are done"


async def show(graph: Graph, procedure: str, settings: Settings, front_end: PlainFrontEnd) -> int:
    """Prints the plan of each step; 3 if a guard of the first step would refuse."""
    async with (
        while_alive(front_end),
        graph(settings, "plan", front_end.answers, offline=procedure == "restore") as context,
    ):
        return await _Planning(context, front_end).shown(PROCEDURES[procedure]())


class _Planning:
    def __init__(self, context: Context, front_end: PlainFrontEnd) -> None:
        self._context = context
        self._say = front_end.say

    async def shown(self, steps: Sequence[Step]) -> int:
        outcome = Outcome.DONE
        for number, step in enumerate(steps, 1):
            self._say(f"[{number}/{len(steps)}] {step.name}: {step.title} ({step.danger.value})")
            self._say(f"      {step.why}")
            if number == 1:
                outcome = await self._check(step)
            else:
                self._say(f"{step.name}: guards: {', '.join(guard.name for guard in step.guards(self._context))}")
            for line in await self._plan(step):
                self._say(line)
        what = "a guard refuses, so it would not begin" if outcome is Outcome.REFUSED else "it would begin"
        self._say(f"{what}; nothing was changed")
        return outcome

    async def _check(self, step: Step) -> Outcome:
        outcome = Outcome.DONE
        for guard in step.guards(self._context):
            result = await checked(guard, self._context)
            event = GuardChecked(
                step=step.name,
                guard=guard.name,
                status=result.status.value,
                evidence=plain(result.evidence),
                remedy=plain(guard.remedy_for(result)),
            )
            for line in lines_for(event):
                self._say(line)
            outcome = outcome if result.status.lets_pass else Outcome.REFUSED
        return outcome

    async def _plan(self, step: Step) -> list[str]:
        """What it would do; where the steps before it decide, what is known of that now."""
        try:
            plan = await step.plan(self._context)
        except (StepFailure, ValueError, *EXPECTED) as error:
            outlook = await step.outlook(self._context)
            lines = [f"{step.name}: plan: {NOT_YET} ({plain(str(error))})" if not outlook else f"{step.name}: outlook:"]
            return [*lines, *(f"{step.name}:   {one_line(line)}" for line in outlook)]
        for name, value in plan.establishes.items():
            self._context.state.apply(FactEstablished(step=step.name, name=name, value=value))
        return [f"{step.name}: plan: {plan.title}", *(f"{step.name}:   {one_line(line)}" for line in plan.lines)]
