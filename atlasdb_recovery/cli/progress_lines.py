"""Counts as lines: one for a step, one for each node with all its counts, and never a flood of them."""

import time
from collections.abc import Callable

from atlasdb_recovery.events import Progressed
from atlasdb_recovery.pace import Pace

STEP_EVERY = 2.0
NODE_EVERY = 10.0
NODE_LINES_A_SECOND = 2.0
RECENT = 30.0


class NodeCounts:
    """Everything that one node counts."""

    def __init__(self, now: float) -> None:
        self.paces: dict[str, Pace] = {}
        self.said = ""
        self.said_at = self.noted_at = now

    def describe(self) -> str:
        return "; ".join(pace.describe() for pace in self.paces.values())


class ProgressLines:
    """A line for a count is due every two seconds, for a node that is further than it was every ten, or, where many
    nodes are at work, so seldom that they say two lines a second together.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steps: dict[str, Pace] = {}
        self._nodes: dict[tuple[str, str], NodeCounts] = {}

    def line_for(self, event: Progressed) -> str | None:
        """None where none is due."""
        note = f" — {event.note}" if event.note else ""
        if event.scope:
            said = self._of_node(event)
            return None if said is None else f"{event.step} {event.scope}: {said}{note}"
        pace = self._steps.setdefault(event.step, Pace(event.unit, self._clock))
        pace.note(event.done, event.total)
        is_due = event.done and pace.is_due(STEP_EVERY)
        return f"{event.step}: {pace.describe()}{note}" if is_due else None

    def latest(self, step: str) -> str:
        """The newest count of a step; "" if it has none."""
        nodes = [(counts.noted_at, scope, counts) for (name, scope), counts in self._nodes.items() if name == step]
        if nodes:
            _, scope, counts = max(nodes, key=lambda node: node[:2])
            return f"{scope} {counts.describe()}"
        pace = self._steps.get(step)
        return "" if pace is None else pace.describe()

    def _of_node(self, event: Progressed) -> str | None:
        now = self._clock()
        counts = self._nodes.setdefault((event.step, event.scope), NodeCounts(now))
        counts.noted_at = now
        counts.paces.setdefault(event.unit, Pace(event.unit, self._clock)).note(event.done, event.total)
        if not event.done or now - counts.said_at < self._node_every(now):
            return None
        described = counts.describe()
        if described == counts.said:
            return None
        counts.said, counts.said_at = described, now
        return described

    def _node_every(self, now: float) -> float:
        at_work = sum(now - counts.noted_at < RECENT for counts in self._nodes.values())
        return max(NODE_EVERY, at_work / NODE_LINES_A_SECOND)
