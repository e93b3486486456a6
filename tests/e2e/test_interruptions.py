"""Killed, told to end, hung up on, its window closed: in the middle of every step, and it resumes to the same end."""

import os
import signal
from collections.abc import Callable

import psutil
import pytest

from tests.e2e.conftest import Place
from tests.e2e.operator import STEPS, Operator
from tests.e2e.terminal import Terminal

PATIENCE = 60.0
PARKED = 5


def program(terminal: Terminal) -> psutil.Process:
    """The wizard itself, beneath the terminal's shell."""
    return next(one for one in psutil.Process(terminal.pid).children(recursive=True) if "python" in one.name())


def killed(terminal: Terminal) -> None:
    os.kill(program(terminal).pid, signal.SIGKILL)
    terminal.wait_for("EXIT-CODE=137")


def told_to_end(terminal: Terminal) -> None:
    os.kill(program(terminal).pid, signal.SIGTERM)
    terminal.wait_for(f"EXIT-CODE={PARKED}")
    assert terminal.is_sane()


def hung_up_on(terminal: Terminal) -> None:
    os.kill(program(terminal).pid, signal.SIGHUP)
    terminal.wait_for(f"EXIT-CODE={PARKED}")
    assert terminal.is_sane()


def window_closed(terminal: Terminal) -> None:
    process = program(terminal)
    terminal.close()
    process.wait(PATIENCE)


@pytest.mark.parametrize("interrupt", [killed, told_to_end, hung_up_on, window_closed])
def test_interrupted_in_every_step(place_of: Callable[..., Place], interrupt: Callable[[Terminal], None]) -> None:
    place = place_of()
    command = "restore"
    for step in STEPS:
        with place.wizard(command, *place.settings()) as terminal:
            operator = Operator(terminal)
            operator.until(step)
            operator.begin()
            interrupt(terminal)
        command = "resume"
    with place.wizard("resume", *place.settings()) as terminal:
        Operator(terminal).until("")
        terminal.press("C-q")
        terminal.wait_for("EXIT-CODE=0")
    assert place.verdict() == "right"
