"""A whole backup and a whole restore by keys only, in a real terminal, in every look."""

from collections.abc import Callable

import pytest

from tests.e2e.conftest import Place
from tests.e2e.operator import Operator
from tests.e2e.terminal import STYLED, Terminal, has_color

LOOKS = [
    pytest.param((), {}, 80, 24, id="80x24"),
    pytest.param((), {}, 160, 50, id="160x50"),
    pytest.param(("--ascii",), {}, 80, 24, id="ascii"),
    pytest.param((), {"NO_COLOR": "1"}, 80, 24, id="no-color"),
]


@pytest.mark.parametrize(("arguments", "variables", "width", "height"), LOOKS)
def test_a_backup_and_a_restore_by_keys(
    place_of: Callable[..., Place],
    arguments: tuple[str, ...],
    variables: dict[str, str],
    width: int,
    height: int,
) -> None:
    place = place_of("5.0", "alive")

    def run(*command: str) -> None:
        words = (*arguments, *command, *place.settings())
        with place.wizard(*words, width=width, height=height, **variables) as terminal:
            Operator(terminal).until("")
            terminal.press("C-q")
            terminal.wait_for("EXIT-CODE=0")
            terminal.assert_sane()
            assert_looks(terminal, is_ascii="--ascii" in arguments, is_colored="NO_COLOR" not in variables)

    run("backup", "--timestamps-servers", place.timestamps)
    place.lose()
    run("restore")
    assert place.verdict() == "right"


def assert_looks(terminal: Terminal, *, is_ascii: bool, is_colored: bool) -> None:
    """At every screen that was seen."""
    texts = [STYLED.sub("", painted) for painted in terminal.seen]
    assert [text for text in texts if text.isascii() != is_ascii and text.strip()] == [] or not is_ascii
    assert any(has_color(painted) for painted in terminal.seen) == is_colored
