"""The columns of the node table: what each node's row says, in the cells there are."""

from collections.abc import Callable
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from tui.figures import age, rate, short_age, size
from tui.glyphs import Glyphs
from tui.repair_board import NodeRow, NodeStatus

NODE_AT_MOST = 24
LINE_AT_LEAST = 12
STATE_AT_LEAST = 10
READ_AT_MOST = 1_000
"""Characters of a line that are looked at: more than any terminal is wide."""


class Column(NamedTuple):
    """`text` of a row at a moment of the monotonic clock."""

    title: str
    width: int
    text: Callable[[NodeRow, float], str]
    is_figure: bool = False


def columns(
    width: int, addresses: int, glyphs: Glyphs, *, told_bytes: bool, states: int = STATE_AT_LEAST
) -> list[Column]:
    """Those that fit into `width` cells. `addresses` and `states` are the widths of the longest; the last line takes
    the rest.
    """
    found = [
        Column("state", max(states, STATE_AT_LEAST), lambda row, now: _state(row, now, glyphs)),
        Column("node", min(max(addresses, 4), NODE_AT_MOST), lambda row, _: _address(row.node)),
        Column("ranges", 7, lambda row, _: f"{row.done}/{'?' if row.expected is None else row.expected}", True),
        Column("failed", 6, lambda row, _: str(row.failed) if row.failed else "", True),
        Column("rate", 6, _rate, True),
        Column("heard", 5, _heard, True),
        Column("try", 3, lambda row, _: str(row.attempt) if row.attempt else "", True),
    ]
    bytes_told = [
        Column("validated", 9, lambda row, _: _amount(row.validated), True),
        Column("streamed", 9, lambda row, _: _amount(row.streamed), True),
    ]
    if told_bytes and width >= _taken([*found, *bytes_told]):
        found += bytes_told
    left = width - _taken(found)
    if left > LINE_AT_LEAST:
        found.append(Column("last line", left - 1, said))
    return found


def cut(text: str, width: int, *, is_figure: bool = False) -> str:
    """Exactly `width` cells; what was cut off is marked."""
    text = text[:READ_AT_MOST]
    taken = cell_len(text)
    if taken > width:
        return set_cell_size(text, width - 1) + ">" if width > 1 else set_cell_size(text, width)
    return " " * (width - taken) + text if is_figure else text + " " * (width - taken)


def said(row: NodeRow, now: float) -> str:
    """What stands for the node: its last line; silence, where that is what it says; reasons, where it failed."""
    status = row.status(now)
    if status is NodeStatus.SILENT:
        return f"nothing heard for {age(row.silence(now) or 0)}{_answered(row)}"
    if status is NodeStatus.STOPPED:
        return f"stopped by the operator. {row.goes_on}" if row.goes_on else "told to stop before it began: left out"
    if status in {NodeStatus.FAILED, NodeStatus.UNKNOWN} and row.judged is not None:
        return "; ".join(row.judged.reasons)
    if status is NodeStatus.PROVING:
        return f"nodetool ended with {row.exit_code}; being judged{_answered(row)}"
    if status is NodeStatus.INTERRUPTED:
        return f"what became of it is not known; Cassandra may go on with it. {row.last_line}".strip()
    return row.last_line


def _answered(row: NodeRow) -> str:
    if row.answered is None:
        return ""
    word = {True: "still at it", False: "done with it", None: "no answer"}[row.repairing]
    return f"; server asked: {word}: {row.answer}"


def _taken(found: list[Column]) -> int:
    return sum(column.width for column in found) + len(found) - 1


def _state(row: NodeRow, now: float, glyphs: Glyphs) -> str:
    status = row.status(now)
    return f"{glyphs.of(status)} {status}"


def _address(node: str) -> str:
    """The end of an address tells nodes apart."""
    return node if len(node) <= NODE_AT_MOST else f"<{node[1 - NODE_AT_MOST :]}"


def _rate(row: NodeRow, now: float) -> str:
    found = row.rate(now)
    return "" if found is None else rate(found)


def _heard(row: NodeRow, now: float) -> str:
    silence = row.silence(now)
    return "" if silence is None else short_age(silence)


def _amount(amount: tuple[int, int | None] | None) -> str:
    if amount is None:
        return ""
    done, total = amount
    return size(done) if total is None else f"{size(done)}/{size(total)}"
