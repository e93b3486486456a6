"""What the screens show of a session: the engine's state, and what its events said on the way.

Fed by a running procedure through the bridge, or by another process's journal; screens cannot tell which.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from atlasdb_recovery.events import (
    AnswerGiven,
    CommandEnded,
    CommandStarted,
    Event,
    GuardChecked,
    LinePrinted,
    PlanMade,
    Progressed,
    SessionAborted,
    SessionCompleted,
    SessionParked,
    SessionResumed,
    SessionStarted,
    StepFailed,
    StepIntended,
    StepVerified,
    TimestampServerSeen,
)
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.pace import Pace
from atlasdb_recovery.procedure.session import INTENDED, PERFORMED, SessionState
from atlasdb_recovery.procedure.step import Step
from atlasdb_recovery.wording import lines_for
from tui.figures import clock_time
from tui.repair_board import RepairBoard
from tui.source_lines import SourceLine, SourceLines

READ_ONLY = "READ-ONLY"
LOG_KEPT = 5_000
REPAIR = "repair"


class SeenGuard(NamedTuple):
    """A guard's result and when it came, in seconds of the monotonic clock."""

    check: GuardChecked
    at: float


@dataclass
class StepView:
    """One step's record, beside what the engine's state holds of it. Times are of the monotonic clock."""

    step: Step
    plan: PlanMade | None = None
    replaced: PlanMade | None = None
    """The plan before this one, where it was another; forgotten once the step begins."""
    confirmed: str = ""
    """The fingerprint that words were last typed for; forgotten once the step begins."""
    guards: dict[str, SeenGuard] = field(default_factory=dict)
    failure: StepFailed | None = None
    began: float | None = None
    ended: float | None = None
    is_interrupted: bool = False
    """The session was parked, aborted, or its process died, in the middle of this step."""
    paces: dict[tuple[str, str], Pace] = field(default_factory=dict)
    """By unit and scope."""

    @property
    def seconds(self) -> float | None:
        """How long it has run, or ran."""
        return None if self.began is None else (self.ended or time.monotonic()) - self.began

    @property
    def lasted(self) -> str:
        """The words before `seconds`."""
        return "interrupted after" if self.is_interrupted else "took" if self.ended is not None else "at work for"

    def far(self, pace: Pace) -> str:
        """How far one of its paces has come; without a rate once nobody is at it any more."""
        return pace.describe() if self.ended is None else pace.counted()


class SessionView:
    """`version` rises with every change: a screen redraws only when it has seen an older one."""

    def __init__(self, steps: Sequence[Step], *, mode: str, cluster: str = "", keyspace: str = "") -> None:
        self.state = SessionState()
        self.steps = {step.name: StepView(step) for step in steps}
        self.mode = mode
        self.cluster = cluster
        self.keyspace = keyspace
        self.lock_holder = ""
        self.log: deque[str] = deque(maxlen=LOG_KEPT)
        self.log_length = 0
        self.lines = SourceLines()
        self.repair = RepairBoard()
        self.commands: dict[str, tuple[str, ...]] = {}
        """The last command that each source started."""
        self.report: Path | None = None
        """Where the session's report lies, once it has been written."""
        self.watched: SeenGuard | None = None
        """What the watch over the clients saw last."""
        self.servers_at: dict[str, float] = {}
        """When each server of the timestamp service was last asked, in seconds of the monotonic clock."""
        self.failover_at = 0.0
        self.stopped = ""
        """Why the engine has ended, where the session itself could not say so."""
        self.began = time.monotonic()
        self.ended: float | None = None
        """Since when nobody is at work on the session, where that is so."""
        self.version = 0

    def apply(self, event: Event, state: SessionState, *, at: datetime | None = None) -> None:
        """Something happened; `state` is what is true after it. `at`: when, where that is not now."""
        now = time.monotonic() if at is None else _moment(at)
        self.state = state
        self.version += 1
        if event.step == REPAIR:
            self.repair.apply(event, now)
        if isinstance(event, LinePrinted):
            self.lines.add(event.source, SourceLine(event.at, event.stream, event.text))
            return
        if not isinstance(event, Progressed):
            for line in lines_for(event):
                self.say(line, at=at)
        if at is not None and isinstance(event, SessionStarted):
            self.began = now
        if isinstance(event, SessionParked | SessionAborted | SessionCompleted):
            self.ended = now
        if isinstance(event, SessionParked | SessionAborted):
            self._interrupt(now)
        elif event.step in self.steps:
            self._in_step(self.steps[event.step], event, now)
        else:
            self._in_session(event, now)

    def say(self, line: str, *, at: datetime | None = None) -> None:
        """A line for the session's log; `at`: when it was said, where that is not now."""
        said = (
            time.strftime("%H:%M:%S")
            if at is None
            else clock_time(at.astimezone(), datetime.now(UTC).astimezone().date())
        )
        self.log.append(f"{said}  {plain(line)}")
        self.log_length += 1
        self.version += 1

    @property
    def seconds(self) -> float:
        """For how long the session has gone on, or went on."""
        return (self.ended or time.monotonic()) - self.began

    def touched(self) -> None:
        self.version += 1

    @property
    def current(self) -> str:
        """The step that the session is at: the first that is not settled, the last one where all are."""
        names = list(self.steps)
        return next((name for name in names if not self.state.step(name).is_settled), names[-1])

    def status(self, step: str) -> str:
        """As the session's state has it, but `interrupted` for a step that was left in its middle."""
        status = self.state.step(step).status
        is_left = self.steps[step].is_interrupted or bool(self.stopped) or self.state.outcome != "running"
        return "interrupted" if status in {INTENDED, PERFORMED} and is_left else status

    def broke_off(self, why: str, at: datetime) -> None:
        """Its process ended then, without a word. Until somebody resumes it nobody is at work."""
        self.stopped, self.ended = why, _moment(at)
        self._interrupt(self.ended)
        self.version += 1

    def _interrupt(self, now: float) -> None:
        """Nobody is at work any more: what has begun and not ended is left as it is."""
        for view in self.steps.values():
            if view.began is not None and view.ended is None:
                view.ended, view.is_interrupted = now, True
        self.repair.interrupt()
        self.lock_holder = ""

    def _in_session(self, event: Event, now: float) -> None:
        match event:
            case GuardChecked():
                self.watched = SeenGuard(event, now)
            case TimestampServerSeen():
                self.servers_at[event.server] = now
                if event.instead_of:
                    self.failover_at = now
            case SessionStarted():
                if self.mode != READ_ONLY:
                    self.mode = event.mode
                self.cluster = event.cluster
                self.lock_holder = f"{event.operator}@{event.host} {event.process}"
            case SessionResumed():
                self._interrupt(now)
                self.ended, self.stopped = None, ""
                self.lock_holder = f"{event.operator}@{event.host} {event.process}"
            case _:
                pass

    def _in_step(self, view: StepView, event: Event, now: float) -> None:
        match event:
            case GuardChecked():
                view.guards[event.guard] = SeenGuard(event, now)
            case PlanMade():
                if view.plan is not None and view.plan.fingerprint != event.fingerprint:
                    view.replaced = view.plan
                view.plan = event
                view.paces.clear()
            case AnswerGiven(fingerprint=fingerprint) if fingerprint:
                view.confirmed = fingerprint
            case StepIntended():
                view.replaced, view.confirmed = None, ""
                view.began, view.ended, view.failure, view.is_interrupted = now, None, None, False
                view.paces.clear()
            case StepVerified():
                view.ended = view.ended or now
                view.failure, view.is_interrupted = None, False
            case StepFailed():
                view.ended, view.failure, view.is_interrupted = now, event, False
            case Progressed():
                pace = view.paces.setdefault((event.unit, event.scope), Pace(event.unit, time.monotonic))
                pace.note(event.done, event.total, now)
            case CommandStarted() | CommandEnded():
                self._of_command(event)
            case _:
                pass

    def _of_command(self, event: CommandStarted | CommandEnded) -> None:
        if isinstance(event, CommandStarted):
            self.commands[event.source] = event.command
            self.lines.add(event.source, SourceLine(0.0, "command", " ".join(event.command)))
        else:
            ended = f"ended with {event.exit_code} after {event.seconds:.1f} s"
            self.lines.add(event.source, SourceLine(event.seconds, "command", ended))


def _moment(at: datetime) -> float:
    """Of the monotonic clock: below zero where the machine started later, and never in the future."""
    return time.monotonic() - max(time.time() - at.timestamp(), 0.0)
