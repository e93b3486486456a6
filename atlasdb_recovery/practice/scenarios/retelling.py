"""A drill as a list of moments, for people: what the world did, what the program did, what the operator did."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from atlasdb_recovery.events import (
    ActedInPractice,
    AnswerGiven,
    CommandStarted,
    Event,
    GuardChecked,
    RepairJudged,
    SessionCompleted,
    SessionParked,
    SessionResumed,
    SessionStarted,
    StepFailed,
    StepIntended,
    StepVerified,
    TimestampServerSeen,
)
from atlasdb_recovery.journal.record import Record
from atlasdb_recovery.journal.report.words import shell, value
from atlasdb_recovery.practice.scenarios.noticing import refusal
from atlasdb_recovery.practice.scenarios.world import Happening
from atlasdb_recovery.wording import lines_for


class Who(StrEnum):
    WORLD = "the world"
    PROGRAM = "the program"
    OPERATOR = "the operator"


class Moment(msgspec.Struct, frozen=True):
    """`after` is seconds since the page."""

    after: float
    who: Who
    what: str


def retold(records: Iterable[Record], happenings: Sequence[Happening], paged_at: float) -> list[Moment]:
    """In order of time; what the world did before the page is at 0. One moment for each time that guards refused."""
    procedure = "restore"
    moments = [Moment(max(0.0, h.at - paged_at), Who.WORLD, h.what) for h in happenings]
    round_ = _Round()
    for record in records:
        after = max(0.0, record.time.timestamp() - paged_at)
        if isinstance(record.event, GuardChecked):
            if record.event.guard in round_.looked_at:
                moments += round_.ended()
            round_.looked(after, record.event)
        elif isinstance(record.event, TimestampServerSeen):
            moments += [Moment(after, Who.PROGRAM, line) for line in lines_for(record.event)]
        else:
            moments += round_.ended()
            if isinstance(record.event, SessionStarted):
                procedure = record.event.procedure
            elif isinstance(record.event, SessionCompleted):
                moments.append(Moment(after, Who.PROGRAM, f"every claim is proven: the {procedure} is complete"))
            if told := _told(record.event):
                moments.append(Moment(after, *told))
    return sorted([*moments, *round_.ended()], key=lambda moment: moment.after)


class _Round:
    """One look at a step's guards."""

    def __init__(self) -> None:
        self.looked_at: set[str] = set()
        self._refusals: list[GuardChecked] = []
        self._refused_at = 0.0
        self._last = ""

    def looked(self, after: float, event: GuardChecked) -> None:
        if event.step:  # what the watch beside the steps sees belongs to none
            self.looked_at.add(event.guard)
        if refusal(event) is not None:
            self._refused_at = self._refused_at if self._refusals else after
            self._refusals.append(event)

    def ended(self) -> list[Moment]:
        """The moment at which it refused, if it did; afterwards another round begins."""
        refusals, self._refusals = self._refusals, []
        if not self.looked_at:
            return []
        self.looked_at.clear()
        before, self._last = self._last, _refused(refusals) if refusals else ""
        if not refusals:
            return []
        told = self._last if self._last != before else f"{refusals[0].step} may not begin, for the same reasons"
        return [Moment(self._refused_at, Who.PROGRAM, told)]


def _refused(refusals: Sequence[GuardChecked]) -> str:
    """What blocks, with its evidence; what could only not be looked at is named after it."""
    refusals = sorted(refusals, key=lambda guard: guard.guard)
    blocked = [guard for guard in refusals if guard.status == "blocked"] or list(refusals)
    shown = "; ".join(f"{guard.guard} ({guard.evidence})" for guard in blocked)
    others = [guard.guard for guard in refusals if guard not in blocked]
    return f"{refusals[0].step} may not begin: {shown}" + (f"; unknown: {', '.join(others)}" if others else "")


def _told(event: Event) -> tuple[Who, str] | None:
    tell = _WORDS.get(type(event))
    return None if tell is None else tell(event)


def _intended(event: StepIntended) -> tuple[Who, str]:
    again = f", attempt {event.attempt}" if event.attempt > 1 else ""
    return Who.PROGRAM, f"{event.step} begins{again}"


def _judged(event: RepairJudged) -> tuple[Who, str]:
    return Who.PROGRAM, f"repair of {event.node}: {event.verdict}: {'; '.join(event.reasons)}"


_WORDS: dict[type[Event], Callable[[Any], tuple[Who, str] | None]] = {
    SessionStarted: lambda e: (Who.OPERATOR, f"begins {e.procedure} session {e.session}"),
    SessionResumed: lambda _: (Who.OPERATOR, "resumes the session"),
    AnswerGiven: lambda e: (Who.OPERATOR, f"answers {e.name}: {value(e.answer)}"),
    ActedInPractice: lambda e: (Who.OPERATOR, f"{e.action}: {e.seen}"),
    StepIntended: _intended,
    CommandStarted: lambda e: (Who.PROGRAM, f"{e.step}: runs {shell(e.command)}") if e.step == "repair" else None,
    RepairJudged: _judged,
    StepFailed: lambda e: (Who.PROGRAM, f"{e.step} fails: {e.problem}"),
    StepVerified: lambda e: (Who.PROGRAM, f"{e.step} is proven"),
    SessionParked: lambda e: (Who.PROGRAM, f"the session is parked: {e.reason}"),
}
