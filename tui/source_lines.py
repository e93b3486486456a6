"""The raw lines of nodes and store tools, as many as memory is given for; the journal has all of them."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

import msgspec

KEPT = 100_000
"""Of all sources together. Where there are more, the source with more than its share loses its oldest."""


class SourceLine(msgspec.Struct, frozen=True, gc=False):
    """`at` is seconds since its command started; `stream` is out, err, or command for the command itself.

    Not looked at by the garbage collector: with a hundred thousand of them it would stop the screens for a while.
    """

    at: float
    stream: str
    text: str


class SourceLines:
    """Lines by source. Each line keeps the number it came with, from 0."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._total = 0
        self._lines: dict[str, deque[SourceLine]] = {}
        self._dropped: dict[str, int] = {}

    def add(self, source: str, line: SourceLine) -> None:
        lines = self._lines.get(source)
        if lines is None:
            lines = self._lines[source] = deque()
            self._dropped[source] = 0
        lines.append(line)
        self._total += 1
        if self._total > self._kept:
            self._drop(source if len(lines) * len(self._lines) > self._kept else self._longest())

    def _longest(self) -> str:
        return max(self._lines, key=lambda source: len(self._lines[source]))

    def _drop(self, source: str) -> None:
        self._lines[source].popleft()
        self._dropped[source] += 1
        self._total -= 1

    def dropped(self, source: str) -> int:
        """How many of its first lines are not kept any more."""
        return self._dropped.get(source, 0)

    def count(self, source: str) -> int:
        """How many came, kept or not."""
        return self.dropped(source) + len(self._lines.get(source, ()))

    def since(self, source: str, number: int) -> Sequence[tuple[int, SourceLine]]:
        """Its kept lines from this number on, each with its number."""
        first = self.dropped(source)
        begins = max(number - first, 0)
        return list(enumerate(islice(self._lines.get(source, ()), begins, None), first + begins))
