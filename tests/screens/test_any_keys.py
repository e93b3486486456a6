"""Somebody leans on the keyboard, drags the window, clicks about: the program goes on, whatever screen is open."""

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Select

from atlasdb_recovery.cli.wizard import LiveWorkplace
from tests.screens.removal_feed import UNICODE
from tests.screens.test_hostile_dialogs import DIALOGS, SCREENS
from tests.screens.test_hostile_screens import application
from tests.screens.test_practice_scenarios import SMALL, paged
from tui.app import RecoveryApp
from tui.keymap import KEYMAP

KEYS = sorted({key for one in KEYMAP if one.action != "quit" for key in one.keys.split(",")})
OTHERS = (
    "enter",
    "escape",
    "tab",
    "shift+tab",
    "up",
    "down",
    "pagedown",
    "end",
    "home",
    "space",
    "backspace",
    "a",
    "1",
)
SIZES = (SMALL, (160, 50), (110, 30), (60, 15), (1, 1), (81, 24))
NONE_TOO_SMALL = ((2, 1), (1, 24), (80, 1), (9, 9), (20, 24), SMALL)
PLAIN_TEXT = ["plain", "words"] * 8
SCENARIOS = ("everything-fine", "node-dies-in-the-repair", "timestamp-files-swapped")


def whereabouts(app: RecoveryApp) -> str:
    return " > ".join(type(screen).__name__ for screen in app.screen_stack)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(1, 6))])
async def test_the_program_goes_on(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    done: list[str] = []
    async with paged(SCENARIOS[seed % len(SCENARIOS)], tmp_path, SMALL) as operator:
        for _ in range(60):
            what = chance.random()
            if what < 0.3:
                done.append("n")
            elif what < 0.85:
                done.append(chance.choice((*KEYS, *OTHERS)))
            else:
                done.append("")
            if done[-1]:
                await operator.pilot.press(done[-1])
            elif chance.random() < 0.5:
                size = chance.choice(SIZES)
                done[-1] = str(size)
                await operator.pilot.resize_terminal(*size)
            else:
                at = (chance.randrange(operator.app.size.width), chance.randrange(operator.app.size.height))
                done[-1] = f"click {at}"
                await operator.pilot.click(offset=at)
            assert operator.app.is_running, (whereabouts(operator.app), done)
            assert operator.app.return_code is None, (whereabouts(operator.app), done)


@pytest.mark.parametrize("kind", [*DIALOGS, *SCREENS])
async def test_no_size_ends_the_program(kind: str) -> None:
    async with application().run_test(size=SMALL, notifications=True) as pilot:
        screen: Screen[Any] = DIALOGS[kind](PLAIN_TEXT) if kind in DIALOGS else SCREENS[kind](PLAIN_TEXT)
        await pilot.app.push_screen(screen)
        await until_every_size(pilot)


async def test_no_size_ends_the_command_palette_or_an_open_list(tmp_path: Path) -> None:
    place = LiveWorkplace(None, tmp_path / "recovery.yml", {})
    app = RecoveryApp(place, UNICODE)
    app.animation_level = "none"
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("ctrl+p")
        await pilot.press(*"help")
        await until_every_size(pilot)
        await pilot.press("escape")
        app.ask_settings()
        await pilot.pause()
        for select in app.screen.query(Select):
            select.focus()
            await pilot.press("enter")
            assert select.expanded
            await until_every_size(pilot)


async def until_every_size(pilot: Pilot[Any]) -> None:
    for size in NONE_TOO_SMALL:
        await pilot.resize_terminal(*size)
        await pilot.press("pagedown")
        assert pilot.app.is_running, size
        assert pilot.app.return_code is None, size
