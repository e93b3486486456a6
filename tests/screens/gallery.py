"""Pictures of the wizard for the documentation: `python -m tests.screens.gallery DIRECTORY`.

A whole practice restore is played on the screens by keys; each picture is what an operator sees at that moment.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from atlasdb_recovery.cli.wizard import LiveWorkplace
from tests.screens.conftest import app_picture
from tui.app import RecoveryApp
from tui.bridge import Refused, ToAnswer, ToBegin
from tui.look import Look
from tui.step_screen import StepScreen

SIZE = (100, 30)
PATIENCE = 600
ASKED_EVERY = 0.1
CLIENT_SCENARIO = 2
"""Position in the list of scenarios: a client is still connected."""


class Gallery:
    def __init__(self, pilot: Pilot[int], app: RecoveryApp, directory: Path) -> None:
        self._pilot = pilot
        self._app = app
        self._directory = directory
        self._number = 0

    async def take(self, name: str) -> None:
        await self._pilot.pause(0.3)
        self._number += 1
        path = self._directory / f"{self._number:02}-{name}.svg"
        path.write_text(app_picture(self._app), encoding="utf-8")
        print(path)

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        for _ in range(round(PATIENCE / ASKED_EVERY)):
            await self._pilot.pause(ASKED_EVERY)
            if holds():
                return
        raise SystemExit(f"{what} never came")

    async def until_begin(self, step: str) -> None:
        def holds() -> bool:
            bridge = self._app.bridge
            waiting = bridge.waiting if bridge is not None else None
            at = self._app.screen
            return isinstance(waiting, ToBegin) and waiting.step == step and isinstance(at, StepScreen)

        await self.until(holds, step)

    async def until_asked(self) -> str:
        """The words that are to be typed."""
        await self.until(lambda: self._app.screen.is_modal, "a question")
        bridge = self._app.bridge
        assert bridge is not None
        assert isinstance(bridge.waiting, ToAnswer)
        return bridge.waiting.question.phrase

    async def type(self, words: str) -> None:
        for character in words:
            await self._pilot.press("space" if character == " " else character)
            await self._pilot.pause(0.05)


async def whole_restore(gallery: Gallery, pilot: Pilot[int], app: RecoveryApp) -> None:
    """From the welcome screen to the debriefing, with everything going well."""
    await gallery.take("welcome")
    await pilot.press("down", "down", "enter")
    await gallery.until(lambda: type(app.screen).__name__ == "PracticeScreen", "the scenarios")
    await pilot.press("s", "s")
    await gallery.take("practise")
    await pilot.press("enter")
    await gallery.until(lambda: app.practice is not None and app.screen.check_action("begin", ()) is True, "the page")
    await gallery.take("briefing")
    await pilot.press("n")
    await gallery.until_begin("preflight")
    await gallery.take("preflight")
    await pilot.press("n")
    await gallery.until_asked()
    await gallery.type("all stopped")
    await pilot.press("enter")
    await gallery.until_begin("restore-store")
    await gallery.take("restore-store")
    await pilot.press("n")
    await gallery.until_begin("repair")
    await pilot.press("n")
    await gallery.until_begin("clean-transactions")
    await gallery.take("clean-transactions")
    await pilot.press("b")
    await gallery.take("repair-looked-back-at")
    await pilot.press("f", "n")
    phrase = await gallery.until_asked()
    await pilot.pause(1.2)
    await gallery.type(phrase)
    await gallery.take("confirmation")
    await pilot.press("enter")
    await gallery.until_begin("fast-forward")
    await gallery.take("fast-forward")
    await pilot.press("n")
    await gallery.until_begin("prove")
    await pilot.press("n")
    await gallery.until(lambda: app.bridge is not None and app.bridge.view.state.outcome == "completed", "the end")
    await gallery.take("restore-complete")
    await pilot.press("n")
    await gallery.until(lambda: type(app.screen).__name__ == "DebriefScreen", "the debriefing")
    await gallery.take("debriefing")


async def refused(gallery: Gallery, pilot: Pilot[int], app: RecoveryApp) -> None:
    """A guard that refuses, and the practice world."""
    await pilot.press("escape")
    app.choose_practice()
    await gallery.until(lambda: type(app.screen).__name__ == "PracticeScreen", "the scenarios")
    await pilot.press("s", "s", *["down"] * CLIENT_SCENARIO, "enter")
    await gallery.until(lambda: app.practice is not None and app.screen.check_action("begin", ()) is True, "the page")
    await pilot.press("n")
    await gallery.until(lambda: app.bridge is not None and isinstance(app.bridge.waiting, Refused), "a refusal")
    await gallery.take("refused")
    await pilot.press("w")
    await gallery.until(lambda: app.screen.is_modal, "the practice world")
    await gallery.take("practice-world")


async def take_all(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    app = RecoveryApp(LiveWorkplace(None, None, {}), Look.chosen(environment={"LANG": "C.UTF-8"}))
    async with app.run_test(size=SIZE) as pilot:
        gallery = Gallery(pilot, app, directory)
        await whole_restore(gallery, pilot, app)
        await refused(gallery, pilot, app)
        app.end_practice()
        await app.workers.wait_for_complete()


if __name__ == "__main__":
    asyncio.run(take_all(Path(sys.argv[1])))
