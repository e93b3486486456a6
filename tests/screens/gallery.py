"""Pictures of the wizard for the documentation, and the table of its keys: `python -m tests.screens.gallery DIRECTORY`.

A whole practice restore is played on the screens by keys; each picture is what an operator sees at that moment. What
passes too quickly in practice is shown from the events that the tests of those screens use.
"""

import asyncio
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from textual.pilot import Pilot

from atlasdb_recovery.cli.wizard import LiveWorkplace
from atlasdb_recovery.events import SessionCompleted, StepIntended
from atlasdb_recovery.journal.record import Journal
from tests.screens.conftest import settled_picture, stilled
from tests.screens.removal_feed import SESSION, settled, started, until
from tests.screens.repair_feed import RepairApp
from tests.screens.screen_operator import ScreenOperator
from tests.screens.test_repair_pictures import in_the_middle
from tests.screens.test_step_pictures import STEPS, wizard_at
from tests.screens.test_timestamp_servers import backing_up, fetching
from tests.test_settings import INSTALL
from tui.app import RecoveryApp
from tui.bridge import Refused, ToAnswer, ToBegin
from tui.keymap import table
from tui.look import Look

SIZE, WIDE = (100, 30), (160, 50)
LOOK = Look.chosen(environment={"LANG": "C.UTF-8"})
BEGAN = datetime(2026, 11, 23, 3, 15, 2, tzinfo=UTC)
SESSIONS = {
    SESSION.replace("T03", "T01"): (started(), *settled("preflight"), SessionCompleted(evidence=("all",))),
    SESSION: (started(), *settled("preflight"), StepIntended(step="restore-store", fingerprint="f", attempt=1)),
}
KEYS = """# Keys of the wizard

`?` on every screen tells what it is for and the keys that it has; a dialog names its keys at its foot.

"""


async def keep(path: Path, pilot: Pilot[Any]) -> None:
    path.write_text(await settled_picture(pilot), encoding="utf-8")
    print(path)


class Gallery(ScreenOperator):
    """An operator who takes pictures into a directory."""

    directory = Path()
    taken = 0

    async def take(self, name: str) -> None:
        self.taken += 1
        await keep(self.directory / f"{self.taken:02}-{name}.svg", self.pilot)

    async def comes_to(self, step: str) -> None:
        waiting = await self.decision()
        assert isinstance(waiting, ToBegin), waiting
        assert waiting.step == step

    async def give_up(self) -> None:
        """A session that nobody ends would be waited for."""
        await self.press("p")
        assert await self.decision() is None
        assert await self._is_over()
        await self.until_shown("DEBRIEF:")


async def whole_restore(gallery: Gallery) -> None:
    """From the welcome screen to the debriefing, with everything going well."""
    await gallery.until_shown("Practise")
    await gallery.take("welcome")
    await gallery.choose("practise")
    await gallery.until_shown("choose a scenario")
    await gallery.take("practise")
    await gallery.pilot.press("escape")
    await gallery.take_on("everything-fine")
    await gallery.take("briefing")
    await gallery.pilot.press("n")
    await gallery.comes_to("preflight")
    await gallery.take("preflight")
    await gallery.press("n")
    assert isinstance(await gallery.decision(), ToAnswer)
    await gallery.answer()
    await gallery.comes_to("restore-store")
    await gallery.take("restore-store")
    await gallery.press("n")
    await gallery.comes_to("repair")
    await gallery.press("n")
    await gallery.comes_to("clean-transactions")
    await gallery.take("clean-transactions")
    await gallery.pilot.press("b")
    await gallery.take("repair-looked-back-at")
    await gallery.pilot.press("f")
    await gallery.press("n")
    assert isinstance(await gallery.decision(), ToAnswer)
    gallery.typist.wait(2.0)
    await gallery.typist.type(await gallery.phrase())
    await gallery.take("confirmation")
    await gallery.typist.press("enter")
    await gallery.comes_to("fast-forward")
    await gallery.take("fast-forward")
    await gallery.press("n")
    await gallery.comes_to("prove")
    await gallery.press("n")
    assert await gallery.decision() is None
    await gallery.take("restore-complete")
    await gallery.pilot.press("n")
    await gallery.until_shown("DEBRIEF:")
    await gallery.take("debriefing")


async def refused(gallery: Gallery) -> None:
    """A guard that refuses, and the practice world."""
    await gallery.pilot.press("escape")
    await gallery.take_on("keyspace-not-empty")
    await gallery.pilot.press("n")
    assert isinstance(await gallery.decision(), Refused)
    await gallery.take("refused")
    await gallery.pilot.press("w")
    await gallery.until_shown("The practice world")
    await gallery.take("practice-world")
    await gallery.pilot.press("escape")
    await gallery.give_up()


async def at_work(directory: Path) -> None:
    """Steps in their middle, with a clock that stands still."""
    with pytest.MonkeyPatch.context() as patched:
        feed = in_the_middle(stilled(patched))
        with feed.controls.offering(feed.nodes):
            async with RepairApp(feed.bridge, LOOK).run_test(size=WIDE) as pilot:
                await keep(directory / "14-repair-at-work.svg", pilot)
        for number, step in enumerate(("back-up-store", "seal-backup"), 15):
            app = wizard_at(step, LOOK)
            async with app.run_test(size=SIZE) as pilot:
                await until(app, pilot, STEPS[step].words)
                await keep(directory / f"{number}-{step}.svg", pilot)
        app = backing_up(fetching(), LOOK)
        async with app.run_test(size=SIZE) as pilot:
            await until(app, pilot, "1 failover")
            await keep(directory / "17-fetch-with-a-failover.svg", pilot)


async def before_a_session(directory: Path) -> None:
    """Settings, and the sessions there were."""
    with TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patched:
        patched.chdir(place)
        Path("install.yml").write_text(INSTALL)
        Path("recovery.yml").write_text("config: install.yml\nbackup_dir: backup\nstate_dir: state\n")
        for session, events in SESSIONS.items():
            with closing(Journal.create(Path("state"), session, clock=lambda: BEGAN)) as journal:
                for event in events:
                    journal.append(event)
        app = RecoveryApp(LiveWorkplace(None, None, {}), LOOK)
        async with app.run_test(size=SIZE) as pilot:
            operator = ScreenOperator(app, pilot)
            for number, (entry, words) in enumerate((("setup", "Settings:"), ("history", "newest first")), 18):
                await operator.until_shown("Practise")
                await operator.choose(entry)
                await operator.until_shown(words)
                await keep(directory / f"{number}-{entry}.svg", pilot)
                await pilot.press("escape")


def keys() -> str:
    """`docs/keys.md`."""
    return f"{KEYS}{table()}\n"


async def take_all(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory.parent / "keys.md").write_text(keys(), encoding="utf-8")
    app = RecoveryApp(LiveWorkplace(None, None, {}), LOOK)
    async with app.run_test(size=SIZE) as pilot:
        gallery = Gallery(app, pilot)
        gallery.directory = directory
        await whole_restore(gallery)
        await refused(gallery)
    await at_work(directory)
    await before_a_session(directory)


if __name__ == "__main__":
    asyncio.run(take_all(Path(sys.argv[1]).absolute()))
