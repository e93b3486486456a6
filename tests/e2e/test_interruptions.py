"""Killed, told to end, hung up on, its window closed: in the middle of every step, and it resumes to the same end."""

import os
import signal
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Place
from tests.e2e.operator import Operator
from tests.e2e.terminal import PATIENCE, Terminal

PARKED = 5
AT = {
    "preflight": ("", 1),
    "restore-store": ("change_schema", 3),
    "repair": ("stream", 2),
    "clean-transactions": ("put", 1),
    "fast-forward": ("", 1),
    "prove": ("", 1),
}
"""In each step, the request at which the cluster stops answering: the interruption comes while it is under way."""


def killed(terminal: Terminal) -> None:
    os.kill(terminal.program().pid, signal.SIGKILL)
    terminal.wait_for("EXIT-CODE=137")


def told_to_end(terminal: Terminal) -> None:
    os.kill(terminal.program().pid, signal.SIGTERM)
    terminal.wait_for(f"EXIT-CODE={PARKED}")
    terminal.assert_sane()


def hung_up_on(terminal: Terminal) -> None:
    os.kill(terminal.program().pid, signal.SIGHUP)
    terminal.wait_for(f"EXIT-CODE={PARKED}")
    terminal.assert_sane()


def window_closed(terminal: Terminal) -> None:
    process = terminal.program()
    terminal.close()
    process.wait(PATIENCE)


INTERRUPTIONS = [killed, told_to_end, window_closed, pytest.param(hung_up_on, marks=pytest.mark.deep)]
"""A window that is closed hangs up too, and takes the terminal away as well."""


@pytest.mark.parametrize("interrupt", INTERRUPTIONS)
def test_interrupted_in_every_step(place_of: Callable[..., Place], interrupt: Callable[[Terminal], None]) -> None:
    """Each session goes on where the one before was interrupted, and is interrupted one step further."""
    place = place_of()
    command = "restore"
    for step, (method, call) in AT.items():
        with place.wizard(command, *place.settings()) as terminal:
            operator = Operator(terminal)
            operator.until(step)
            if step == "preflight":  # what it looks at comes before it asks the operator
                operator.begin(asks=True)
                place.asked("gate", "close_at", method, call)
            else:
                place.asked("gate", "close_at", method, call)
                operator.begin(asks=step == "clean-transactions")
            place.caught_at_work()
            interrupt(terminal)
            place.asked("gate", "open")
        command = "resume"
    with place.wizard("resume", *place.settings()) as terminal:
        Operator(terminal).until("")
        terminal.press("C-q")
        terminal.wait_for("EXIT-CODE=0")
        terminal.assert_sane()
    assert place.verdict() == "right"
