"""Which node leads, how leadership passes on, and what survives it. Moments are as they were seen on the real one."""

import random
import time
from collections.abc import Callable
from enum import StrEnum

from atlasdb_recovery.practice.simulated.timelock.namespaces import Bound, LedNamespace

MOST_NAMESPACES = 500
ELECTED_AFTER_DEATH = (0.6, 1.7)
ELECTED_AFTER_FREEZE = (2.5, 3.0)
RESIGNS_WITHOUT_QUORUM_AFTER = 6.5
HINT_IS_STALE_FOR = 0.6
"""Seconds for which followers go on naming a leader that is gone; then they name each other."""


class NodeState(StrEnum):
    UP = "up"
    FROZEN = "frozen"
    DOWN = "down"


class TooManyNamespaces(Exception):
    """The server answers 500."""


class Ensemble:
    """`size` nodes, numbered from 0; node 0 leads at first. `now` is the time, in seconds."""

    def __init__(self, size: int = 1, *, now: Callable[[], float] = time.monotonic, seed: int = 0) -> None:
        self.states = [NodeState.UP] * size
        self.listed: list[set[str]] = [set() for _ in range(size)]
        """The namespaces each node has heard of; one that was away when a namespace was made has not."""
        self.backup_token: str | None = None
        """With one it is a release that can disable namespaces, for whoever has it."""
        self.disabled: dict[str, str] = {}
        """Each namespace that is, and the lock under which it is; every node keeps it on disk."""
        self.leader: int | None = 0
        self.elections: list[tuple[float, int]] = []
        self._now = now
        self._random = random.Random(seed)
        self._bounds: dict[str, Bound] = {}
        self.led: dict[str, LedNamespace] = {}
        """What the leader knows of each; gone with its leadership."""
        self._vacant_at = self._elects_at = self._no_quorum_since = float("inf")
        self._former: int | None = None
        self._asked = 0

    def kill(self, node: int) -> None:
        self._leave(node, NodeState.DOWN, ELECTED_AFTER_DEATH)

    def freeze(self, node: int) -> None:
        """It accepts connections and answers nothing."""
        self._leave(node, NodeState.FROZEN, ELECTED_AFTER_FREEZE)

    def start(self, node: int) -> None:
        """A node that was down or frozen is back, as a follower unless it is needed."""
        self._settle()
        self.states[node] = NodeState.UP
        if self._has_quorum():
            self._no_quorum_since = float("inf")
            if self.leader is None and self._elects_at == float("inf"):
                self._elects_at = self._now() + self._random.uniform(*ELECTED_AFTER_DEATH)

    def resign(self) -> None:
        """The leader loses leadership although it is well: another is elected."""
        self._settle()
        self._depose(ELECTED_AFTER_DEATH)

    def leads(self, node: int) -> bool:
        self._settle()
        return self.leader == node

    def hesitates(self, node: int) -> float:
        """Seconds for which a leader without a quorum still tries, and answers nothing."""
        self._settle()
        if self.leader != node or self._has_quorum():
            return 0.0
        return max(0.0, self._no_quorum_since + RESIGNS_WITHOUT_QUORUM_AFTER - self._now())

    def hint(self, node: int) -> int | None:
        """Whom a follower names: the leader it knows, a dead one for a while, then anybody. None: nobody else is."""
        self._settle()
        if self.leader is not None and self.leader != node:
            return self.leader
        if self._former not in {None, node} and self._now() < self._vacant_at + HINT_IS_STALE_FOR:
            return self._former
        others = [other for other in range(len(self.states)) if other != node]
        self._asked += 1
        return others[self._asked % len(others)] if others else None

    def namespace(self, name: str) -> LedNamespace:
        """On the leader; it is made by being asked. Raises TooManyNamespaces."""
        if name not in self._bounds:
            if len(self._bounds) >= MOST_NAMESPACES:
                raise TooManyNamespaces
            self._bounds[name] = Bound()
        for node, state in enumerate(self.states):
            if state is NodeState.UP:
                self.listed[node].add(name)
        if name not in self.led:
            self.led[name] = LedNamespace(self._bounds[name], self._now)
        return self.led[name]

    def _leave(self, node: int, state: NodeState, elected_after: tuple[float, float]) -> None:
        self._settle()
        self.states[node] = state
        if self.leader == node:
            self._depose(elected_after)
        if not self._has_quorum():
            self._no_quorum_since = min(self._no_quorum_since, self._now())

    def _depose(self, elected_after: tuple[float, float]) -> None:
        self._former, self.leader, self._vacant_at = self.leader, None, self._now()
        self.led.clear()
        self._elects_at = self._now() + self._random.uniform(*elected_after)

    def _settle(self) -> None:
        """What time has brought since: a leader without a quorum resigned, a new one was elected."""
        now = self._now()
        if not self._has_quorum():
            if self.leader is not None and now >= self._no_quorum_since + RESIGNS_WITHOUT_QUORUM_AFTER:
                self._depose(ELECTED_AFTER_DEATH)
            return
        if self.leader is None and now >= self._elects_at:
            able = [node for node, state in enumerate(self.states) if state is NodeState.UP]
            others = [node for node in able if node != self._former] or able
            self.leader = self._random.choice(others)
            self._elects_at = float("inf")
            self.elections.append((now, self.leader))

    def _has_quorum(self) -> bool:
        return sum(state is NodeState.UP for state in self.states) > len(self.states) // 2
