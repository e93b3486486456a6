"""What the wizard says of practice is true of practice: what becomes of it, what changes, what destroys, whose time."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import OptionList

from atlasdb_recovery.cli.wizard import LiveWorkplace
from atlasdb_recovery.practice.scenarios.catalogue import SCENARIOS
from atlasdb_recovery.practice.scenarios.drill import Drill
from atlasdb_recovery.procedure.step import Danger
from screens.briefing import BriefingScreen
from screens.debrief import DebriefScreen
from screens.dialogs.choice import ChoiceDialog
from screens.dialogs.words import WordsDialog
from screens.welcome import WelcomeScreen
from tests.practice.scenarios.played import machines
from tests.screens.removal_feed import UNICODE
from tests.screens.screen_operator import ScreenOperator
from tests.screens.test_practice_scenarios import SMALL
from tui.app import RecoveryApp
from tui.bridge import Refused
from tui.step_screen import StepScreen
from tui.widgets.banner import Banner

NOT_EMPTY = "keyspace-not-empty"
DROP = "drop-keyspace"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Practice worlds are made in the test's own directory."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@asynccontextmanager
async def at_home(directory: Path, *, read_only: bool = False) -> AsyncIterator[ScreenOperator]:
    place = LiveWorkplace(
        None, directory / "recovery.yml", {"state_dir": str(directory / "state")}, read_only=read_only
    )
    app = RecoveryApp(place, UNICODE)
    app.animation_level = "none"
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        operator = ScreenOperator(app, pilot)
        await operator.until_shown("Practise")
        yield operator
    assert not list(directory.glob("atlasdb-recovery-practice-*"))


@asynccontextmanager
async def at_work(directory: Path) -> AsyncIterator[ScreenOperator]:
    """Refused at the first step: the keyspace is not empty."""
    async with at_home(directory) as operator:
        await operator.take_on(NOT_EMPTY)
        await operator.pilot.press("n")
        assert isinstance(await operator.decision(), Refused)
        yield operator


async def until_screen(operator: ScreenOperator, kind: type) -> None:
    await operator.until(lambda: isinstance(operator.app.screen, kind), kind.__name__)


# leaving


async def test_who_leaves_the_program_is_told_that_the_session_ends(tmp_path: Path) -> None:
    async with at_work(tmp_path) as operator:
        await operator.pilot.press("ctrl+q")
        await operator.until_shown("Leave?")
        assert "A practice session ends with its cluster: nothing of it is kept" in operator.dialog
        assert "can be resumed" not in operator.dialog
        await operator.choose("park")
        await operator.until(lambda: operator.app.return_code is not None, "the end")
        said = " ".join(operator.app.farewell)
        assert "The practice session has ended with its cluster" in said
        assert "resume" not in said


async def test_who_leaves_the_session_alone_may_resume_it_in_this_practice(tmp_path: Path) -> None:
    async with at_work(tmp_path) as operator:
        await operator.pilot.press("b")
        await operator.until_shown("Leave?")
        assert "As long as this practice lasts the session can be resumed" in operator.dialog
        await operator.choose("park")
        assert await operator.decision() is None
        await operator.pilot.press("n")
        await operator.choose("again")
        assert isinstance(await operator.decision(), Refused)


async def test_help_says_what_leaving_means_here(tmp_path: Path) -> None:
    async with at_work(tmp_path) as operator:
        await operator.pilot.press("question_mark")
        await until_screen(operator, WordsDialog)
        assert "A practice session ends with its cluster" in operator.dialog
        assert "it goes on with `atlasdb-recovery resume`" not in operator.dialog


def test_a_live_session_is_parked_and_resumed(tmp_path: Path) -> None:
    leaving = LiveWorkplace(None, None, {"state_dir": str(tmp_path)}).leaving()
    assert "goes on with `atlasdb-recovery resume`" in leaving.help
    assert "The session can be resumed." in leaving.left
    assert leaving.left == leaving.parked
    assert not leaving.farewell


async def test_who_leaves_while_a_world_is_made_is_told_of_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = BriefingScreen.say

    def leave_during_the_backup(screen: BriefingScreen, line: str) -> None:
        said(screen, line)
        if line.startswith("the backup is taken"):
            screen.action_close()

    monkeypatch.setattr(BriefingScreen, "say", leave_during_the_backup)
    async with at_home(tmp_path) as operator:
        await operator.choose("practise")
        await operator.until_shown("choose a scenario")
        await operator.choose(NOT_EMPTY)
        await until_screen(operator, WelcomeScreen)
        await operator.until(lambda: all(worker.is_finished for worker in operator.app.workers), "quiet")
        assert isinstance(operator.app.screen, WelcomeScreen), operator.text
        assert not operator.app.farewell


# the practice world


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_what_only_looks_stands_first_and_what_destroys_last(name: str, tmp_path: Path) -> None:
    actions = Drill(SCENARIOS[name], machines(tmp_path), tmp_path).actions
    dangers = [list(Danger).index(action.danger) for action in actions]
    assert dangers == sorted(dangers)
    assert actions[0].danger is Danger.READS
    assert {DROP, "truncate"} <= {action.key for action in actions if action.danger is Danger.DESTROYS}


async def test_what_destroys_is_marked_and_asked_about_once_more(tmp_path: Path) -> None:
    async with at_work(tmp_path) as operator:
        await operator.pilot.press("w")
        await operator.until_shown("The practice world")
        await operator.pilot.press("end")
        options = operator.app.screen.query_one(OptionList)
        assert str(options.get_option(DROP).prompt).startswith("DESTROYS: drop keyspace shop")
        await operator.choose(DROP)
        await operator.until_shown("This destroys")
        await operator.pilot.press("enter")
        await until_screen(operator, StepScreen)
        await operator.act("look")
        assert "there is no keyspace shop" not in operator.seen[-1]
        await operator.act(DROP)
        assert "keyspace shop is gone" in operator.seen[-1]
        assert "p parks it, and n then offers “Begin a new restore, from the backup”" in operator.seen[-1]
        await operator.act("look")
        assert "there is no keyspace shop" in operator.seen[-1]
        assert "p parks it" not in operator.seen[-1]


async def test_the_way_out_is_as_it_was_told(tmp_path: Path) -> None:
    async with at_work(tmp_path) as operator:
        await operator.act(DROP)
        await operator.press("p")
        assert await operator.decision() is None
        await operator.pilot.press("n")
        await until_screen(operator, ChoiceDialog)
        assert "Begin a new restore, from the backup" in operator.dialog


# looking only


async def test_practice_is_exempt_from_looking_only_and_says_so(tmp_path: Path) -> None:
    async with at_home(tmp_path, read_only=True) as operator:
        assert "READ-ONLY: looks at everything, changes nothing; practice is exempt" in operator.text
        await operator.take_on("everything-fine")
        assert "READ-ONLY does not hold in practice" in operator.text


async def test_a_session_that_is_only_looked_at_says_so_once(tmp_path: Path) -> None:
    async with at_work(tmp_path) as operator:
        view = operator.app.bridge.view  # type: ignore[union-attr]
        view.mode = "READ-ONLY"
        banner = Banner(view, UNICODE, read_only=True)
        await operator.app.screen.mount(banner)
        await operator.until(lambda: "READ-ONLY" in str(banner.render()), "the mark")
        assert str(banner.render()).count("READ-ONLY") == 1


# afterwards


async def test_the_debriefing_says_whose_time_it_tells_and_has_a_help_of_its_own(tmp_path: Path) -> None:
    async with at_work(tmp_path) as operator:
        await operator.press("p")
        assert await operator.decision() is None
        await operator.pilot.press("n")
        await operator.choose("debrief")
        await until_screen(operator, DebriefScreen)
        assert "Times are the simulated cluster's, at speed instant" in operator.text
        await operator.pilot.press("question_mark")
        await until_screen(operator, WordsDialog)
        assert "What was built in, when it showed" in operator.dialog
        assert "The steps stand at the left" not in operator.dialog


async def test_the_history_without_a_session_resumes_none(tmp_path: Path) -> None:
    async with at_home(tmp_path) as operator:
        await operator.choose("history")
        await operator.until_shown("There has been no session yet.")
        assert "Practice sessions are not kept: each ends with its cluster." in operator.text
        assert "Resume" not in operator.text
