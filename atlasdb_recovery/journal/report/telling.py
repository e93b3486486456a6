"""Folds a journal's records into a story."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from atlasdb_recovery.events import (
    ActedInPractice,
    AnswerGiven,
    CommandEnded,
    CommandStarted,
    Event,
    FactEstablished,
    GuardChecked,
    GuardOverruled,
    LinePrinted,
    Noted,
    PlanMade,
    QuestionAsked,
    RepairJudged,
    RepairStopped,
    SessionAborted,
    SessionCompleted,
    SessionParked,
    SessionResumed,
    SessionStarted,
    StepFailed,
    StepIntended,
    StepPerformed,
    StepVerified,
    TimestampServerSeen,
)
from atlasdb_recovery.journal.chain import Record
from atlasdb_recovery.journal.reader import JournalReader
from atlasdb_recovery.journal.report.story import (
    PASSING,
    Answer,
    Attempt,
    Command,
    GuardStory,
    Overrule,
    Pause,
    QuestionStory,
    Remark,
    Removal,
    Story,
)

CANNOT_BE_USED = frozenset({"silent", "refused"})


def told(records: Iterable[Record]) -> Story:
    """The story of these records. From a `JournalReader` it also tells whether the journal is whole."""
    story = Story()
    for record in records:
        now = record.time
        fold = _FOLDS.get(type(record.event))
        if fold is not None:
            fold(story, now, record.event)
        story.began = story.began or now
        story.ended = now
        if record.event.step or not isinstance(record.event, Noted):
            story.worked = now
        story.records += 1
    if isinstance(records, JournalReader):
        story.integrity = records.integrity
    for step in story.steps.values():
        if step.open_attempt and story.ended:
            step.open_attempt.ended = story.ended
    return story


def _started(story: Story, now: datetime, event: SessionStarted) -> None:
    story.started, story.operator = event, f"{event.operator}@{event.host}"
    story.expect_steps()


def _resumed(story: Story, now: datetime, event: SessionResumed) -> None:
    if not story.pauses or story.pauses[-1].until is not None:
        story.pauses.append(Pause(story.worked or now, "its process ended without a word"))
        _interrupt(story, story.worked or now)
    story.operator = f"{event.operator}@{event.host}"
    story.pauses[-1].until, story.pauses[-1].who = now, story.operator
    story.outcome, story.reason = "unfinished", ""
    if event.lock_taken_from:
        story.remarks.append(Remark(now, event.step, "warning", f"The lock was taken from {event.lock_taken_from}."))


def _guard(story: Story, now: datetime, event: GuardChecked) -> None:
    key = (event.step, event.guard)
    before = story.guards.get(key)
    if before is None:
        story.guards[key] = GuardStory(event, now)
        return
    refused = before.refused if before.last.status in PASSING else before.last
    story.guards[key] = GuardStory(event, now, before.checks + 1, refused)


def _overruled(story: Story, now: datetime, event: GuardOverruled) -> None:
    checked = story.guards.get((event.step, event.guard))
    evidence = checked.last.evidence if checked is not None else ""
    story.overruled[event.guard] = Overrule(
        now, event.step, event.guard, event.reason, f"{story.operator}, {event.by}", evidence
    )


def _asked(story: Story, now: datetime, event: QuestionAsked) -> None:
    question = story.questions.setdefault((event.step, event.name), QuestionStory(event.step, event.name))
    question.question, question.phrase = event.question, event.phrase


def _answered(story: Story, now: datetime, event: AnswerGiven) -> None:
    question = story.questions.setdefault((event.step, event.name), QuestionStory(event.step, event.name))
    question.answers.append(Answer(now, story.operator, event.by, event.answer))


def _planned(story: Story, now: datetime, event: PlanMade) -> None:
    story.step(event.step).plan = event


def _intended(story: Story, now: datetime, event: StepIntended) -> None:
    step = story.step(event.step)
    step.status, step.problem, step.remedy, step.found_done = "intended", "", "", False
    step.attempts.append(Attempt(now, now))
    story.outcome = "unfinished"


def _performed(story: Story, now: datetime, event: StepPerformed) -> None:
    step = story.step(event.step)
    step.status = "performed"
    _end_attempt(story, now, event.step, "performed")


def _verified(story: Story, now: datetime, event: StepVerified) -> None:
    step = story.step(event.step)
    step.status, step.evidence, step.found_done = "verified", event.evidence, event.found_done
    step.problem = step.remedy = ""
    _end_attempt(story, now, event.step, "verified")


def _failed(story: Story, now: datetime, event: StepFailed) -> None:
    step = story.step(event.step)
    step.status, step.problem, step.evidence, step.remedy = "failed", event.problem, event.evidence, event.remedy
    if step.open_attempt is not None:
        step.open_attempt.problem = event.problem
    _end_attempt(story, now, event.step, "failed")


def _command(story: Story, now: datetime, event: CommandStarted) -> None:
    story.commands.append(Command(now, event.step, event.source, event.command))


def _command_ended(story: Story, now: datetime, event: CommandEnded) -> None:
    for command in reversed(story.commands):
        if (command.step, command.source) == (event.step, event.source) and command.exit_code is None:
            command.exit_code, command.seconds = event.exit_code, event.seconds
            return


def _line(story: Story, now: datetime, event: LinePrinted) -> None:
    story.lines += 1


def _repaired(story: Story, now: datetime, event: RepairJudged) -> None:
    story.repairs.setdefault(event.node, []).append(event)


def _fact(story: Story, now: datetime, event: FactEstablished) -> None:
    story.facts[event.name] = event.value
    value = event.value if isinstance(event.value, dict) else {}
    if event.name == "findings":
        story.removals.append(Removal(now, value))
    elif event.name in {"export", "removed"}:
        if not story.removals:
            story.removals.append(Removal(now, {}))
        setattr(story.removals[-1], event.name, value)


def _noted(story: Story, now: datetime, event: Noted) -> None:
    story.remarks.append(Remark(now, event.step, event.level, event.text))


def _stopped(story: Story, now: datetime, event: RepairStopped) -> None:
    text = f"{event.node}: nodetool was stopped by the operator. {event.goes_on}"
    story.remarks.append(Remark(now, event.step, "warning", text))


def _server(story: Story, now: datetime, event: TimestampServerSeen) -> None:
    """A failover, and a server newly found that cannot be used; who leads or follows as before is no news."""
    if event.instead_of:
        text = f"The timestamp service failed over: {event.server} leads instead of {event.instead_of}."
    elif event.is_new and event.role in CANNOT_BE_USED:
        text = f"Timestamp server {event.server}: {event.role}{': ' if event.note else ''}{event.note}"
    else:
        return
    story.remarks.append(Remark(now, event.step, "note", text))


def _acted(story: Story, now: datetime, event: ActedInPractice) -> None:
    story.remarks.append(Remark(now, event.step, "note", f"In the practice world: {event.action}: {event.seen}"))


def _parked(story: Story, now: datetime, event: SessionParked) -> None:
    story.outcome, story.reason = "parked", event.reason
    story.pauses.append(Pause(now, event.reason))
    _interrupt(story, now)


def _completed(story: Story, now: datetime, event: SessionCompleted) -> None:
    story.outcome, story.proof = "completed", event.evidence


def _aborted(story: Story, now: datetime, event: SessionAborted) -> None:
    story.outcome, story.reason = "aborted", event.reason
    _interrupt(story, now)


def _end_attempt(story: Story, now: datetime, step: str, outcome: str) -> None:
    attempt = story.step(step).open_attempt
    if attempt is not None:
        attempt.ended, attempt.outcome = now, outcome


def _interrupt(story: Story, now: datetime) -> None:
    for step in story.steps.values():
        if step.open_attempt is not None:
            step.open_attempt.ended, step.open_attempt.outcome = now, "interrupted"


_FOLDS: dict[type[Event], Callable[[Story, datetime, Any], None]] = {
    SessionStarted: _started,
    SessionResumed: _resumed,
    GuardChecked: _guard,
    GuardOverruled: _overruled,
    QuestionAsked: _asked,
    AnswerGiven: _answered,
    PlanMade: _planned,
    StepIntended: _intended,
    StepPerformed: _performed,
    StepVerified: _verified,
    StepFailed: _failed,
    CommandStarted: _command,
    CommandEnded: _command_ended,
    LinePrinted: _line,
    RepairJudged: _repaired,
    FactEstablished: _fact,
    Noted: _noted,
    RepairStopped: _stopped,
    TimestampServerSeen: _server,
    ActedInPractice: _acted,
    SessionParked: _parked,
    SessionCompleted: _completed,
    SessionAborted: _aborted,
}
