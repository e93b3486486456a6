"""Where the time of a drill went: by step, and whether the program worked or waited for the operator."""

from collections.abc import Sequence

import msgspec

from atlasdb_recovery.events import (
    ActedInPractice,
    AnswerGiven,
    Event,
    GuardChecked,
    PlanMade,
    QuestionAsked,
    SessionResumed,
    SessionStarted,
    StepFailed,
    TimestampServerSeen,
)
from atlasdb_recovery.journal.record import Record
from atlasdb_recovery.practice.scenarios.noticing import refusal

BEFORE_THE_FIRST_STEP = "before the first step"
SHOWN_FROM = 0.05


class TimeSpent(msgspec.Struct):
    """Seconds. `waiting` is what the operator took to decide, type and mend things."""

    step: str
    working: float = 0.0
    waiting: float = 0.0


def time_spent(records: Sequence[Record], paged_at: float) -> list[TimeSpent]:
    """By step, in the order they were met. What lies between two sessions belongs to the step that was left."""
    spent: dict[str, TimeSpent] = {}
    step, last = BEFORE_THE_FIRST_STEP, paged_at
    waits = _Waits()
    for record in records:
        event, now = record.event, record.time.timestamp()
        if isinstance(event, TimestampServerSeen) or (isinstance(event, GuardChecked) and not event.step):
            continue  # what is seen beside the steps
        gap, last = max(0.0, now - last), max(now, last)
        waited = waits.within(gap, event)
        if not waited:
            step = event.step or step
        entry = spent.setdefault(step, TimeSpent(step))
        entry.waiting += waited
        entry.working += gap - waited
        step = event.step or step
    return [entry for entry in spent.values() if entry.working + entry.waiting > SHOWN_FROM]


class _Waits:
    """Told of every event in order, it knows which gaps were the operator's."""

    def __init__(self) -> None:
        self._previous: Event | None = None
        self._looked_at: set[str] = set()
        self._is_refused = False

    def within(self, gap: float, event: Event) -> float:
        """How much of the gap before this event was the operator's."""
        is_decided = self._is_decided_by(event)
        if not isinstance(event, GuardChecked) or is_decided:
            self._looked_at.clear()
            self._is_refused = False
        if isinstance(event, GuardChecked):
            self._looked_at.add(event.guard)
            self._is_refused = self._is_refused or refusal(event) is not None
        self._previous = event
        if not is_decided:
            return 0.0
        return max(0.0, gap - event.seconds) if isinstance(event, GuardChecked) else gap

    def _is_decided_by(self, event: Event) -> bool:
        """Whether this event came of a decision that was waited for."""
        if isinstance(event, SessionStarted | SessionResumed | AnswerGiven | ActedInPractice):
            return True
        if isinstance(self._previous, PlanMade | StepFailed | ActedInPractice | QuestionAsked):
            return True
        return isinstance(event, GuardChecked) and self._is_refused and event.guard in self._looked_at
