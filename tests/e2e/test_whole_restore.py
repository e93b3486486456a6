"""A whole restore by keys only, in a real terminal."""

import re
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Place
from tests.e2e.terminal import Terminal, flat

LOOKS = [
    pytest.param((), {}, 80, 24, id="80x24"),
    pytest.param((), {}, 160, 50, id="160x50"),
    pytest.param(("--ascii",), {}, 80, 24, id="ascii"),
    pytest.param((), {"NO_COLOR": "1"}, 80, 24, id="no-color"),
]


def confirm(terminal: Terminal) -> None:
    """Types the phrase as a person does, looks whether it stands there, and only then presses Enter.

    On a busy machine two keys may arrive in one read; the dialog then wants it all again.
    """
    screen = flat(terminal.wait_for("Type exactly:"))
    found = re.search(r"Type exactly: (.+? on \S+)", screen)
    assert found, screen
    phrase = found[1]
    for _ in range(20):
        terminal.type(phrase)
        if flat(terminal.screen()).count(phrase) > 1:
            terminal.press("Enter")
            terminal.wait_until(lambda shown: "Type exactly:" not in flat(shown), "the end of the question")
            return
    raise AssertionError(f"the phrase could not be typed:\n{terminal.screen()}")


def restore_by_keys(terminal: Terminal) -> None:
    """From the first guards to the proof."""
    terminal.wait_for("n begins preflight")
    terminal.press("n")
    terminal.wait_for("Is every instance of the service")
    terminal.type("all stopped")
    terminal.press("Enter")
    terminal.wait_for("n begins restore-store")
    terminal.press("n")
    terminal.wait_for("n begins repair")
    terminal.press("n")
    terminal.wait_for("n begins clean-transactions")
    terminal.press("n")
    confirm(terminal)
    terminal.wait_for("n begins fast-forward")
    terminal.press("n")
    terminal.wait_for("n begins prove")
    terminal.press("n")
    terminal.wait_for("Restore complete")


@pytest.mark.parametrize(("arguments", "variables", "width", "height"), LOOKS)
def test_a_restore_by_keys(
    place_of: Callable[..., Place],
    arguments: tuple[str, ...],
    variables: dict[str, str],
    width: int,
    height: int,
) -> None:
    place = place_of()
    with place.wizard(*arguments, "restore", *place.settings(), width=width, height=height, **variables) as terminal:
        restore_by_keys(terminal)
        if "--ascii" in arguments:
            assert terminal.screen().isascii()
        terminal.press("C-q")
        terminal.wait_for("EXIT-CODE=0")
        assert terminal.is_sane()
    assert place.verdict() == "right"
