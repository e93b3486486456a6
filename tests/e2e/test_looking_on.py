"""A second instance, and leaving, while a repair is under way."""

from collections.abc import Callable

from tests.e2e.conftest import Place
from tests.e2e.operator import Operator


def test_a_second_instance_looks_on_and_ctrl_q_in_the_repair_parks(place_of: Callable[..., Place]) -> None:
    place = place_of()
    with place.wizard("restore", *place.settings()) as first:
        operator = Operator(first)
        operator.until("repair")
        place.asked("gate", "close_at", "stream", 2)
        operator.begin()
        place.caught_at_work()

        with place.wizard("resume", *place.settings()) as second:
            second.wait_for("Somebody else works on this", "It was begun or resumed by")
            second.press("Enter")
            second.wait_for("READ-ONLY", "step 3 of 6", str(first.program().pid))
            second.press("C-q")
            second.wait_for("EXIT-CODE=0")
            second.assert_sane()

        first.press("C-q")
        first.wait_for("Leave?", "Park the session")
        first.press("Down")
        first.press("Enter")
        first.wait_for("EXIT-CODE=5")
        first.assert_sane()
    place.asked("gate", "open")
    with place.wizard("resume", *place.settings()) as again:
        Operator(again).until("")
        again.press("C-q")
        again.wait_for("EXIT-CODE=0")
    assert place.verdict() == "right"


def test_read_only_begins_nothing(place_of: Callable[..., Place]) -> None:
    place = place_of()
    with place.wizard("--read-only", "restore", *place.settings()) as terminal:
        terminal.wait_for("READ-ONLY", "read-only: everything can be looked at, nothing can be begun")
        terminal.press("n")
        terminal.press("C-q")
        terminal.wait_for("EXIT-CODE=0")
        terminal.assert_sane()
    assert list(place.directory.glob("state/sessions/*-restore-*")) == []
