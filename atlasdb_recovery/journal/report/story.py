"""What happened in a session, arranged for readers: steps, guards, questions, commands, repairs."""

from datetime import datetime
from typing import Any

import msgspec

from atlasdb_recovery.events import GuardChecked, PlanMade, RepairJudged, SessionStarted
from atlasdb_recovery.journal.reader import Integrity
from atlasdb_recovery.journal.report.runbook import RUNBOOKS, Page, page

STATUS_WORDS = {
    "pending": "not begun",
    "intended": "begun, outcome unknown",
    "performed": "done, not proven",
    "verified": "proven",
    "failed": "failed",
}
PASSING = frozenset({"passed", "warned", "not-applicable"})


class Attempt(msgspec.Struct):
    """One try at a step. `outcome`: intended (open) | performed | verified | failed | interrupted."""

    began: datetime
    ended: datetime
    outcome: str = "intended"
    problem: str = ""


class StepStory(msgspec.Struct):
    page: Page
    status: str = "pending"
    attempts: list[Attempt] = []
    plan: PlanMade | None = None
    evidence: tuple[str, ...] = ()
    found_done: bool = False
    problem: str = ""
    remedy: str = ""

    @property
    def name(self) -> str:
        return self.page.name

    @property
    def words(self) -> str:
        return STATUS_WORDS[self.status]

    @property
    def seconds(self) -> float:
        """Time spent in all attempts, waiting between them left out."""
        return sum(max(0.0, (attempt.ended - attempt.began).total_seconds()) for attempt in self.attempts)

    @property
    def setbacks(self) -> list[str]:
        """What became of the attempts before the last, where they did not succeed."""
        return [
            f"Attempt {number} {attempt.outcome}{': ' if attempt.problem else ''}{attempt.problem}"
            for number, attempt in enumerate(self.attempts, 1)
            if attempt.outcome in {"failed", "interrupted"} and (attempt is not self.attempts[-1] or not self.problem)
        ]

    @property
    def open_attempt(self) -> Attempt | None:
        last = self.attempts[-1] if self.attempts else None
        return last if last is not None and last.outcome in {"intended", "performed"} else None


class GuardStory(msgspec.Struct):
    """A guard's last result, how often it was looked at, and its last refusal before that."""

    last: GuardChecked
    at: datetime
    checks: int = 1
    refused: GuardChecked | None = None


class Answer(msgspec.Struct, frozen=True):
    at: datetime
    who: str
    by: str
    value: Any


class QuestionStory(msgspec.Struct):
    step: str
    name: str
    question: str = ""
    phrase: str = ""
    answers: list[Answer] = []


class Command(msgspec.Struct):
    """A command as it was run. `exit_code` is None if its end is not on record."""

    at: datetime
    step: str
    source: str
    words: tuple[str, ...]
    exit_code: int | None = None
    seconds: float | None = None


class Remark(msgspec.Struct, frozen=True):
    at: datetime
    step: str
    level: str
    text: str


class Removal(msgspec.Struct):
    """One attempt at removing transactions: what was found, exported and removed; {} where that is not on record."""

    at: datetime
    findings: dict[str, Any]
    export: dict[str, Any] = {}
    removed: dict[str, Any] = {}


class Overrule(msgspec.Struct, frozen=True):
    """A guard that the operator went on against. `evidence` is what it had found."""

    at: datetime
    step: str
    guard: str
    reason: str
    who: str
    evidence: str = ""


class Pause(msgspec.Struct):
    """The session stood still: parked, or its process had gone. `until` is None if it never went on."""

    since: datetime
    reason: str
    until: datetime | None = None
    who: str = ""


class Story(msgspec.Struct):
    """A whole session. `integrity` is None if the records did not come from a file."""

    started: SessionStarted | None = None
    operator: str = ""
    began: datetime | None = None
    ended: datetime | None = None
    worked: datetime | None = None
    """When the procedure last got on; a remark about the journal itself does not count."""
    outcome: str = "unfinished"
    """unfinished | parked | completed | aborted"""
    reason: str = ""
    proof: tuple[str, ...] = ()
    steps: dict[str, StepStory] = {}
    guards: dict[tuple[str, str], GuardStory] = {}
    overruled: dict[str, Overrule] = {}
    """By guard, the last time it was."""
    questions: dict[tuple[str, str], QuestionStory] = {}
    commands: list[Command] = []
    repairs: dict[str, list[RepairJudged]] = {}
    facts: dict[str, Any] = {}
    removals: list[Removal] = []
    remarks: list[Remark] = []
    pauses: list[Pause] = []
    lines: int = 0
    """How many lines of node and tool output the journal holds."""
    records: int = 0
    integrity: Integrity | None = None

    @property
    def session(self) -> str:
        return self.started.session if self.started else ""

    @property
    def procedure(self) -> str:
        return self.started.procedure if self.started else "session"

    @property
    def is_practice(self) -> bool:
        return self.started is not None and self.started.mode != "LIVE"

    @property
    def unproven(self) -> list[StepStory]:
        """Every step of the procedure that is not verified, in order."""
        return [step for step in self.steps.values() if step.status != "verified"]

    @property
    def refusals(self) -> list[GuardChecked]:
        """Guards that refuse and were not overruled there, of steps that are not proven."""
        open_steps = {step.name for step in self.unproven}
        return [
            guard.last
            for (step, name), guard in self.guards.items()
            if step in open_steps and guard.last.status not in PASSING and not self._is_overruled(name, step)
        ]

    def _is_overruled(self, guard: str, step: str) -> bool:
        return guard in self.overruled and self.overruled[guard].step == step

    def step(self, name: str) -> StepStory:
        if name not in self.steps:
            self.steps[name] = StepStory(page(self.procedure, name))
        return self.steps[name]

    def expect_steps(self) -> None:
        """Enter the procedure's steps, in its order."""
        for known in RUNBOOKS.get(self.procedure, ()):
            self.step(known.name)

    def fact(self, name: str) -> dict[str, Any]:
        """A fact that is an object; {} if it was not established."""
        value = self.facts.get(name)
        return value if isinstance(value, dict) else {}
