"""The state of a session: a fold over its events, and nothing else."""

from collections.abc import Iterable
from typing import Any

import msgspec

from atlasdb_recovery.events import (
    AnswerGiven,
    Event,
    FactEstablished,
    GuardChecked,
    GuardOverruled,
    PlanMade,
    RangesRepaired,
    RepairJudged,
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
from atlasdb_recovery.foreign import plain

LEADS, LED = "leads", "led"
REFUSING = frozenset({"blocked", "unknown"})
"""Of a guard's statuses, those that let nothing pass (`GuardStatus.lets_pass`)."""
PENDING, INTENDED, PERFORMED, VERIFIED, FAILED = "pending", "intended", "performed", "verified", "failed"


class StepState(msgspec.Struct):
    """How far one step is. Once it `began` its outcome is unknown until proven."""

    status: str = PENDING
    attempts: int = 0
    began: bool = False
    fingerprint: str = ""
    evidence: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_settled(self) -> bool:
        return self.status == VERIFIED


class NodeRanges(msgspec.Struct):
    """A node's token ranges, "(start,end]", as they were shown; after its verdict, those that it proves."""

    done: set[str] = set()
    failed: set[str] = set()


class SessionState(msgspec.Struct):
    """Everything a front-end renders and a step looks back at."""

    session: str = ""
    procedure: str = ""
    keyspace: str = ""
    mode: str = ""
    operator: str = ""
    outcome: str = "running"
    """running | parked | completed | aborted"""
    reason: str = ""
    current: str = ""
    steps: dict[str, StepState] = {}
    facts: dict[str, Any] = {}
    answers: dict[str, AnswerGiven] = {}
    guards: dict[str, dict[str, GuardChecked]] = {}
    overruled: dict[str, str] = {}
    """Guards that the operator overruled, and why; where one refuses in another step, it has to be said again."""
    overruled_in: dict[str, str] = {}
    """The step in which each was."""
    repairs: dict[str, RepairJudged] = {}
    ranges: dict[str, NodeRanges] = {}
    timestamp_servers: dict[str, TimestampServerSeen] = {}
    """What was last seen of each server of the timestamp service."""
    timestamp_leader: str = ""
    """The server that was the last to lead; it may be gone since."""
    failovers: list[TimestampServerSeen] = []

    def step(self, name: str) -> StepState:
        return self.steps.setdefault(name, StepState())

    def fact(self, name: str) -> Any:
        """A fact that an earlier step established; None if it has not."""
        return self.facts.get(name)

    def server_asked(self, server: str, role: str, note: str) -> TimestampServerSeen:
        """The event, beside what is known of this server and of who led until now."""
        before, led = self.timestamp_servers.get(server), self.timestamp_leader
        return TimestampServerSeen(
            server=plain(server),
            role=role,
            note=plain(note),
            instead_of=led if role == LEADS and led != server else "",
            is_new=before is None or before.role != role,
        )

    def apply(self, event: Event) -> None:
        """Fold one event in. Unknown events change nothing."""
        if event.step:
            self.current = event.step
        apply = _FOLDS.get(type(event))
        if apply is not None:
            apply(self, event)


def folded(events: Iterable[Event]) -> SessionState:
    state = SessionState()
    for event in events:
        state.apply(event)
    return state


def _started(state: SessionState, event: SessionStarted) -> None:
    state.session, state.procedure, state.keyspace = event.session, event.procedure, event.keyspace
    state.mode, state.operator, state.outcome = event.mode, f"{event.operator}@{event.host}", "running"


def _resumed(state: SessionState, event: SessionResumed) -> None:
    state.operator, state.outcome, state.reason = f"{event.operator}@{event.host}", "running", ""


def _guard(state: SessionState, event: GuardChecked) -> None:
    state.guards.setdefault(event.step, {})[event.guard] = event
    if event.status in REFUSING and state.overruled_in.get(event.guard) != event.step:
        state.overruled.pop(event.guard, None)


def _overruled(state: SessionState, event: GuardOverruled) -> None:
    state.overruled[event.guard], state.overruled_in[event.guard] = event.reason, event.step


def _planned(state: SessionState, event: PlanMade) -> None:
    state.step(event.step).fingerprint = event.fingerprint


def _intended(state: SessionState, event: StepIntended) -> None:
    step = state.step(event.step)
    step.status, step.began, step.attempts, step.problem = INTENDED, True, event.attempt, ""


def _performed(state: SessionState, event: StepPerformed) -> None:
    state.step(event.step).status = PERFORMED


def _verified(state: SessionState, event: StepVerified) -> None:
    step = state.step(event.step)
    step.status, step.evidence, step.problem = VERIFIED, event.evidence, ""


def _failed(state: SessionState, event: StepFailed) -> None:
    step = state.step(event.step)
    step.status, step.problem = FAILED, event.problem


def _fact(state: SessionState, event: FactEstablished) -> None:
    state.facts[event.name] = event.value


def _answered(state: SessionState, event: AnswerGiven) -> None:
    state.answers[event.name] = event


def _ranges(state: SessionState, event: RangesRepaired) -> None:
    node = state.ranges.setdefault(event.node, NodeRanges())
    node.done.difference_update(event.failed)
    node.done.update(event.ranges)
    node.failed.difference_update(event.ranges)
    node.failed.update(event.failed)


def _judged(state: SessionState, event: RepairJudged) -> None:
    state.repairs[event.node] = event
    done = set(event.repaired_ranges)
    state.ranges[event.node] = NodeRanges(done, set(event.failed) - done)


def _server(state: SessionState, event: TimestampServerSeen) -> None:
    if event.role == LEADS:
        for name, seen in state.timestamp_servers.items():
            if seen.role == LEADS and name != event.server:
                state.timestamp_servers[name] = msgspec.structs.replace(seen, role=LED, note="")
        state.timestamp_leader = event.server
    if event.instead_of:
        state.failovers.append(event)
    state.timestamp_servers[event.server] = event


def _parked(state: SessionState, event: SessionParked) -> None:
    state.outcome, state.reason = "parked", event.reason


def _completed(state: SessionState, event: SessionCompleted) -> None:
    state.outcome = "completed"


def _aborted(state: SessionState, event: SessionAborted) -> None:
    state.outcome, state.reason = "aborted", event.reason


_FOLDS: dict[type[Event], Any] = {
    SessionStarted: _started,
    SessionResumed: _resumed,
    GuardChecked: _guard,
    GuardOverruled: _overruled,
    PlanMade: _planned,
    StepIntended: _intended,
    StepPerformed: _performed,
    StepVerified: _verified,
    StepFailed: _failed,
    FactEstablished: _fact,
    AnswerGiven: _answered,
    RangesRepaired: _ranges,
    RepairJudged: _judged,
    TimestampServerSeen: _server,
    SessionParked: _parked,
    SessionCompleted: _completed,
    SessionAborted: _aborted,
}
