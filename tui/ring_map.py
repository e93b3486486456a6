"""The token ring as a row of cells: every range in token order, thousands of them summarised, the worst state first."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

SORTED_AT_ONCE = 4_096
"""A larger ring is put in order once, not with each node that is added to it."""


class RangeState(IntEnum):
    """The greater one is the worse one."""

    DONE = 0
    RUNNING = 1
    WAITING = 2
    UNPROVEN = 3
    """Its repair ended, or was stopped, and nothing proves it."""
    FAILED = 4


class RingCell(NamedTuple):
    """`tenths` of its ranges are done: 10 only if all of them are."""

    worst: RangeState
    tenths: int
    is_at_work: bool


class RingMap:
    """Ranges are "(start,end]" as Cassandra prints them. Taking one in costs the same however many there are."""

    def __init__(self) -> None:
        self._states: dict[str, RangeState] = {}
        self._order: list[str] | None = None
        self._cell_of: dict[str, int] = {}
        self._counts: list[list[int]] = []
        self._totals = [0] * len(RangeState)
        self._size_seen = 0

    def __len__(self) -> int:
        return len(self._states)

    def expect(self, ranges: Iterable[str]) -> None:
        """These belong to the ring; they wait, unless something is known of them already."""
        before = len(self._states)
        for span in ranges:
            self._states.setdefault(span, RangeState.WAITING)
        if further := len(self._states) - before:
            self._totals[RangeState.WAITING] += further
            self._order, self._counts = None, []

    def put(self, ranges: Iterable[str], state: RangeState) -> None:
        """What these have come to. Ranges that are not of the ring are left out."""
        states, counts, totals = self._states, self._counts, self._totals
        for span in ranges:
            old = states.get(span)
            if old is None or old is state:
                continue
            states[span] = state
            totals[old] -= 1
            totals[state] += 1
            if counts:
                cell = counts[self._cell_of[span]]
                cell[old] -= 1
                cell[state] += 1

    def those(self, ranges: Iterable[str], *states: RangeState) -> list[str]:
        """Which of these are in one of the states."""
        return [span for span in ranges if self._states.get(span) in states]

    def count(self, state: RangeState) -> int:
        """How many of the whole ring's ranges."""
        return self._totals[state]

    def cells(self, many: int) -> list[RingCell]:
        """The ring in so many cells, from its smallest token on. Each range takes an equal share of them.

        Only another number of cells, or further ranges, make this look at every range; none are given while ranges
        are still being added.
        """
        is_growing, self._size_seen = len(self._states) != self._size_seen, len(self._states)
        if not self._states or many < 1 or (is_growing and len(self._states) > SORTED_AT_ONCE):
            return []
        order = self._ordered()
        slots = min(many, len(order))
        if len(self._counts) != slots:
            self._count_anew(order, slots)
        found = [_summary(counts) for counts in self._counts]
        return found if slots == many else [found[at * slots // many] for at in range(many)]

    def _ordered(self) -> list[str]:
        if self._order is None:
            self._order = in_token_order(self._states)
        return self._order

    def _count_anew(self, order: list[str], slots: int) -> None:
        self._cell_of = {span: at * slots // len(order) for at, span in enumerate(order)}
        self._counts = [[0] * len(RangeState) for _ in range(slots)]
        for span, cell in self._cell_of.items():
            self._counts[cell][self._states[span]] += 1


def in_token_order(ranges: Iterable[str]) -> list[str]:
    """By the token that ends each range: numbers where all are numbers, bytes where all are hexadecimal."""
    ends = [(span.rpartition(",")[2].rstrip("]").strip(), span) for span in ranges]
    for value in (int, bytes.fromhex):
        try:
            keyed = [(value(end), span) for end, span in ends]
        except ValueError:
            continue
        return [span for _, span in sorted(keyed)]
    return [span for _, span in sorted(ends)]


def _summary(counts: list[int]) -> RingCell:
    worst = next(state for state in reversed(RangeState) if counts[state])
    done, total = counts[RangeState.DONE], sum(counts)
    return RingCell(worst, done * 10 // total, counts[RangeState.RUNNING] > 0)
