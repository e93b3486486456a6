"""How the screens look on which everything begins."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from atlasdb_recovery.cli.wizard import LiveWorkplace
from tests.screens.conftest import settled_picture
from tests.screens.screen_operator import ScreenOperator
from tests.test_settings import INSTALL
from tui.app import RecoveryApp
from tui.look import Look

SMALL, WIDE = (80, 24), (160, 50)
UNICODE, ASCII = Look.chosen(environment={"LANG": "C.UTF-8"}), Look.chosen(ascii_only=True, environment={})


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "install.yml").write_text(INSTALL)


@asynccontextmanager
async def opened(size: tuple[int, int], look: Look) -> AsyncIterator[ScreenOperator]:
    app = RecoveryApp(LiveWorkplace(None, None, {}), look)
    async with app.run_test(size=size) as pilot:
        operator = ScreenOperator(app, pilot)
        await operator.until_shown("Practise")
        yield operator


async def welcome(operator: ScreenOperator) -> None:
    await operator.until_shown("Restore")


async def settings(operator: ScreenOperator) -> None:
    await operator.choose("setup")
    await operator.until_shown("look at")


async def history(operator: ScreenOperator) -> None:
    await operator.choose("history")
    await operator.until_shown("There has been no session yet")


async def practise(operator: ScreenOperator) -> None:
    await operator.choose("practise")
    await operator.until_shown("choose a scenario")


SCREENS = {shown.__name__: shown for shown in (welcome, settings, history, practise)}


@pytest.mark.parametrize(
    ("size", "look"), [(SMALL, UNICODE), (WIDE, UNICODE), (SMALL, ASCII)], ids=["small", "wide", "ascii"]
)
@pytest.mark.parametrize("shown", SCREENS.values(), ids=SCREENS)
async def test_it_looks_as_it_did(
    size: tuple[int, int],
    look: Look,
    shown: Callable[[ScreenOperator], Awaitable[None]],
    picture: SnapshotAssertion,
) -> None:
    async with opened(size, look) as operator:
        await shown(operator)
        assert await settled_picture(operator.pilot) == picture
