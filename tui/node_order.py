"""Which nodes are shown, and in what order."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from tui.repair_board import NodeRow, NodeStatus

ORDERS = ("failed first", "address", "least done", "longest silent")
_URGENCY = {status: at for at, status in enumerate(NodeStatus)}


def ordered(rows: Iterable[NodeRow], order: str, now: float, *, holding: str = "") -> list[NodeRow]:
    """The rows whose address or state holds a text, in one of `ORDERS`."""
    key = _KEYS[order]
    wanted = holding.lower()
    shown = [row for row in rows if not wanted or wanted in f"{row.node} {row.status(now)}".lower()]
    return sorted(shown, key=lambda row: (key(row, now), by_address(row.node)))


@lru_cache(maxsize=4_096)
def by_address(node: str) -> tuple[tuple[int, str], ...]:
    """10.0.0.9 before 10.0.0.10."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", node))


_KEYS: dict[str, Callable[[NodeRow, float], Any]] = {
    "failed first": lambda row, now: (_URGENCY[row.status(now)], -row.failed),
    "address": lambda row, now: 0,
    "least done": lambda row, now: row.done / row.expected if row.expected else 0.0,
    "longest silent": lambda row, now: -(row.silence(now) or 0.0),
}
