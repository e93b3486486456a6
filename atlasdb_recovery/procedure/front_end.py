"""What the runner asks of whoever sits in front of it: line mode, an answers file, the wizard, a test."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from atlasdb_recovery.events import Event, GuardChecked, StepFailed
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.step import Question, Step


class Unanswered(Exception):
    """There is nobody to answer this question. The session parks here."""

    def __init__(self, question: Question, reason: str = "") -> None:
        super().__init__(reason or f"the question “{question.name}” was not answered")
        self.question = question


class Choice(StrEnum):
    GO_ON = "go on"
    RETRY = "retry"
    PARK = "park"
    STOP = "stop"


class Overruled(msgspec.Struct, frozen=True):
    """The operator vouches, in words, for what a guard refuses. Only guards that allow it can be overruled."""

    guard: str
    reason: str
    by: str


class Answer(msgspec.Struct, frozen=True):
    value: Any
    by: str


class FrontEnd(Protocol):
    """Renders events and sends commands; it holds no truth."""

    def show(self, event: Event, state: SessionState) -> None:
        """Something happened. `state` is what is true after it."""
        ...

    async def advance(self, step: Step, plan: Plan) -> Choice:
        """The step could begin now: GO_ON, RETRY (look at its guards and make its plan again) or PARK."""
        ...

    async def answer(self, question: Question) -> Answer:
        """Raises Unanswered."""
        ...

    async def after_refusal(self, step: Step, refusals: Sequence[GuardChecked]) -> Choice | Overruled:
        """Guards refused: RETRY checks them again, PARK and STOP end here."""
        ...

    async def after_failure(self, step: Step, failure: StepFailed) -> Choice:
        """The step failed: RETRY tries again, PARK and STOP end here."""
        ...
