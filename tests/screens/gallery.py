"""Pictures of the wizard for the documentation, and the table of its keys: `python -m tests.screens.gallery DIRECTORY`.

A whole practice restore is played on the screens by keys; each picture is what an operator sees at that moment.
"""

import asyncio
import sys
from pathlib import Path

from atlasdb_recovery.cli.wizard import LiveWorkplace
from tests.screens.conftest import settled_picture
from tests.screens.screen_operator import ScreenOperator
from tui.app import RecoveryApp
from tui.bridge import Refused, ToAnswer, ToBegin
from tui.keymap import table
from tui.look import Look

SIZE = (100, 30)
KEYS = """# Keys of the wizard

`?` on every screen tells what it is for and the keys that it has; a dialog names its keys at its foot.

"""


class Gallery(ScreenOperator):
    """An operator who takes pictures into a directory."""

    directory = Path()
    taken = 0

    async def take(self, name: str) -> None:
        self.taken += 1
        path = self.directory / f"{self.taken:02}-{name}.svg"
        path.write_text(await settled_picture(self.pilot), encoding="utf-8")
        print(path)

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


def keys() -> str:
    """`docs/keys.md`."""
    return f"{KEYS}{table()}\n"


async def take_all(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory.parent / "keys.md").write_text(keys(), encoding="utf-8")
    app = RecoveryApp(LiveWorkplace(None, None, {}), Look.chosen(environment={"LANG": "C.UTF-8"}))
    async with app.run_test(size=SIZE) as pilot:
        gallery = Gallery(app, pilot)
        gallery.directory = directory
        await whole_restore(gallery)
        await refused(gallery)


if __name__ == "__main__":
    asyncio.run(take_all(Path(sys.argv[1])))
