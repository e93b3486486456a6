"""Somebody leans on the keyboard, drags the window, clicks about: the program goes on, whatever screen is open."""

import random
import tempfile
from pathlib import Path

import pytest

from tests.screens.test_practice_scenarios import SMALL, paged
from tui.app import RecoveryApp
from tui.keymap import KEYMAP

LEAVES = {"quit", "picture"}
KEYS = sorted({key for one in KEYMAP if one.action not in LEAVES for key in one.keys.split(",")})
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
SCENARIOS = ("everything-fine", "node-dies-in-the-repair", "timestamp-files-swapped")


def whereabouts(app: RecoveryApp) -> str:
    return " > ".join(type(screen).__name__ for screen in app.screen_stack)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize("seed", range(6))
async def test_the_program_goes_on(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    done: list[str] = []
    async with paged(SCENARIOS[seed % len(SCENARIOS)], tmp_path, SMALL) as operator:
        for _ in range(150):
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
