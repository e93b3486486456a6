"""What is known of a repair, node by node: a fold of its events. Every event costs the same, however many nodes."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from atlasdb_recovery.events import (
    CommandEnded,
    CommandStarted,
    Event,
    LinePrinted,
    PlanMade,
    Progressed,
    RangesExpected,
    RangesRepaired,
    RepairJudged,
    RepairStopped,
    ServerAsked,
    StepIntended,
)
from tui.ring_map import RangeState, RingMap

SILENT_AFTER = 30.0
"""Seconds without a line until a node that is at work is called silent."""
RATE_OVER = 60.0
MARKED_EVERY = 5.0


class NodeStatus(StrEnum):
    """In the order of what needs an operator first."""

    FAILED = "failed"
    UNKNOWN = "unknown"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    """The session ended while it was at work; Cassandra may go on with it."""
    SILENT = "silent"
    PROVING = "proving"
    """nodetool has ended; what became of the repair is being found out."""
    RUNNING = "running"
    WAITING = "waiting"
    REPAIRED = "repaired"


@dataclass
class NodeRow:
    """One node. Times are of the monotonic clock; counts of ranges are over all attempts."""

    node: str
    state: NodeStatus = NodeStatus.WAITING
    attempt: int = 0
    done: int = 0
    expected: int | None = None
    failed: int = 0
    validated: tuple[int, int | None] | None = None
    streamed: tuple[int, int | None] | None = None
    began: float | None = None
    heard: float | None = None
    last_line: str = ""
    exit_code: int | None = None
    judged: RepairJudged | None = None
    """The last verdict."""
    is_to_stop: bool = False
    """It was told to stop, and nothing has been heard of that yet."""
    goes_on: str = ""
    """What Cassandra does by itself since nodetool was stopped."""
    answer: str = ""
    """What the server said when it was asked, and when that was."""
    answered: float | None = None
    repairing: bool | None = None
    ranges: tuple[str, ...] = ()
    marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=int(RATE_OVER / MARKED_EVERY) + 1))

    def status(self, now: float) -> NodeStatus:
        """With silence, which is nobody's event."""
        if self.is_to_stop and self.state is NodeStatus.WAITING:
            return NodeStatus.STOPPED
        if self.state is NodeStatus.RUNNING and (self.silence(now) or 0.0) >= SILENT_AFTER:
            return NodeStatus.SILENT
        return self.state

    def silence(self, now: float) -> float | None:
        """Seconds since the last sign of life of a node that is at work; None for the others."""
        if self.state is not NodeStatus.RUNNING or self.began is None:
            return None
        return now - max(self.began, self.began if self.heard is None else self.heard)

    def rate(self, now: float) -> float | None:
        """Ranges a second over the last minute; None while it cannot be told."""
        if self.state is not NodeStatus.RUNNING or not self.marks:
            return None
        since, before = self.marks[0]
        return (self.done - before) / (now - since) if now - since >= MARKED_EVERY else None


class RepairBoard:
    """`rows` by address, `ring` of all of them. `told_bytes`: some node said how much it validated or streamed."""

    def __init__(self) -> None:
        self.rows: dict[str, NodeRow] = {}
        self.ring = RingMap()
        self.told_bytes = False
        self._planned: tuple[str, ...] = ()
        self._now = 0.0
        self._folds: dict[type[Event], Callable[[Any], None]] = {
            PlanMade: self._plan,
            StepIntended: self._begin,
            RangesExpected: self._expect,
            CommandStarted: self._start,
            LinePrinted: self._line,
            Progressed: self._progress,
            RangesRepaired: self._repaired,
            ServerAsked: self._asked,
            CommandEnded: self._end,
            RepairStopped: self._stopped,
            RepairJudged: self._judged,
        }

    def apply(self, event: Event, at: float | None = None) -> None:
        """An event of the repair step; `at`: its moment of the monotonic clock, where that is not now."""
        self._now = time.monotonic() if at is None else at
        fold = self._folds.get(type(event))
        if fold is not None:
            fold(event)

    def interrupt(self) -> None:
        """Nobody reads the nodes' lines any more."""
        for row in self.rows.values():
            if row.state in {NodeStatus.RUNNING, NodeStatus.PROVING}:
                self._put(row, NodeStatus.INTERRUPTED, RangeState.UNPROVEN)

    def row(self, node: str) -> NodeRow:
        found = self.rows.get(node)
        if found is None:
            found = self.rows[node] = NodeRow(node)
        return found

    def _plan(self, event: PlanMade) -> None:
        """Its commands name the nodes that are to be repaired now."""
        self._planned = tuple(event.facts.get("commands", ()))
        for node in self._planned:
            self.row(node)

    def _begin(self, event: StepIntended) -> None:
        """What was not proven is to be done again."""
        for node in self._planned:
            row = self.rows[node]
            if row.state is not NodeStatus.REPAIRED:
                self._put(row, NodeStatus.WAITING, RangeState.WAITING)
                row.failed, row.goes_on, row.answer, row.answered = 0, "", "", None
                row.is_to_stop = False

    def _expect(self, event: RangesExpected) -> None:
        row = self.row(event.node)
        row.ranges, row.expected = event.ranges, len(event.ranges)
        self.ring.expect(event.ranges)
        if row.judged is not None:
            self.ring.put(row.judged.repaired_ranges, RangeState.DONE)

    def _start(self, event: CommandStarted) -> None:
        row, now = self.row(event.source), self._now
        if row.state is not NodeStatus.RUNNING and row.state is not NodeStatus.PROVING:
            row.attempt += 1
            row.marks.clear()
            row.marks.append((now, row.done))
        row.began, row.exit_code, row.answer, row.answered = now, None, "", None
        row.state = NodeStatus.RUNNING
        self.ring.put(self.ring.those(row.ranges, RangeState.WAITING), RangeState.RUNNING)

    def _line(self, event: LinePrinted) -> None:
        row = self.row(event.source)
        row.heard, row.last_line = self._now, event.text

    def _progress(self, event: Progressed) -> None:
        if not event.scope:
            return
        row = self.row(event.scope)
        match event.unit:
            case "ranges":
                row.done, row.expected = event.done, event.total
                now = self._now
                if not row.marks or now - row.marks[-1][0] >= MARKED_EVERY:
                    row.marks.append((now, row.done))
            case "bytes validated":
                row.validated, self.told_bytes = (event.done, event.total), True
            case "bytes streamed":
                row.streamed, self.told_bytes = (event.done, event.total), True
            case _:
                pass

    def _repaired(self, event: RangesRepaired) -> None:
        row = self.row(event.node)
        self.ring.put(event.ranges, RangeState.DONE)
        if event.failed:
            self.ring.put(event.failed, RangeState.FAILED)
            row.failed += len(event.failed)

    def _asked(self, event: ServerAsked) -> None:
        row = self.row(event.node)
        row.answer, row.repairing, row.answered = event.answer, event.repairing, self._now

    def _end(self, event: CommandEnded) -> None:
        row = self.row(event.source)
        row.exit_code, row.state = event.exit_code, NodeStatus.PROVING

    def _stopped(self, event: RepairStopped) -> None:
        row = self.row(event.node)
        row.goes_on, row.state, row.is_to_stop = event.goes_on, NodeStatus.STOPPED, False

    def _judged(self, event: RepairJudged) -> None:
        row = self.row(event.node)
        row.attempt, row.judged, row.failed = event.attempt, event, len(event.failed)
        if event.verdict == "repaired":
            self._put(row, NodeStatus.REPAIRED, RangeState.DONE)
            row.done = row.expected = row.expected or len(event.ranges)
            return
        if row.state is not NodeStatus.STOPPED:
            row.state = NodeStatus.FAILED if event.verdict == "not-repaired" else NodeStatus.UNKNOWN
        row.done = len(event.proven)
        self.ring.put(row.ranges, RangeState.UNPROVEN)
        self.ring.put(event.failed, RangeState.FAILED)
        self.ring.put(event.proven, RangeState.DONE)

    def _put(self, row: NodeRow, status: NodeStatus, state: RangeState) -> None:
        """The node and those of its ranges that are not done."""
        row.state = status
        undone = [each for each in RangeState if each is not RangeState.DONE]
        self.ring.put(self.ring.those(row.ranges, *undone), state)
