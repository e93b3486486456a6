"""A table that answers the statements of a range scan, page by page, and times out when a page costs too much."""

import re
from collections.abc import Callable, Sequence

from atlasdb_recovery.cassandra.connection import Page
from atlasdb_recovery.cassandra.ports import Cell
from atlasdb_recovery.cassandra.range_statements import Statement
from atlasdb_recovery.cassandra.request_errors import TimedOut

Judged = Callable[[Cell], bool]
CONDITION = re.compile(
    r"token\(key\) (>|<=) \?|value (>|<) \?|key (=) \?|\((column1(?:, column2)?)\) (>|<=) \((?:\?, )?\?\)"
)


class TableServer:
    """`gone` are positions of tombstones: they cost as much as cells and are never in an answer."""

    def __init__(self, cells: Sequence[Cell], *, gone: frozenset[int] = frozenset(), page_size: int, cost: int) -> None:
        self._cells = cells
        self._gone = gone
        self._page_size = page_size
        self._cost = cost
        self.asked = 0
        self.fails_at: set[int] = set()
        """Numbers of requests that time out whatever they cost."""

    async def ask(self, statement: Statement, state: bytes | None, *, may_time_out: bool) -> Page:
        self.asked += 1
        conditions = conditions_of(statement)
        at, visited, rows = int(state or b"0"), 0, list[Cell]()
        while at < len(self._cells):
            cell = self._cells[at]
            at += 1
            if not all(holds(cell) for holds, is_filter in conditions if not is_filter):
                continue
            visited += 1
            if visited > self._cost or self.asked in self.fails_at:
                raise TimedOut("too much")
            if at - 1 not in self._gone and all(holds(cell) for holds, is_filter in conditions if is_filter):
                rows.append(cell)
            if len(rows) == self._page_size:
                break
        rows_of = [(c.key, c.column1, c.column2, c.value, c.write_time) for c in rows]
        return Page(rows_of, (), str(at).encode() if at < len(self._cells) else None)


def conditions_of(statement: Statement) -> list[tuple[Judged, bool]]:
    """Each condition of the statement, and whether it is a filter, in the order of its values."""
    values = list(statement.values)
    found: list[tuple[Judged, bool]] = []
    for match in CONDITION.finditer(statement.cql):
        by_token, by_value, by_key, columns, by_column = match.groups()
        if columns is not None:
            count = len(columns.split(", "))
            bound = tuple(values.pop(0) for _ in range(count))
            found.append((compared(by_column, lambda c, n=count: (c.column1, c.column2)[:n], bound), False))
        elif by_value is not None:
            found.append((compared(by_value, lambda c: c.value, values.pop(0)), True))
        else:
            found.append((compared(by_token or by_key, lambda c: c.key, values.pop(0)), False))
    assert not values, statement
    return found


def compared(operator: str, of: Callable[..., object], bound: object) -> Judged:
    tests: dict[str, Callable[[Cell], bool]] = {
        ">": lambda cell: of(cell) > bound,  # type: ignore[operator]
        "<=": lambda cell: of(cell) <= bound,  # type: ignore[operator]
        "<": lambda cell: of(cell) < bound,  # type: ignore[operator]
        "=": lambda cell: of(cell) == bound,
    }
    return tests[operator]
