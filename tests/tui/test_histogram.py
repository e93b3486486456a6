"""The picture of commits around B: whatever the counts, it fits, hides none of them, and keeps its sides apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screens.removal_feed import ASCII, UNICODE
from tui.look import Look
from tui.widgets.histogram import LOWEST, picture, sides

BUCKETS = st.one_of(st.integers(-64, -1), st.integers(1, 63)).map(str)
HISTOGRAMS = st.dictionaries(BUCKETS, st.integers(1, 10**12), max_size=40)


@given(HISTOGRAMS, st.integers(1, 200))
def test_no_commit_is_lost_by_adding_up_neighbours(histogram: dict[str, int], columns: int) -> None:
    found = sides(histogram, columns)
    assert sum(found.below) == sum(count for bucket, count in histogram.items() if bucket.startswith("-"))
    assert sum(found.beyond) == sum(count for bucket, count in histogram.items() if not bucket.startswith("-"))
    assert max(len(found.below), len(found.beyond)) <= columns


@given(HISTOGRAMS, st.integers(0, 200), st.integers(0, 30), st.sampled_from([UNICODE, ASCII]))
def test_it_fits_and_shows_every_bar(histogram: dict[str, int], width: int, height: int, look: Look) -> None:
    drawn = picture(histogram, look, width, height).plain
    lines = drawn.split("\n")
    assert all(len(line) <= width for line in lines)
    assert len(lines) <= max(height, 1)
    assert look is UNICODE or drawn.isascii()
    if not drawn or height < LOWEST:
        return
    assert len(lines) == height
    half = (width - 1) // 2
    found = sides(histogram, half)
    lowest_row = lines[-3].ljust(width)
    left, right = lowest_row[:half], lowest_row[half + 1 :]
    assert sum(cell != " " for cell in left) == sum(count > 0 for count in found.below)
    assert sum(cell != " " for cell in right) == sum(count > 0 for count in found.beyond)


@pytest.mark.parametrize(("look", "full", "least"), [(UNICODE, "█", "▁"), (ASCII, "#", ".")])
def test_one_single_commit_beside_millions_is_seen(look: Look, full: str, least: str) -> None:
    drawn = picture({"-20": 10**9, "5": 1}, look, 60, 7).plain.split("\n")
    assert drawn[0].split("  ")[0].strip().startswith("1,000,000,000 at or below")
    assert drawn[1].count(full) == 1
    assert least in drawn[-3][30:]
    assert drawn[-1].split() == ["B", "-", "1,048,574", "B", "+", "31"]


def test_b_itself_is_on_the_side_that_stays() -> None:
    found = sides({"-1": 1}, 10)
    assert (found.below, found.beyond, found.reach_below) == ([1], [], 0)
