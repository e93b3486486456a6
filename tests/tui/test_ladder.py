"""The fast-forward in words: of a stored bound, and of a service that shows none."""

import pytest

from atlasdb_recovery.events import Event, FactEstablished
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.session import SessionState, folded
from tests.screens.ending_feed import FORWARD, forward_plan, forwarded_timelock, timelock_plan
from tests.screens.removal_feed import UNICODE, F
from tui.ladder import ladder_text, writes_text


def said(plan: Event, *done: Event) -> str:
    state: SessionState = folded(done)
    found = plan.facts  # type: ignore[attr-defined]
    return f"{ladder_text(found, state, UNICODE).plain}{writes_text(found, state, UNICODE).plain}"


ABOVE = F + 7_000
PLANS = {
    "below": timelock_plan(2_000_000),
    "above": timelock_plan(ABOVE),
    "new": timelock_plan(None),
    "far": timelock_plan(5, far=True),
}


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ("below", ("fresh now", "Will be asked of", "Only if a fresh timestamp is not above F already")),
        ("above", ("fresh now", "nothing: its timestamps are above F already")),
        ("new", ("It has no timestamps yet.", "Will be asked of")),
        ("far", (f"F lies {F - 5:,} above the timestamps handed out now",)),
    ],
)
def test_of_timelock_nothing_is_said_about_a_bound(plan: str, words: tuple[str, ...]) -> None:
    told = said(PLANS[plan])
    assert all(each in told for each in words), told
    assert "bound" not in told
    assert "SERIAL" not in told


@pytest.mark.parametrize(
    ("before", "reached", "words"),
    [
        (2_000_000, F + 1, f"a fresh timestamp was 2,000,000 before, and {F + 1:,} afterwards"),
        (None, F + 1, f"there was none before, and {F + 1:,} afterwards"),
        (ABOVE, ABOVE, f"nothing had to be asked for: a fresh timestamp was {ABOVE:,}"),
    ],
)
def test_afterwards_too(before: int | None, reached: int, words: str) -> None:
    told = said(PLANS["below"], forwarded_timelock(before, reached))
    assert words in told
    assert "bound" not in told


def test_a_session_from_before_this_was_on_record_had_a_bound() -> None:
    value = {"target": F, "before": 5, "reached": F + 1, "changed": True}
    done = FactEstablished(step=FORWARD, name=facts.FAST_FORWARDED, value=value)
    assert f"the bound was 5, is {F + 1:,}: read back" in said(forward_plan(5), done)
