"""What an operator missed, as far as the record shows it."""

from collections.abc import Mapping, Sequence

from atlasdb_recovery.events import (
    ActedInPractice,
    Event,
    GuardChecked,
    PlanMade,
    SessionCompleted,
    SessionStarted,
    StepFailed,
    StepIntended,
)
from atlasdb_recovery.journal.record import Record
from atlasdb_recovery.practice.scenarios.noticing import refusal

READ_WITHIN = 3.0
"""Seconds: who begins a step sooner after its plan has not read the warnings beside it."""
OFTEN = 2


def misses(records: Sequence[Record], lessons: Mapping[str, str]) -> list[str]:
    """One sentence each; `lessons` says why an action, by its key, was no help."""
    events = [record.event for record in records]
    found = _no_help(events, lessons) + _checked_again(events) + _tried_again(events) + _unread(records)
    if events and not any(isinstance(event, SessionCompleted) for event in events):
        begun = (event.procedure for event in events if isinstance(event, SessionStarted))
        found.append(f"The {next(begun, 'restore')} was left incomplete.")
    return found


def _no_help(events: Sequence[Event], lessons: Mapping[str, str]) -> list[str]:
    done = {e.key: e.action for e in events if isinstance(e, ActedInPractice)}
    return [f"“{action}” was no help. {lessons[key]}" for key, action in done.items() if key in lessons]


def _checked_again(events: Sequence[Event]) -> list[str]:
    """Guards that were checked again and again while nothing had been done about them."""
    in_a_row: dict[str, int] = {}
    most: dict[str, int] = {}
    for event in events:
        if isinstance(event, ActedInPractice):
            in_a_row.clear()
        elif isinstance(event, GuardChecked) and event.step:
            in_a_row[event.guard] = in_a_row.get(event.guard, -1) + 1 if refusal(event) else -1
            if event.status == "blocked":
                most[event.guard] = max(most.get(event.guard, 0), in_a_row[event.guard])
    by_count: dict[int, list[str]] = {}
    for guard, count in most.items():
        by_count.setdefault(count, []).append(guard)
    return [
        f"{', '.join(guards)}: checked again {count} times while nothing had been done about it."
        for count, guards in by_count.items()
        if count >= OFTEN
    ]


def _tried_again(events: Sequence[Event]) -> list[str]:
    """Steps that failed and were tried again with nothing done, and nothing looked at, in between."""
    failed, tried = "", dict[str, int]()
    for event in events:
        if isinstance(event, StepFailed):
            failed = event.step
        elif isinstance(event, ActedInPractice):
            failed = ""
        elif isinstance(event, StepIntended) and event.step == failed:
            tried[failed] = tried.get(failed, 0) + 1
            failed = ""
    return [
        f"{step} was tried again {count} time{'s' if count > 1 else ''} without asking why it had failed."
        for step, count in tried.items()
    ]


def _unread(records: Sequence[Record]) -> list[str]:
    """Warnings of guards before a step that was begun too soon for anybody to have read them."""
    warned: dict[str, str] = {}
    unread: dict[str, str] = {}
    planned_at = 0.0
    for record in records:
        event = record.event
        if isinstance(event, GuardChecked) and event.step and event.status == "warned":
            warned[event.guard] = event.evidence
        elif isinstance(event, PlanMade):
            planned_at = record.time.timestamp()
        elif isinstance(event, StepIntended):
            if record.time.timestamp() - planned_at < READ_WITHIN:
                unread |= warned
            warned = {}
    return [f"A warning went by unread: {guard}: {evidence}" for guard, evidence in unread.items()]
