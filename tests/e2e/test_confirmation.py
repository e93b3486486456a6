"""The removal's words at a real terminal: bursts, pastes and a resize confirm nothing, a person's keys do."""

import re
from collections.abc import Callable

from tests.e2e.conftest import Place
from tests.e2e.operator import Operator
from tests.e2e.terminal import flat

SCRIPTED = (0.05,) * 10
"""Seconds between two keys of a scripted operator; so many tries, since on a busy machine two may come in one read."""


def test_only_what_a_hand_types_removes_anything(place_of: Callable[..., Place]) -> None:
    place = place_of()
    # as a shell or `kubectl exec` may export them: a resize has to be seen all the same
    with place.wizard("restore", *place.settings(), COLUMNS="80", LINES="24") as terminal:
        operator = Operator(terminal)
        operator.until("clean-transactions")
        terminal.press("n")
        found = re.search(r"Type exactly: (.+? on \S+)", flat(terminal.wait_for("Type exactly:")))
        assert found
        phrase = found[1]

        terminal.type("x", apart=1.2)
        terminal.press("C-u")
        terminal.burst(phrase)
        terminal.wait_for("Several characters came at once")
        terminal.press("Enter")
        terminal.wait_for("Enter alone confirms nothing")
        terminal.burst(f"{phrase}\r")
        terminal.wait_for("Several characters came at once")
        terminal.paste(phrase)
        terminal.wait_for("Pasting is refused. Type it by hand.")
        terminal.press("Enter")
        terminal.wait_for("Enter alone confirms nothing")
        terminal.type(phrase[:8], apart=0.3)
        terminal.resize(100, 30)
        terminal.wait_for("The screen changed its size meanwhile")
        terminal.press("Enter")
        terminal.wait_for("Enter alone confirms nothing", "Type exactly:")

        operator.confirm(SCRIPTED)
        operator.until("")
        terminal.press("C-q")
        terminal.wait_for("EXIT-CODE=0")
    assert place.verdict() == "right"
    (picture,) = place.directory.glob("state/sessions/*/confirmed-clean-transactions-*.svg")
    assert picture.read_text(encoding="utf-8").replace("&#160;", " ").count(phrase) == 2
    assert picture.stat().st_mode & 0o777 == 0o600
