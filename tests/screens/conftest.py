"""Screens as pictures: `assert await settled_picture(pilot) == picture`, an SVG beside the test in `__snapshots__`.

Pictures are the same only if nothing in them moves: see `still_clock`.
"""

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Footer, Input

from tui import session_flow

ALIKE = 3
WITH_CLOCKS = (
    "atlasdb_recovery.pace",
    "screens.repair",
    "tui.repair_board",
    "tui.session_view",
    "tui.widgets.guard_list",
    "tui.widgets.guard_summary",
    "tui.widgets.progress_panel",
    "tui.widgets.server_list",
)
"""Modules whose ages and elapsed times stand on a screen."""


class SvgExtension(SingleFileSnapshotExtension):
    file_extension = "svg"
    _write_mode = WriteMode.TEXT


@pytest.fixture(autouse=True)
def much_else_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has run thousands of tests holds many times what the program does: to visit all of it at every
    step's screen would take most of the time."""
    monkeypatch.setattr(session_flow, "_leave_to_itself_what_lives", lambda: None)


@pytest.fixture
def picture(snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> SnapshotAssertion:
    """The picture this test saw last time; `--snapshot-update` takes a new one. Cursors don't blink in it."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)
    return snapshot.use_extension(SvgExtension)


def app_picture(app: App[Any]) -> str:
    """The screen as it is now, as SVG, without the ids that differ from run to run."""
    return re.sub(r"terminal-\d+-", "terminal-", app.export_screenshot(title="", simplify=True))


async def settled_picture(pilot: Pilot[Any]) -> str:
    """The picture once nothing moves any more: a footer comes a moment after its screen."""
    before, alike = "", 0
    while alike < ALIKE:
        await pilot.pause(0.05)
        now = app_picture(pilot.app)
        is_whole = all(footer.children for footer in pilot.app.screen.query(Footer))
        alike = alike + 1 if now == before and is_whole else 0
        before = now
    return before


def screen_lines(app: App[Any]) -> list[str]:
    """What stands on the screen now, line by line; each as wide as the screen."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


class StillClock:
    """What the screens take for the time; only the test moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def strftime(self, form: str) -> str:
        return time.strftime(form, time.gmtime(self.now))


@pytest.fixture
def still_clock(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    return stilled(monkeypatch)


def stilled(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    """From now on the screens take this for the time."""
    clock = StillClock()
    stand_in = SimpleNamespace(monotonic=clock.monotonic, strftime=clock.strftime, time=clock.monotonic)
    for module in WITH_CLOCKS:
        monkeypatch.setattr(f"{module}.time", stand_in)
    return clock
