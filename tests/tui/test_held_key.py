"""Hands press again after a while; a held key repeats at once, for as long as it is held."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from tui.held_key import REPEATS_WITHIN, HeldKey


@given(st.lists(st.floats(min_value=REPEATS_WITHIN + 1e-6, max_value=1e6), min_size=1))
def test_presses_of_a_hand_all_count(apart: list[float]) -> None:
    key = HeldKey()
    assert not any(key.repeats(now) for now in accumulate(apart))


@given(st.lists(st.floats(min_value=0, max_value=REPEATS_WITHIN - 1e-6), min_size=1), st.floats(0, 1e6))
def test_of_a_held_key_the_first_press_counts(apart: list[float], begin: float) -> None:
    key = HeldKey()
    first, *others = [key.repeats(now) for now in accumulate(apart, initial=begin)]
    assert not first
    assert all(others)
