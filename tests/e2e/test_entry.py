"""The welcome screen at a real terminal."""

from collections.abc import Callable

from tests.e2e.conftest import Place
from tests.e2e.terminal import STYLED, has_color


def test_without_colour_the_cursor_is_seen(place_of: Callable[..., Place]) -> None:
    with place_of().wizard(NO_COLOR="1") as terminal:
        terminal.wait_for("Restore", "History")
        terminal.press("Down")
        terminal.wait_until(lambda _: "Back up" in underlined(terminal.seen[-1]), "the cursor on Back up")
        assert "Practise" not in underlined(terminal.seen[-1])
        assert not any(map(has_color, terminal.seen))
        terminal.press("C-q")
        terminal.wait_for("EXIT-CODE=0")
        terminal.assert_sane()


def underlined(painted: str) -> str:
    """What of the screen is underlined."""
    found, is_underlined, at = "", False, 0
    for escape in STYLED.finditer(painted):
        found += painted[at : escape.start()] if is_underlined else ""
        for code in escape[0][2:-1].split(";"):
            is_underlined = code == "4" or (is_underlined and code not in {"", "0", "24"})
        at = escape.end()
    return found
