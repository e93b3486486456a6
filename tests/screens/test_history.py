"""The list of sessions: one is looked at as its journal tells it, one is given up."""

import errno
import fcntl
from contextlib import closing
from pathlib import Path

import pytest

from atlasdb_recovery.cli.wizard import LiveWorkplace
from atlasdb_recovery.events import SessionParked, SessionResumed, StepIntended
from atlasdb_recovery.journal.record import Journal
from atlasdb_recovery.journal.sessions import sessions
from tests.screens.removal_feed import SESSION, settled, started
from tests.screens.screen_operator import ScreenOperator
from tests.test_settings import INSTALL
from tui.app import RecoveryApp
from tui.look import Look

SIZE = (80, 24)


@pytest.fixture(autouse=True)
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "install.yml").write_text(INSTALL)
    (tmp_path / "recovery.yml").write_text("config: install.yml\nbackup_dir: backup\nstate_dir: state\n")
    with closing(Journal.create(tmp_path / "state", SESSION)) as journal:
        for event in (started(), *settled("preflight")):
            journal.append(event)
        journal.append(StepIntended(step="restore-store", fingerprint="f", attempt=1))
    return tmp_path / "state"


def wizard() -> RecoveryApp:
    app = RecoveryApp(LiveWorkplace(None, None, {}), Look.chosen(environment={"LANG": "C.UTF-8"}))
    app.animation_level = "none"
    return app


async def history(operator: ScreenOperator) -> None:
    await operator.until_shown("Practise")
    await operator.choose("history")
    await operator.until_shown("Sessions, the newest first")


async def test_a_session_is_given_up_with_a_reason_and_can_not_be_resumed_any_more(state_dir: Path) -> None:
    async with wizard().run_test(size=SIZE) as pilot:
        operator = ScreenOperator(pilot.app, pilot)  # type: ignore[arg-type]
        await history(operator)
        await pilot.press("g")
        await operator.until_shown(f"Give session {SESSION} up?")
        await pilot.press("escape")
        assert sessions(state_dir)[0].state == "unfinished"
        await pilot.press("g")
        await operator.until(lambda: "Enter answers" in operator.dialog, "an armed question")
        await pilot.press(*"the wrong backup", "enter")
        await operator.until_shown("do NOT start the service on keyspace orders")
        await pilot.press("escape")
        await operator.until_shown("aborted")
        assert sessions(state_dir)[0].reason == "the wrong backup"
        for key in ("n", "g"):
            await pilot.press(key)
            await pilot.pause()
            assert "Sessions, the newest first" in operator.text


async def test_a_session_whose_process_was_killed_is_not_shown_at_work(state_dir: Path) -> None:
    async with wizard().run_test(size=SIZE) as pilot:
        operator = ScreenOperator(pilot.app, pilot)  # type: ignore[arg-type]
        await history(operator)
        await pilot.press("enter")
        await operator.until_shown("its process ended without a word")
        assert "interrupted" in operator.text
        assert "lock: ann" not in operator.text
        assert "interrupted after 0:00:00" in operator.text
        assert "at work" not in operator.text
        with closing(Journal.open(state_dir, SESSION)) as journal:
            journal.append(SessionResumed(operator="bob", host="bastion-2", process=1))
            journal.append(StepIntended(step="restore-store", fingerprint="f", attempt=2))
            await operator.until_shown("lock: bob@bastion-2")
            await operator.until(lambda: "without a word" not in operator.text, "no more of the first process")
            assert "running" in operator.text
            journal.append(SessionParked(step="restore-store", reason="interrupted"))
        await operator.until_shown("parked; go on with")


async def test_on_a_file_system_without_locks_no_session_is_taken_for_killed(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(descriptor: object, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    async with wizard().run_test(size=SIZE) as pilot:
        operator = ScreenOperator(pilot.app, pilot)  # type: ignore[arg-type]
        await history(operator)
        await pilot.press("enter")
        await operator.until_shown("lock: ann")
        with closing(Journal.open(state_dir, SESSION)) as journal:
            journal.append(SessionResumed(operator="bob", host="bastion-2", process=1))
        await operator.until_shown("lock: bob@bastion-2")
        assert "without a word" not in operator.text
