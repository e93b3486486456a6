"""The application around its sessions: a session ends for its own reasons only, and leaves the next one nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.screens.removal_feed import Feed, Script, started, wizard
from tests.screens.screen_operator import ScreenOperator

SIZE = (80, 24)


@asynccontextmanager
async def at_session(script: Script) -> AsyncIterator[ScreenOperator]:
    app = wizard(script)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        operator = ScreenOperator(app, pilot)
        await operator.until_shown("preflight")
        yield operator


async def stays(feed: Feed) -> int:
    feed(started())
    await asyncio.Event().wait()
    return 0


async def test_a_picture_that_cannot_be_written_is_told_and_the_session_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_session(stays) as operator:
        gone = tmp_path / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()
        await operator.pilot.press("f12")
        await operator.until_told("No picture: No such file or directory")
        monkeypatch.undo()
        assert operator.app.is_at_work
        assert operator.app.return_code is None
