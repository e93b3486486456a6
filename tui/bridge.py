"""Between the engine and the screens: events go in, decisions come out. It holds no truth of its own."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atlasdb_recovery.events import Event, GuardChecked, StepFailed
from atlasdb_recovery.procedure.controls import Controls
from atlasdb_recovery.procedure.front_end import Answer, Choice, Overruled, Unanswered
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.step import Question, Step
from tui.held_key import HeldKey
from tui.session_view import SessionView

BY = "wizard"


@dataclass(frozen=True)
class ToBegin:
    """The step could begin now."""

    step: str
    plan: Plan


@dataclass(frozen=True)
class ToAnswer:
    """The step needs this answer."""

    step: str
    question: Question


@dataclass(frozen=True)
class Refused:
    """Guards refuse."""

    step: str
    refusals: tuple[GuardChecked, ...]


@dataclass(frozen=True)
class Failed:
    """The step failed."""

    step: str
    failure: StepFailed


Waiting = ToBegin | ToAnswer | Refused | Failed


class Bridge:
    """The engine's front-end. `waiting` is what the operator has to decide now; None while the engine works.

    `controls` is what may be asked of the step at work. `next_key` lasts from one step's screen to the next.
    """

    def __init__(self, view: SessionView) -> None:
        self.view = view
        self.controls = Controls()
        self.waiting: Waiting | None = None
        self.next_key = HeldKey()
        self._decision: asyncio.Future[Any] | None = None

    def begin(self, steps: Sequence[Step], controls: Controls) -> None:
        """The screens know their steps already."""
        self.controls = controls

    def show(self, event: Event, state: SessionState, *, at: datetime | None = None) -> None:
        """`at`: when it happened, where that is not now."""
        self.view.apply(event, state, at=at)

    def say(self, line: str) -> None:
        self.view.say(line)

    async def keep_alive(self) -> None:
        """The screens' own clock shows that work goes on."""
        await asyncio.Event().wait()

    async def advance(self, step: Step, plan: Plan) -> Choice:
        choice: Choice = await self._decided(ToBegin(step.name, plan))
        return choice

    async def answer(self, question: Question) -> Answer:
        value = await self._decided(ToAnswer(self.view.state.current, question))
        if value is Choice.PARK:
            raise Unanswered(question, f"the operator parked at the question “{question.name}”")
        return Answer(value, BY)

    async def after_refusal(self, step: Step, refusals: Sequence[GuardChecked]) -> Choice | Overruled:
        choice: Choice | Overruled = await self._decided(Refused(step.name, tuple(refusals)))
        return choice

    async def after_failure(self, step: Step, failure: StepFailed) -> Choice:
        choice: Choice = await self._decided(Failed(step.name, failure))
        return choice

    def decide(self, waiting: Waiting, decision: Any) -> bool:
        """The operator's decision on `waiting`; False if that is not what is waited for any more."""
        if self.waiting is not waiting or self._decision is None or self._decision.done():
            return False
        self._decision.set_result(decision)
        return True

    async def _decided(self, waiting: Waiting) -> Any:
        self.waiting = waiting
        self._decision = asyncio.get_running_loop().create_future()
        self.view.touched()
        try:
            return await self._decision
        finally:
            self.waiting = self._decision = None
            self.view.touched()
