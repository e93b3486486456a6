"""Line mode in the practice world: an operator with other windows at hand, or one who follows a script."""

import asyncio
from collections.abc import Sequence

from atlasdb_recovery.cli.keyboard import asked
from atlasdb_recovery.cli.plain import PlainFrontEnd
from atlasdb_recovery.events import ActedInPractice, GuardChecked, StepFailed
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.drill import Drill
from atlasdb_recovery.practice.scenarios.script import Next, Script
from atlasdb_recovery.practice.scenarios.scripted_operator import ScriptedOperator
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.step import Danger, Step
from atlasdb_recovery.wording import lines_for

AFTERWARDS = (
    "Type resume to go on with the session, again to begin a new restore, w to do something in the practice world, "
    "anything else to leave"
)


class PracticeFrontEnd(PlainFrontEnd):
    """Plain line mode until a drill is `entered`."""

    _drill: Drill | None = None
    _operator: ScriptedOperator | None = None

    def entered(self, drill: Drill, script: Script | None) -> None:
        """The operator's turn begins; with a script, nobody is asked."""
        self._drill = drill
        self._operator = None if script is None else ScriptedOperator(drill, script, self._acted)

    async def advance(self, step: Step, plan: Plan) -> Choice:
        return await (super().advance(step, plan) if self._operator is None else self._operator.advance(step, plan))

    async def after_refusal(self, step: Step, refusals: Sequence[GuardChecked]) -> Choice:
        choice = await super().after_refusal(step, refusals)
        return choice if self._operator is None else await self._operator.after_refusal(step, refusals)

    async def after_failure(self, step: Step, failure: StepFailed) -> Choice:
        choice = await super().after_failure(step, failure)
        return choice if self._operator is None else await self._operator.after_failure(step, failure)

    async def next_move(self) -> Next:
        """After a session that is not complete. Who has stopped the program with a signal is not asked."""
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            return Next.LEAVE
        if self._operator is not None:
            return await self._operator.next()
        try:
            typed = await self._typed_outside_of_practice(AFTERWARDS)
        except asyncio.CancelledError:
            return Next.LEAVE
        return {"resume": Next.RESUME, "again": Next.BEGIN_AGAIN}.get(typed, Next.LEAVE)

    async def _again(self, what: str) -> Choice:
        if self._operator is not None:
            return Choice.STOP  # the script decides
        if self._drill is None or not self._interactive:
            return await super()._again(what)
        wanted = f"Type r to {what}, w to do something in the practice world, anything else to stop"
        return Choice.RETRY if await self._typed_outside_of_practice(wanted) == "r" else Choice.STOP

    async def _typed_outside_of_practice(self, wanted: str) -> str:
        """What was typed, once it is not `w` any more."""
        while (typed := (await asked(self.lines, wanted) or "").strip()) == "w":
            await self._act_in_practice()
        return typed

    async def _act_in_practice(self) -> None:
        assert self._drill is not None
        actions = self._drill.actions
        for number, action in enumerate(actions, 1):
            self.say(f"{number:4}  {action.name}: {action.stands_for}")
        typed = (await asked(self.lines, "Type a number, or nothing to go back") or "").strip()
        if typed.isdecimal() and 1 <= int(typed) <= len(actions):
            action = actions[int(typed) - 1]
            if action.danger is not Danger.DESTROYS or await self._is_meant(action):
                self._acted(await self._drill.act(action.key))

    async def _is_meant(self, action: Action) -> bool:
        """What destroys is asked about once more."""
        wanted = f"This destroys: {action.name}. Type yes to do it, anything else to leave it"
        return (await asked(self.lines, wanted) or "").strip() == "yes"

    def _acted(self, acted: ActedInPractice) -> None:
        for line in lines_for(acted):
            self.say(line)
