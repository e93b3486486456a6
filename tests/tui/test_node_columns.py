"""A node's row, in whatever cells there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from atlasdb_recovery.foreign import plain
from tui.figures import age, rate, share, short_age, size
from tui.glyphs import ASCII, UNICODE
from tui.node_columns import columns, cut
from tui.node_order import ORDERS, ordered
from tui.repair_board import NodeRow, NodeStatus


@given(st.text(max_size=40), st.integers(1, 30))
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, width: int) -> None:
    assert cell_len(cut(plain(text), width)) == width
    assert cell_len(cut(plain(text), width, is_figure=True)) == width


@pytest.mark.parametrize("width", [60, 79, 80, 125, 240])
@pytest.mark.parametrize("told_bytes", [False, True])
def test_the_columns_fit(width: int, told_bytes: bool) -> None:
    found = columns(width, 15, UNICODE, told_bytes=told_bytes)
    assert sum(column.width for column in found) + len(found) - 1 <= width
    row = NodeRow(
        "fd00:1234:5678:9abc:def0:1234:5678:9abc",
        NodeStatus.REPAIRED,
        attempt=12,
        done=255,
        expected=256,
        validated=(1 << 50, 1 << 51),
        streamed=(0, None),
        last_line="x" * 10_000,
    )
    for column in found:
        assert cell_len(cut(column.text(row, 0.0), column.width, is_figure=column.is_figure)) == column.width


def test_at_eighty_columns_bytes_have_their_place_once_they_are_told() -> None:
    assert "validated" in [column.title for column in columns(79, 15, ASCII, told_bytes=True)]
    assert "last line" in [column.title for column in columns(79, 15, ASCII, told_bytes=False)]


def test_orders() -> None:
    rows = [
        NodeRow("10.0.0.10", NodeStatus.RUNNING, done=1, expected=4, began=0.0),
        NodeRow("10.0.0.9", NodeStatus.WAITING, expected=4),
        NodeRow("10.0.0.2", NodeStatus.FAILED, done=3, expected=4, failed=1),
    ]
    shown = {order: [row.node.rpartition(".")[2] for row in ordered(rows, order, 5.0)] for order in ORDERS}
    assert shown == {
        "failed first": ["2", "10", "9"],
        "address": ["2", "9", "10"],
        "least done": ["9", "10", "2"],
        "longest silent": ["10", "2", "9"],
    }
    assert [row.node for row in ordered(rows, "address", 31.0, holding="SILENT")] == ["10.0.0.10"]


def test_figures() -> None:
    assert [age(seconds) for seconds in (0, 42.9, 723, 3_723)] == ["0:00", "0:42", "12:03", "1:02:03"]
    assert [short_age(seconds) for seconds in (42, 3_599, 6_300)] == ["0:42", "59:59", "1h45"]
    assert [size(count) for count in (0, 999, 1_024, 10_200, 1_500_000_000)] == ["0B", "999B", "1.0K", "10K", "1.4G"]
    assert [rate(each) for each in (12.0, 0.5, 0.01, 0.0, 0.0001)] == ["12/s", "30/min", "36/h", "0/h", "<1/h"]
    assert [share(done, 76_800) for done in (0, 1, 76_799, 76_800)] == ["0%", "<1%", "99%", "100%"]
