"""A whole restore by keys only, in a real terminal."""

from collections.abc import Callable

import pytest

from tests.e2e.conftest import Place
from tests.e2e.operator import Operator

LOOKS = [
    pytest.param((), {}, 80, 24, id="80x24"),
]


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
        Operator(terminal).until("")
        terminal.press("C-q")
        terminal.wait_for("EXIT-CODE=0")
        assert terminal.is_sane()
    assert place.verdict() == "right"
