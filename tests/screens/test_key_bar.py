"""What is told of keys: the bar below every step is whole at 80 columns, and the palette offers only what is ours."""

import tempfile
from pathlib import Path

import pytest
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from tests.screens.conftest import StillClock, screen_lines, settled_picture
from tests.screens.gallery import keys
from tests.screens.repair_feed import RepairApp
from tests.screens.screen_operator import ScreenOperator
from tests.screens.test_practice_scenarios import SMALL, paged
from tests.screens.test_repair_pictures import in_the_middle
from tui.app import RecoveryApp
from tui.keymap import KEYMAP
from tui.look import Look


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def assert_bar_whole(app: RecoveryApp | RepairApp) -> None:
    keys = list(app.screen.query_one(Footer).query(FooterKey))
    bar = screen_lines(app)[-1]
    words = [f"{key.key_display} {key.description} " for key in keys if not key.has_class("-command-palette")]
    assert len(words) >= 4
    assert [one for one in words if f" {one}" not in bar] == [], bar
    assert "palette" in bar


async def _every_step(operator: ScreenOperator) -> list[str]:
    app = operator.app
    assert app.bridge is not None
    steps = list(app.bridge.view.steps)
    for step in steps:
        app.show_step(step)
        await settled_picture(operator.pilot)
        assert_bar_whole(app)
    return steps


@pytest.mark.parametrize("scenario", ["everything-fine", "timelock-lock-lost-in-the-backup"])
async def test_the_bar_of_every_step_is_whole(scenario: str, tmp_path: Path) -> None:
    """In practice, which has one key more than life."""
    async with paged(scenario, tmp_path, SMALL) as operator:
        await operator.pilot.press("n")
        await operator.until_shown("w World")
        assert len(await _every_step(operator)) >= 4


async def test_the_bar_below_the_board_is_whole(still_clock: StillClock) -> None:
    feed = in_the_middle(still_clock)
    with feed.controls.offering(feed.nodes):
        async with RepairApp(feed.bridge, Look.chosen(environment={})).run_test(size=SMALL) as pilot:
            await settled_picture(pilot)
            assert_bar_whole(pilot.app)  # type: ignore[arg-type]
            assert " x Stop " in screen_lines(pilot.app)[-1]


async def test_the_palette_offers_the_keys_of_the_screen_and_a_theme(tmp_path: Path) -> None:
    async with paged("everything-fine", tmp_path, SMALL) as operator:
        await operator.pilot.press("n")
        await operator.until_shown("w World")
        titles = [command.title for command in operator.app.get_system_commands(operator.app.screen)]
    assert sorted(titles) == sorted(set(titles))
    assert set(titles) <= {"Theme", *(key.label for key in KEYMAP)}
    assert {"Theme", "Picture", "Log", "Help", "Quit"} <= set(titles)
    assert not {"Screenshot", "Maximize"} & set(titles)


def test_the_documentation_has_every_key() -> None:
    written = Path(__file__).parents[2] / "docs" / "keys.md"
    assert written.read_text(encoding="utf-8") == keys(), "make gallery writes it anew"
