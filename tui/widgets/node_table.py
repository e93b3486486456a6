"""One row a node, as many columns as there is room for."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.look import Look
from tui.node_columns import Column, columns, cut
from tui.repair_board import NodeRow, NodeStatus
from tui.widgets.cursor_list import CursorList

STYLES = {
    NodeStatus.FAILED: "failed",
    NodeStatus.UNKNOWN: "warned",
    NodeStatus.STOPPED: "warned",
    NodeStatus.INTERRUPTED: "warned",
    NodeStatus.SILENT: "warned",
    NodeStatus.PROVING: "running",
    NodeStatus.RUNNING: "running",
    NodeStatus.WAITING: "waiting",
    NodeStatus.REPAIRED: "done",
}
NAMES = ("header", "cursor", "blurred", "failed", "warned", "running", "waiting", "done")


class NodeTable(CursorList):
    """`rows` are in the order shown, `chosen` is the one under the cursor.

    Until the cursor is moved it stays on the first row, whichever that is; afterwards on its node, wherever that goes.
    """

    HEADER = 1
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"node-table--{name}" for name in NAMES}
    DEFAULT_CSS = """
    NodeTable { min-height: 4; }
    NodeTable > .node-table--header { background: $panel; text-style: bold; }
    NodeTable > .node-table--cursor { background: $primary; color: $background; text-style: bold; }
    NodeTable > .node-table--blurred { background: $primary-muted; }
    NodeTable > .node-table--failed { color: $text-error; text-style: bold; }
    NodeTable > .node-table--warned { color: $text-warning; text-style: bold; }
    NodeTable > .node-table--running { color: $foreground; }
    NodeTable > .node-table--waiting { color: $text-muted; }
    NodeTable > .node-table--done { color: $text-success; }
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.rows: Sequence[NodeRow] = ()
        self._now = 0.0
        self._kept = ""
        self._shape = (0, 0, False)
        self._fitted: tuple[int, int, int, bool] = (0, 0, 0, False)
        self._columns: list[Column] = []

    @property
    def chosen(self) -> NodeRow | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    @property
    def row_count(self) -> int:
        return len(self.rows)

    def show(self, rows: Sequence[NodeRow], now: float, *, addresses: int, told_bytes: bool) -> None:
        """These rows in this order, as they are at `now`; `addresses` is the longest address's width."""
        self.rows, self._now = rows, now
        states = max((len(row.status(now)) + 2 for row in rows), default=0)
        self._shape = addresses, states, told_bytes
        self.rows_changed(self._where_kept())

    def _where_kept(self) -> int:
        if not self._kept:
            return 0
        return next((at for at, row in enumerate(self.rows) if row.node == self._kept), self.cursor)

    def _columns_within(self, width: int) -> list[Column]:
        fitted = width, *self._shape
        if fitted != self._fitted:
            self._fitted = fitted
            addresses, states, told_bytes = self._shape
            self._columns = columns(width, addresses, self._look.glyphs, told_bytes=told_bytes, states=states)
        return self._columns

    def draw_header(self, width: int) -> Strip:
        style = self.get_component_rich_style("node-table--header")
        cells = [cut(each.title, each.width, is_figure=each.is_figure) for each in self._columns_within(width)]
        return self._strip(cells, style, width)

    def draw_row(self, at: int, width: int) -> Strip:
        row, now = self.rows[at], self._now
        cells = [cut(each.text(row, now), each.width, is_figure=each.is_figure) for each in self._columns_within(width)]
        return self._strip(cells, self._style(row, is_chosen=at == self.cursor), width)

    def _style(self, row: NodeRow, *, is_chosen: bool) -> Style:
        if is_chosen and self.has_focus:
            return self.get_component_rich_style("node-table--cursor")
        style = self.get_component_rich_style(f"node-table--{STYLES[row.status(self._now)]}")
        return style + self.get_component_rich_style("node-table--blurred", partial=True) if is_chosen else style

    def _strip(self, cells: list[str], style: Style, width: int) -> Strip:
        return Strip([Segment(" ".join(cells), style)]).adjust_cell_length(width, style)

    def put_cursor(self, at: int) -> None:
        super().put_cursor(at)
        self._kept = self.chosen.node if self.chosen is not None else ""

    def action_first(self) -> None:
        """The first row, and from now on whichever node comes to stand there."""
        super().action_first()
        self._kept = ""
