"""The only place where a step starts, stops and resumes.

For each step: ask the cluster whether it is done already (where it may have begun) → guards → plan → questions, bound
to the plan's fingerprint → journal the intent, fsync → perform → journal → verify → journal.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from enum import IntEnum
from typing import NoReturn, Protocol

import msgspec

from atlasdb_recovery.atlas.manifest import MalformedManifest
from atlasdb_recovery.atlas.schema_ranges import MalformedCoordination
from atlasdb_recovery.atlas.timestamp_bound import BoundInvalidated, MalformedBound
from atlasdb_recovery.atlas.timestamp_file import MalformedTimestampFile
from atlasdb_recovery.cassandra.node_reports.text import UnreadableReport
from atlasdb_recovery.cassandra.ports import ClusterUnreachable, NodetoolFailed, NotEnoughReplicas, OutcomeUnknown
from atlasdb_recovery.events import (
    AnswerGiven,
    Event,
    GuardChecked,
    GuardOverruled,
    LinePrinted,
    PlanMade,
    Progressed,
    QuestionAsked,
    SessionCompleted,
    SessionParked,
    StepFailed,
    StepIntended,
    StepPerformed,
    StepVerified,
    TimestampServerSeen,
    without_secrets,
)
from atlasdb_recovery.foreign import masked, plain
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.front_end import Choice, FrontEnd, Overruled, Unanswered
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, GuardStatus, unknown
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.removal.pre_images import MalformedExport
from atlasdb_recovery.procedure.step import Question, Step, StepFailure
from atlasdb_recovery.timestamps.service import TimestampServiceRefused, TimestampServiceUnavailable, unseen

EXPECTED = (
    ClusterUnreachable,
    NotEnoughReplicas,
    OutcomeUnknown,
    NodetoolFailed,
    UnreadableReport,
    TimestampServiceRefused,
    TimestampServiceUnavailable,
    MalformedManifest,
    MalformedCoordination,
    MalformedBound,
    BoundInvalidated,
    MalformedTimestampFile,
    MalformedExport,
    OSError,
)
"""What the world may do to a step. Anything else is a defect of this program."""

HOLDS_FOR = 10.0
"""Seconds for which guards and plan are believed; where that is longer ago they are looked at and made again."""
PROGRESS_RECORDED_EVERY = 5.0


class Outcome(IntEnum):
    """How a run ended, as the exit code it becomes."""

    DONE = 0
    REFUSED = 3
    FAILED = 4
    PARKED = 5


class EventJournal(Protocol):
    """Where events are kept. `append` returns only when the record is on disk, unless `sync` is False."""

    def append(self, event: Event, *, sync: bool = True) -> object: ...


class _Ended(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.name)
        self.outcome = outcome


class Runner:
    """Runs one procedure of one session to an `Outcome`. Cancelling it parks the session."""

    def __init__(self, steps: Sequence[Step], context: Context, journal: EventJournal, front_end: FrontEnd) -> None:
        self._steps = steps
        self._context = context
        self._journal = journal
        self._front_end = front_end
        self._secrets = context.settings.secrets()
        context.note_progress = self._emit
        context.server_seen = self._server_seen
        self._progress_recorded: dict[tuple[str, str], float] = {}
        self._guards_passed_at = self._planned_at = 0.0

    async def run(self) -> Outcome:
        """Every step that is not settled, in order."""
        try:
            return await self._run()
        finally:
            self._context.server_seen = unseen  # a lock that is still refreshed is no news any more

    async def _run(self) -> Outcome:
        try:
            for step in self._steps:
                if not self._context.state.step(step.name).is_settled:
                    await self._settle(step)
        except _Ended as ended:
            return ended.outcome
        except Unanswered as unanswered:
            self._emit(SessionParked(step=self._context.state.current, reason=str(unanswered)))
            return Outcome.PARKED
        except asyncio.CancelledError:
            self._emit(SessionParked(step=self._context.state.current, reason="interrupted"))
            return Outcome.PARKED
        evidence = tuple(e for s in self._steps for e in self._context.state.step(s.name).evidence)
        self._emit(SessionCompleted(evidence=evidence))
        return Outcome.DONE

    async def _settle(self, step: Step) -> None:
        while True:
            try:
                if await self._found_done(step):
                    return
                await self._act(step)
                return
            except StepFailure as failure:
                failed = self._failed(step, failure)
            except EXPECTED as error:
                failed = self._failed(step, StepFailure(f"{type(error).__name__}: {error}"))
            choice = await self._front_end.after_failure(step, failed)
            if choice is Choice.PARK:
                self._emit(SessionParked(step=step.name, reason=f"{step.name} failed: {failed.problem}"))
                raise _Ended(Outcome.PARKED)
            if choice is not Choice.RETRY:
                raise _Ended(Outcome.FAILED)

    async def _found_done(self, step: Step) -> bool:
        if not self._context.state.step(step.name).began:
            return False
        evidence = await step.evidence(self._context)
        if evidence is None:
            return False
        self._emit(StepVerified(step=step.name, evidence=evidence.found, found_done=True))
        return True

    async def _pass_guards(self, step: Step) -> None:
        while True:
            checks = await self.check(step)
            while refusals := self._refusing(checks):
                choice = await self._front_end.after_refusal(step, refusals)
                if isinstance(choice, Overruled):
                    self._overrule(step, choice)
                    if choice.guard in self._context.state.overruled:
                        continue
                elif choice is not Choice.RETRY:
                    self._stop(step, refusals[0], choice)
                break
            if not refusals:
                self._guards_passed_at = time.monotonic()
                return

    def _refusing(self, checks: Sequence[GuardChecked]) -> list[GuardChecked]:
        overruled = self._context.state.overruled
        return [c for c in checks if not GuardStatus(c.status).lets_pass and c.guard not in overruled]

    def _overrule(self, step: Step, overruled: Overruled) -> None:
        """As an answer where the guard waits for one; else only where nothing is lost by it."""
        guard = next(g for g in step.guards(self._context) if g.name == overruled.guard)
        reason = overruled.reason.strip()
        if not reason:
            return
        if guard.answered_by:
            self._emit(AnswerGiven(step=step.name, name=guard.answered_by, answer=reason, by=overruled.by))
        elif guard.may_be_overruled:
            self._emit(GuardOverruled(step=step.name, guard=guard.name, reason=reason, by=overruled.by))

    def _stop(self, step: Step, refusal: GuardChecked, choice: Choice) -> NoReturn:
        if choice is Choice.PARK:
            self._emit(SessionParked(step=step.name, reason=f"{refusal.guard}: {refusal.evidence}"))
            raise _Ended(Outcome.PARKED)
        raise _Ended(Outcome.REFUSED)

    def watched(self, event: GuardChecked) -> None:
        """What a watch beside the steps saw: always shown, journalled when it changes."""
        event = msgspec.structs.replace(event, evidence=masked(event.evidence, self._secrets))
        before = self._context.state.guards.get("", {}).get(event.guard)
        self._context.state.apply(event)
        if before is None or (before.status, before.evidence) != (event.status, event.evidence):
            self._journal.append(event, sync=False)
        self._front_end.show(event, self._context.state)

    def _server_seen(self, server: str, role: str, note: str) -> None:
        """Always shown; journalled where it says something new."""
        state = self._context.state
        event = without_secrets(state.server_asked(server, role, note), self._secrets)
        state.apply(event)
        if isinstance(event, TimestampServerSeen) and event.is_new:
            self._journal.append(event, sync=False)
        self._front_end.show(event, state)

    async def check(self, step: Step) -> list[GuardChecked]:
        """Every guard of the step, side by side; each result is shown as it comes."""

        async def one(guard: Guard) -> GuardChecked:
            began = time.monotonic()
            result = await checked(guard, self._context)
            event = GuardChecked(
                step=step.name,
                guard=guard.name,
                status=result.status,
                evidence=plain(result.evidence),
                remedy=plain(guard.remedy_for(result)),
                seconds=round(time.monotonic() - began, 3),
                may_be_overruled=guard.may_be_overruled or bool(guard.answered_by),
            )
            self._emit(event, sync=False)
            return event

        return list(await asyncio.gather(*(one(guard) for guard in step.guards(self._context))))

    async def _agreed(self, step: Step) -> Plan:
        """The plan that the operator agreed to, under guards that hold now."""
        plan = await self._guarded_plan(step)
        while True:
            choice = await self._front_end.advance(step, plan)
            if choice is Choice.RETRY:
                plan = await self._guarded_plan(step)
                continue
            if choice is not Choice.GO_ON:
                self._emit(SessionParked(step=step.name, reason="the operator stopped before this step"))
                raise _Ended(Outcome.PARKED)
            answered = [await self._ask(step, question) for question in step.questions(self._context, plan)]
            if not any(answered) and _is_recent(self._planned_at):
                if not _is_recent(self._guards_passed_at):
                    await self._pass_guards(step)
                return plan
            again = await self._guarded_plan(step)
            if again.fingerprint == plan.fingerprint:
                return again
            plan = again

    async def _guarded_plan(self, step: Step) -> Plan:
        await self._pass_guards(step)
        return await self._plan(step)

    async def _act(self, step: Step) -> None:
        plan = await self._agreed(step)
        self._context.hold_lock()
        attempts = self._context.state.step(step.name).attempts
        self._emit(StepIntended(step=step.name, fingerprint=plan.fingerprint, attempt=attempts + 1))
        began = time.monotonic()
        async with aclosing(step.perform(self._context, plan)) as events:  # type: ignore[type-var]
            async for event in events:
                named = event if event.step else msgspec.structs.replace(event, step=step.name)
                self._emit(named, sync=not isinstance(event, LinePrinted | Progressed))
        self._emit(StepPerformed(step=step.name, seconds=round(time.monotonic() - began, 3)))
        evidence = await step.verify(self._context)
        self._emit(StepVerified(step=step.name, evidence=evidence.found))

    async def _plan(self, step: Step) -> Plan:
        plan = await step.plan(self._context)
        self._emit(
            PlanMade(step=step.name, title=plan.title, lines=plan.lines, fingerprint=plan.fingerprint, facts=plan.facts)
        )
        self._planned_at = time.monotonic()
        return plan

    async def _ask(self, step: Step, question: Question) -> bool:
        """Whether somebody took time to answer: then the plan must be made again and compared."""
        given = self._context.state.answers.get(question.name)
        if given is not None and given.fingerprint == question.fingerprint:
            return False
        self._emit(
            QuestionAsked(
                step=step.name,
                name=question.name,
                question=question.text,
                detail=question.detail,
                phrase=question.phrase,
                fingerprint=question.fingerprint,
            )
        )
        answer = await self._front_end.answer(question)
        if not question.is_answered_by(answer.value):
            raise Unanswered(question, f"the answer to “{question.name}” is not what was asked for; nothing was done")
        self._emit(
            AnswerGiven(
                step=step.name,
                name=question.name,
                answer=answer.value,
                by=answer.by,
                fingerprint=question.fingerprint,
            )
        )
        return bool(question.fingerprint) and answer.by != "answers file"

    def _failed(self, step: Step, failure: StepFailure) -> StepFailed:
        event = StepFailed(
            step=step.name,
            problem=plain(failure.problem),
            evidence=tuple(plain(line) for line in failure.evidence),
            remedy=plain(failure.remedy),
        )
        self._emit(event)
        return event

    def _emit(self, event: Event, *, sync: bool = True) -> None:
        event = without_secrets(event, self._secrets)
        self._context.state.apply(event)
        if not isinstance(event, Progressed) or self._is_due(event):
            self._journal.append(event, sync=sync)
        self._front_end.show(event, self._context.state)

    def _is_due(self, event: Progressed) -> bool:
        """Progress is shown always, and journalled now and then."""
        key, now = (event.step, event.scope), time.monotonic()
        if now - self._progress_recorded.get(key, -PROGRESS_RECORDED_EVERY) < PROGRESS_RECORDED_EVERY:
            return False
        self._progress_recorded[key] = now
        return True


def _is_recent(moment: float) -> bool:
    return time.monotonic() - moment < HOLDS_FOR


async def checked(guard: Guard, context: Context) -> GuardResult:
    """The guard's result; what it could not find out is `unknown`, with the reason."""
    deadline = asyncio.timeout(guard.deadline)
    try:
        async with deadline:
            return await guard.check(context)
    except Exception as error:  # whatever it is, the guard could not look, and that must block
        if deadline.expired():
            return unknown(f"it did not finish within {guard.deadline:.0f} seconds")
        return unknown(f"could not look: {type(error).__name__}: {error}")
