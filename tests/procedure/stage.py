"""A stage for the runner: a scripted step, a front-end that answers from lists, a journal that notes each sync."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atlasdb_recovery.events import (
    Event,
    FactEstablished,
    GuardChecked,
    Noted,
    StepFailed,
)
from atlasdb_recovery.journal.chain import Record
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.front_end import Answer, Choice, Overruled, Unanswered
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, passed
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.runner import Outcome, Runner
from atlasdb_recovery.procedure.session import SessionState, folded
from atlasdb_recovery.procedure.step import Danger, Evidence, Question, Step, StepFailure
from tests.restore.arena import Arena

Kinds = list[str]


@dataclass
class Scripted(Guard):
    """Says what it is told to, one result after another; the last one again and again."""

    results: list[GuardResult] = field(default_factory=lambda: [passed("as it should be")])
    proves = "What the test says."
    remedy = "Do what the test says."
    looked: int = 0

    async def check(self, context: Context) -> GuardResult:
        self.looked += 1
        return self.results.pop(0) if len(self.results) > 1 else self.results[0]


class ScriptedStep(Step):
    """Does nothing but note that it did."""

    name = "scripted"
    title = "A step of the test"
    why = "It shows what the runner does around it. Nothing else."
    danger = Danger.DESTROYS

    def __init__(self, name: str = "scripted") -> None:
        self.name = name
        self.guard = Scripted()
        self.done: list[str] = []
        self.plans = ["as it is"]
        self.asks: list[Question] = []
        self.in_the_middle: Callable[[], Any] = lambda: None
        self.proof: Evidence | None = Evidence(("seen",))
        self.found_done: Evidence | None = None
        self.closed = False

    def guards(self, context: Context) -> Sequence[Guard]:
        return [self.guard]

    async def evidence(self, context: Context) -> Evidence | None:
        return self.found_done

    async def plan(self, context: Context) -> Plan:
        made_of = self.plans.pop(0) if len(self.plans) > 1 else self.plans[0]
        return Plan(title="do it", lines=(made_of,), depends_on={"made of": made_of})

    def questions(self, context: Context, plan: Plan) -> Sequence[Question]:
        return [
            Question(name=q.name, text=q.text, phrase=q.phrase, fingerprint=plan.fingerprint if q.fingerprint else "")
            for q in self.asks
        ]

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        try:
            yield Noted(level="note", text="begun")
            self.done.append("first half")
            result = self.in_the_middle()
            if asyncio.iscoroutine(result):
                await result
            yield Noted(level="note", text="half way")
            self.done.append("second half")
            yield FactEstablished(name="made", value=plan.lines[0])
        finally:
            self.closed = True

    async def verify(self, context: Context) -> Evidence:
        if self.proof is None:
            raise StepFailure("it is not there", evidence=("looked, and saw nothing",), remedy="Look again.")
        return self.proof


@dataclass
class FrontEnd:
    """Answers from lists, the last one again and again."""

    answers: list[Answer] = field(default_factory=list)
    refused: list[Choice | Overruled] = field(default_factory=lambda: [Choice.STOP])
    failed: list[Choice] = field(default_factory=lambda: [Choice.STOP])
    advances: list[Choice] = field(default_factory=lambda: [Choice.GO_ON])
    shown: list[Event] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def show(self, event: Event, state: SessionState) -> None:
        self.shown.append(event)

    async def advance(self, step: Step, plan: Plan) -> Choice:
        return self.advances.pop(0) if len(self.advances) > 1 else self.advances[0]

    async def answer(self, question: Question) -> Answer:
        self.questions.append(question)
        if not self.answers:
            raise Unanswered(question)
        return self.answers.pop(0)

    async def after_refusal(self, step: Step, refusals: Sequence[GuardChecked]) -> Choice | Overruled:
        return self.refused.pop(0) if len(self.refused) > 1 else self.refused[0]

    async def after_failure(self, step: Step, failure: StepFailed) -> Choice:
        return self.failed.pop(0) if len(self.failed) > 1 else self.failed[0]


class Told(MemoryJournal):
    """Notes which records were synced, and what had happened by then."""

    def __init__(self, step: ScriptedStep | None = None) -> None:
        super().__init__()
        self.step = step
        self.synced: list[tuple[str, bool, list[str]]] = []

    def append(self, event: Event, *, sync: bool = True) -> Record:
        self.synced.append((type(event).__name__, sync, list(self.step.done) if self.step else []))
        return super().append(event, sync=sync)


class Stage:
    """A context, a step, a front-end and a journal."""

    def __init__(self, tmp_path: Path) -> None:
        self.arena = Arena(SimulatedPractice(data_root=tmp_path / "nodes"), tmp_path)
        self.context = self.arena.context({})
        self.step = ScriptedStep()
        self.steps: list[Step] = [self.step]
        self.front_end = FrontEnd()
        self.journal = Told(self.step)

    async def run(self) -> Outcome:
        return await Runner(self.steps, self.context, self.journal, self.front_end).run()

    async def resume(self) -> Outcome:
        """Another process: all that is known is in the journal."""
        self.context = self.arena.context({})
        self.context.state = folded(record.event for record in self.journal.records())
        return await self.run()

    def kinds(self) -> Kinds:
        return [type(record.event).__name__ for record in self.journal.records()]

    def only(self, kind: type[Event]) -> Any:
        (found,) = [record.event for record in self.journal.records() if isinstance(record.event, kind)]
        return found


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act
