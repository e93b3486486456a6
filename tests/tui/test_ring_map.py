"""The ring in cells, against counting every range anew."""

from hypothesis import given
from hypothesis import strategies as st

from tui.ring_map import RangeState, RingMap, in_token_order
from tui.widgets.token_ring import letter, shown_as


def spans(count: int) -> list[str]:
    return [f"({(at - 1) % count},{at}]" for at in range(count)]


@given(
    count=st.integers(1, 200),
    cells=st.integers(1, 90),
    later=st.integers(1, 90),
    changes=st.lists(st.tuples(st.integers(0, 250), st.sampled_from(list(RangeState))), max_size=80),
)
def test_each_cell_is_the_worst_of_its_ranges(
    count: int, cells: int, later: int, changes: list[tuple[int, RangeState]]
) -> None:
    ring, truth = RingMap(), [RangeState.WAITING] * count
    ring.expect(spans(count))
    ring.cells(cells)
    for at, state in changes:
        ring.put([f"({(at - 1) % count},{at}]"], state)
        if at < count:
            truth[at] = state
    for many in (cells, later):
        assert sum(ring.count(state) for state in RangeState) == len(ring) == count
        shown = ring.cells(many)
        assert len(shown) == many
        for at, cell in enumerate(shown):
            slots = min(many, count)
            mine = [truth[i] for i in range(count) if i * slots // count == at * slots // many]
            assert cell.worst is max(mine)
            assert cell.tenths == mine.count(RangeState.DONE) * 10 // len(mine)
            assert (letter(cell) == "D") is (set(mine) == {RangeState.DONE})
            assert (letter(cell) == "F") is (RangeState.FAILED in mine)


def test_a_range_that_waits_beside_one_that_is_done_shows_tenths() -> None:
    ring = RingMap()
    ring.expect(spans(10))
    ring.put(spans(10)[:3], RangeState.DONE)
    (cell,) = ring.cells(1)
    assert letter(cell) == "3"
    assert shown_as(cell) is RangeState.RUNNING


def test_tokens_are_in_the_order_of_their_partitioner() -> None:
    assert in_token_order(["(9,-5]", "(-5,10]", "(10,9]"]) == ["(9,-5]", "(10,9]", "(-5,10]"]
    assert in_token_order(["(0a,ff]", "(ff,0a]", "(0a,0b]"]) == ["(ff,0a]", "(0a,0b]", "(0a,ff]"]
    assert in_token_order(["(b,]", "(,a]"]) == ["(b,]", "(,a]"]


def test_ranges_nobody_expects_are_left_out() -> None:
    ring = RingMap()
    ring.expect(spans(3))
    ring.put(["(7,8]"], RangeState.FAILED)
    assert ring.count(RangeState.FAILED) == 0


def test_a_large_ring_is_not_sorted_while_it_grows() -> None:
    ring = RingMap()
    ring.expect(spans(10_000))
    assert ring.cells(80) == []
    assert len(ring.cells(80)) == 80
