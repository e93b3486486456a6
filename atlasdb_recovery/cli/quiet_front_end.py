"""The front-end of a session that nobody sits in front of: it goes on, and stops at the first question."""

import asyncio
from collections.abc import Callable, Sequence

from atlasdb_recovery.events import Event, GuardChecked, StepFailed, StepVerified
from atlasdb_recovery.procedure.controls import Controls
from atlasdb_recovery.procedure.front_end import Answer, Choice, Unanswered
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.step import Question, Step


class QuietFrontEnd:
    """Says each step that is proven, and what fails."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def begin(self, steps: Sequence[Step], controls: Controls) -> None:
        """Nothing to get ready."""

    def show(self, event: Event, state: SessionState) -> None:
        if isinstance(event, StepVerified):
            self._say(f"{event.step}: {'; '.join(event.evidence[:1])}")
        elif isinstance(event, StepFailed):
            self._say(f"{event.step}: FAILED: {event.problem}")

    def say(self, line: str) -> None:
        """Only the steps are said."""

    async def keep_alive(self) -> None:
        await asyncio.Event().wait()

    async def advance(self, step: Step, plan: Plan) -> Choice:
        return Choice.GO_ON

    async def answer(self, question: Question) -> Answer:
        raise Unanswered(question)

    async def after_refusal(self, step: Step, refusals: Sequence[GuardChecked]) -> Choice:
        return Choice.STOP

    async def after_failure(self, step: Step, failure: StepFailed) -> Choice:
        return Choice.STOP
