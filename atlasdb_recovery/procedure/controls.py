"""What an operator may ask of a step while it is at work."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager


class Controls:
    """Between a front-end and the step at work, on one event loop. The step offers what can be stopped."""

    def __init__(self) -> None:
        self._stops: dict[str, asyncio.Event] = {}
        self._ended = set[str]()
        self.nothing_left = asyncio.Event()
        """Set when every node was stopped: there is nothing that the step could still wait for."""

    @property
    def stoppable(self) -> tuple[str, ...]:
        """Nodes that the step is at or has still to come to, and that were not told to stop."""
        return tuple(node for node, stop in self._stops.items() if not stop.is_set() and node not in self._ended)

    def stop(self, node: str) -> bool:
        """End what the step does on this node; the others go on. False if there was nothing to stop."""
        if node not in self.stoppable:
            return False
        self._stops[node].set()
        if all(stop.is_set() for other, stop in self._stops.items() if other not in self._ended):
            self.nothing_left.set()
        return True

    def stop_all(self) -> tuple[str, ...]:
        """The same for every node; which ones it was."""
        return tuple(node for node in self.stoppable if self.stop(node))

    @contextmanager
    def offering(self, nodes: Iterable[str]) -> Iterator[Mapping[str, asyncio.Event]]:
        """For the step: these can be stopped now, each by its event."""
        self._stops, self._ended = {node: asyncio.Event() for node in nodes}, set()
        self.nothing_left.clear()
        try:
            yield self._stops
        finally:
            self._stops = {}

    def ended(self, node: str) -> None:
        """For the step: there is nothing to stop on this node any more."""
        self._ended.add(node)
