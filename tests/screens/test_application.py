"""The application around its sessions: a session ends for its own reasons only, and leaves the next one nothing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from atlasdb_recovery.cli.wizard import LEAVING, LiveWorkplace
from atlasdb_recovery.events import SessionCompleted, SessionParked
from atlasdb_recovery.journal.lock import Holder, LockHeld
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.restore import restore_steps
from screens.dialogs.choice import ChoiceDialog
from screens.dialogs.raw_lines import RawLinesDialog
from screens.history import HistoryScreen
from screens.welcome import WelcomeScreen
from tests.screens.removal_feed import Feed, Script, ScriptedPlace, guards, place_of, started, wizard
from tests.screens.screen_operator import ScreenOperator
from tests.screens.typist import Typist
from tests.test_settings import INSTALL
from tui.app import RecoveryApp
from tui.bridge import Bridge
from tui.held_key import HeldKey
from tui.look import Look
from tui.step_screen import StepScreen
from tui.workplace import Leaving, Opening, Practice, Workplace

SIZE = (80, 24)


@asynccontextmanager
async def at_session(script: Script, *, mode: str = "LIVE") -> AsyncIterator[ScreenOperator]:
    app = wizard(script, mode=mode)
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


class PlayedPractice:
    """A practice world that counts how often it was closed."""

    closed = 0

    def opening(self) -> Opening:
        return Opening("restore", "PRACTICE", "orders", restore_steps())

    def leaving(self) -> Leaving:
        return LEAVING

    async def close(self) -> None:
        self.closed += 1


async def parks(feed: Feed) -> int:
    feed(started("PRACTICE"), SessionParked(step="preflight", reason="the operator parked"))
    return 5


async def test_back_from_a_stopped_practice_session_asks_before_its_world_ends() -> None:
    async with at_session(parks, mode="PRACTICE") as operator:
        practice = PlayedPractice()
        operator.app.practice = cast("Practice", practice)
        await operator.until(lambda: not operator.app.is_at_work, "the end of the session")
        await operator.pilot.press("b")
        await operator.until_shown("The restore is not complete, and the service must not be started.")
        assert "Give it up: debriefing" in operator.text
        assert practice.closed == 0


async def test_to_quit_asks_over_another_choice_too_and_once() -> None:
    async with at_session(stays) as operator:
        app = operator.app
        await app.push_screen(ChoiceDialog("Another", "question", (("a", "A"), ("b", "B"))))
        await operator.pilot.press("ctrl+q", "ctrl+q")
        await operator.until_shown("A session is under way.")
        assert [type(screen) for screen in app.screen_stack].count(ChoiceDialog) == 2
        await operator.choose("park")
        await operator.until(lambda: app.return_code is not None, "the end")
        assert app.return_code == 5


async def test_how_one_session_ended_is_not_said_of_the_next() -> None:
    times: list[int] = []

    async def script(feed: Feed) -> int:
        times.append(1)
        if len(times) == 1:
            raise OSError(5, "no route to the cluster")
        feed(started())
        feed.bridge.say("the second session's last word")
        return 0

    app = wizard(script)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        operator = ScreenOperator(app, pilot)
        await operator.until_shown("no route to the cluster")
        await pilot.press("escape")
        await operator.until(lambda: isinstance(app.screen, WelcomeScreen), "the welcome screen")
        app.open_session("restore")
        await operator.until(lambda: len(times) == 2 and not app.is_at_work, "the end of the second session")
        await pilot.press("ctrl+q")
        await operator.until(lambda: app.return_code is not None, "the end")
        assert app.return_code == 0
        assert "the second session's last word" in app.farewell[-1]
        assert "no route" not in " ".join(app.farewell)


@pytest.mark.parametrize("answer", ["stay", "park"])
async def test_a_session_that_ends_while_leaving_is_asked_about_takes_no_other_one_with_it(answer: str) -> None:
    go_on = asyncio.Event()

    async def script(feed: Feed) -> int:
        feed(started())
        await go_on.wait()
        feed(SessionParked(step="preflight", reason="the cluster was lost"))
        return 5

    async with at_session(script) as operator:
        app = operator.app
        await operator.pilot.press("ctrl+q")
        await operator.until_shown("A session is under way.")
        go_on.set()
        await operator.until(lambda: not app.is_at_work, "the end of the session")
        await operator.choose(answer)
        await operator.until(lambda: not isinstance(app.screen, ChoiceDialog), "the end of the question")
        await operator.pilot.pause()
        assert app.return_code == (5 if answer == "park" else None)


async def test_to_quit_a_session_that_is_complete_asks_nothing_though_its_connections_are_still_open() -> None:
    closed = asyncio.Event()

    async def script(feed: Feed) -> int:
        feed(started(), SessionCompleted(evidence=()))
        await closed.wait()
        return 0

    async with at_session(script) as operator:
        app = operator.app
        await operator.until(lambda: app.bridge is not None and app.bridge.view.state.outcome == "completed", "it")
        await operator.pilot.press("ctrl+q")
        await operator.pilot.pause()
        assert not isinstance(app.screen, ChoiceDialog)
        assert app.return_code is None
        closed.set()
        await operator.until(lambda: app.return_code is not None, "the end")
        assert app.return_code == 0


def terminate() -> None:
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL, "the application does not listen for it"
    os.kill(os.getpid(), signal.SIGTERM)


async def test_a_look_that_is_hung_up_on_has_parked_nothing() -> None:
    async def looks(feed: Feed) -> int:
        feed(started())
        return 0

    app = wizard(looks)
    place = place_of(app)
    place.read_only = True
    place.look = lambda procedure, bridge: stays(Feed(bridge))  # type: ignore[attr-defined]
    async with app.run_test(size=SIZE) as pilot:
        await ScreenOperator(app, pilot).until(lambda: app.is_at_work, "the look")
        terminate()
        await ScreenOperator(app, pilot).until(lambda: app.return_code is not None, "the end")
    assert app.return_code == 0


async def test_a_read_only_look_is_taken_again_by_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clients = ["10.2.0.7:51124 is connected", "nobody is connected"]

    async def looked(graph: object, procedure: str, settings: object, bridge: Bridge) -> None:
        Feed(bridge)(*guards("preflight", NoClientsConnected=("blocked", clients.pop(0))))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("atlasdb_recovery.cli.looking.look", looked)
    (tmp_path / "install.yml").write_text(INSTALL)
    (tmp_path / "recovery.yml").write_text("config: install.yml\nbackup_dir: backup\n")
    app = RecoveryApp(LiveWorkplace(None, None, {}, read_only=True), Look.chosen(environment={}), first="restore")
    async with app.run_test(size=SIZE) as pilot:
        operator = ScreenOperator(app, pilot)
        await operator.until_shown("10.2.0.7:51124 is connected")
        await operator.until_shown("nothing can be begun. r looks again")
        await pilot.press("n")
        await pilot.press("r")
        await operator.until_shown("nobody is connected")
        await pilot.press("ctrl+q")
        await operator.until(lambda: app.return_code is not None, "the end")
    assert (clients, app.return_code) == ([], 0)


async def test_a_session_that_is_hung_up_on_is_parked() -> None:
    async with at_session(stays) as operator:
        terminate()
        await operator.until(lambda: operator.app.return_code is not None, "the end")
    assert operator.app.return_code == 5


async def refused_by_another_host(feed: Feed) -> int:
    holder = Holder("ann", "bastion-9", 4711, "20261123T031502Z-restore-orders-3f2a", "2026-11-23T03:15:02Z")
    raise LockHeld(Path("/backups/orders/atlasdb-recovery.lock"), holder, None)


class HeldElsewhere(ScriptedPlace):
    """Another host holds the lock, and keeps its session's journal."""

    def held_by(self, error: BaseException) -> str | None:
        return "" if isinstance(error, LockHeld) else None

    async def look(self, procedure: str, bridge: Bridge) -> None:
        Feed(bridge)(*guards("preflight"))


async def test_where_another_host_holds_the_lock_the_cluster_can_be_looked_at_all_the_same() -> None:
    app = wizard(refused_by_another_host)
    app.workplace = cast("Workplace", HeldElsewhere(refused_by_another_host))
    async with app.run_test(size=SIZE) as pilot:
        operator = ScreenOperator(app, pilot)
        await operator.until_shown("Somebody else works on this")
        assert "ann on bastion-9, process 4711" in operator.dialog
        assert "at the cluster, as a restore would find it" in operator.dialog
        await pilot.press("enter")
        await operator.until_shown("READ-ONLY")
        await operator.until_shown("read-only: everything can be looked at, nothing can be begun")


async def test_a_screen_that_is_left_right_after_it_was_resized_ends_no_session() -> None:
    async with at_session(stays) as operator:
        screen = operator.app.screen
        assert isinstance(screen, StepScreen)
        await screen.query("#outcome").remove()
        screen.on_resize()
        await operator.pilot.pause()
        assert operator.app.is_at_work
        assert operator.app.return_code is None


@pytest.mark.parametrize("way", ["left", "closed"])
@pytest.mark.parametrize("opening", [*(step.name for step in restore_steps()), "history", "raw lines"])
async def test_leaving_while_a_screen_opens_is_no_defect(opening: str, way: str) -> None:
    async with at_session(stays) as operator:
        app = operator.app
        assert app.bridge is not None
        if opening == "history":
            app.push_screen(HistoryScreen([], app.look, read_only=False))
        elif opening == "raw lines":
            app.push_screen(RawLinesDialog(app.bridge.view, "127.0.0.1", app.look))
        else:
            app.show_step(opening)
        if way == "left":
            app.leave()
    assert "defect" not in " ".join(app.farewell)
    assert app.return_code == (0 if way == "left" else None)


async def test_next_held_down_begins_one_step_only() -> None:
    begun: list[str] = []

    async def script(feed: Feed) -> int:
        feed(started())
        for step in restore_steps():
            await feed.bridge.advance(step, Plan(title=step.name))
            begun.append(step.name)
        return 0

    async with at_session(script) as operator:
        app = operator.app
        await operator.until_shown("n begins preflight")
        await Typist(app, operator.pilot).press("n", apart=0.03, times=40)
        assert begun == ["preflight"]
        assert app.bridge is not None
        app.bridge.next_key = HeldKey()  # let go
        await operator.pilot.press("n")
        assert begun == ["preflight", "restore-store"]
