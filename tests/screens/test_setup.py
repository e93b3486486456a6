"""The settings' screen: what is marked right is right, what is saved was checked, nothing typed is lost unasked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import Input

from atlasdb_recovery.cli.settings_draft import SettingsDraft
from atlasdb_recovery.cli.wizard import LiveWorkplace
from screens.dialogs.choice import ChoiceDialog
from screens.setup import SetupScreen
from screens.welcome import WelcomeScreen
from tests.screens.screen_operator import ScreenOperator
from tests.test_settings import INSTALL
from tui.app import RecoveryApp
from tui.glyphs import UNICODE
from tui.look import Look

SIZE = (80, 24)
READY = "these settings can be used: F8"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "install.yml").write_text(INSTALL)
    return tmp_path


@asynccontextmanager
async def at_settings(*, entry: str = "setup", read_only: bool = False) -> AsyncIterator[ScreenOperator]:
    app = RecoveryApp(LiveWorkplace(None, None, {}, read_only=read_only), Look.chosen(environment={}), first=entry)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        operator = ScreenOperator(app, pilot)
        await operator.until_shown("Service's config")
        yield operator


async def fill(operator: ScreenOperator, **typed: str) -> None:
    for key, text in typed.items():
        operator.app.screen.query_one(f"#value-{key}").focus()
        await operator.typist.press("ctrl+u")
        await operator.typist.type(text)


def sign(operator: ScreenOperator, label: str) -> str:
    """What stands before this label, which stands there whole."""
    found = operator.text.partition(f" {label} ")[0]
    assert found != operator.text, label
    return found[-1]


async def test_only_what_has_been_found_right_is_marked_right(place: Path) -> None:
    async with at_settings() as operator:
        await fill(operator, config="install.yml", config_root="../../nowhere", backup_dir="b")
        await fill(operator, **{"cql-port": "99999999us e", "nodetool-jmx_port": "70000"})
        await operator.until_shown("Write a whole number from 1 to 65535. ✗ look at Root in it, CQL port")
        signs = {label: sign(operator, label) for label in ("Root in it", "CQL port", "JMX port")}
        assert set(signs.values()) == {UNICODE.failed}
        assert sign(operator, "Service's config") == sign(operator, "Backup directory") == UNICODE.done
        assert sign(operator, "CQL user") == UNICODE.pending
        assert "Write a whole number from 1 to 65535." in operator.text
        assert "command line" not in operator.text
        assert "f8 Use these f2 Save f3 nodetool f4 Pick esc Back f1 Help ▏^p palette" in operator.text


async def test_a_restore_without_a_file_says_so_until_something_is_typed(place: Path) -> None:
    async with at_settings(entry="restore") as operator:
        await operator.until_shown("no recovery.yml was found in this directory")
        assert ": backup_dir" not in operator.text
        await fill(operator, config="install.yml", backup_dir="b")
        await operator.until_shown(READY)
        assert "no recovery.yml was found" not in operator.text


async def test_saving_right_after_typing_saves_what_is_typed(place: Path) -> None:
    async with at_settings() as operator:
        await fill(operator, config="install.yml", backup_dir="here")
        await operator.typist.press("f2")
        await operator.until_told("saved: recovery.yml")
        assert (place / "recovery.yml").read_text().startswith("config: install.yml\nbackup_dir: here\n")
        await fill(operator, **{"cql-port": "70000"})
        await operator.typist.press("f2")
        await operator.until_told("Not saved: look at CQL port.")
        assert READY not in operator.text
        assert "port" not in (place / "recovery.yml").read_text()


async def asked_whether_to_leave(operator: ScreenOperator, key: str, *, times: int = 1, stays: str) -> None:
    """What was typed is still there for who stays; asked again, this operator leaves."""
    await operator.typist.press(key, times=times)
    await operator.until_shown("What was typed here is not saved.")
    assert operator.app.return_code is None
    await operator.typist.press(stays)
    await operator.until(lambda: isinstance(operator.app.screen, SetupScreen), "the settings again")
    assert "install.yml" in operator.text
    await operator.typist.press(key)
    await operator.until(lambda: isinstance(operator.app.screen, ChoiceDialog), "the question")
    await operator.choose("leave")


async def test_typed_words_are_lost_only_after_a_question(place: Path) -> None:
    async with at_settings() as operator:
        await fill(operator, config="install.yml", backup_dir="here")
        await asked_whether_to_leave(operator, "escape", stays="enter")
        await operator.until(lambda: isinstance(operator.app.screen, WelcomeScreen), "the welcome screen")
        assert not (place / "recovery.yml").exists()


async def test_saved_words_are_left_without_a_question(place: Path) -> None:
    async with at_settings() as operator:
        await fill(operator, config="install.yml", backup_dir="here")
        await operator.typist.press("f2")
        await operator.until_told("saved: recovery.yml")
        await operator.typist.press("escape")
        await operator.until(lambda: isinstance(operator.app.screen, WelcomeScreen), "the welcome screen")


async def test_settings_in_use_are_there_when_one_comes_back(place: Path) -> None:
    async with at_settings() as operator:
        await fill(operator, config="install.yml", backup_dir="here", **{"cql-password": "${HOME}"})
        await operator.typist.press("f8")
        await operator.until(lambda: isinstance(operator.app.screen, WelcomeScreen), "the welcome screen")
        app = operator.app
        assert app.workplace.settings().cql.password != "${HOME}"  # type: ignore[attr-defined]
        app.ask_settings()
        await operator.until_shown(READY)
        assert "here" in operator.text


@pytest.mark.parametrize("typed", ["~nobody1/x", "x" * 300, "x\0y"])
async def test_whatever_stands_in_the_line_a_file_can_be_picked(place: Path, typed: str) -> None:
    async with at_settings() as operator:
        operator.app.screen.query_one("#value-config", Input).value = typed
        await operator.typist.press("f4")
        await operator.until_shown("Space picks, Enter opens")
        await operator.until_shown("install.yml")


async def test_a_path_in_the_home_of_nobody_is_told_at_its_line(place: Path) -> None:
    async with at_settings() as operator:
        await fill(operator, config="install.yml", backup_dir="~nobody1/x")
        await operator.until_shown("~ names no user of this machine")
        assert sign(operator, "Backup directory") == UNICODE.failed
        await operator.typist.press("f8")
        await operator.until_told("Not used: look at Backup directory.")


async def test_what_fails_unforeseen_while_it_is_looked_at_is_told(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(draft: SettingsDraft, typed: object) -> dict[str, str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(SettingsDraft, "problems", fails)
    async with at_settings() as operator:
        await operator.until_shown("this cannot be looked at: PermissionError: [Errno 13] Permission denied")
        await operator.typist.press("f2")
        await operator.until_told("Not saved: something is wrong with these settings.")


async def test_read_only_writes_no_settings_and_no_picture(place: Path) -> None:
    before = "config: install.yml\nbackup_dir: old  # by hand\n"
    (place / "recovery.yml").write_text(before)
    async with at_settings(read_only=True) as operator:
        await fill(operator, backup_dir="other")
        await operator.until_shown(READY)
        assert "f2 Save" not in operator.text
        there = sorted(place.iterdir())
        await operator.typist.press("f2")
        await operator.typist.press("f12")
        await operator.typist.press("escape")
        await operator.until_shown("What was typed here is not saved. F8 goes on with it")
        assert "saved:" not in operator.told
        assert sorted(place.iterdir()) == there
        assert (place / "recovery.yml").read_text() == before


async def test_to_quit_loses_nothing_that_was_typed_unasked(place: Path) -> None:
    async with at_settings() as operator:
        await fill(operator, config="install.yml", backup_dir="here")
        await asked_whether_to_leave(operator, "ctrl+q", times=2, stays="escape")
        await operator.until(lambda: operator.app.return_code == 0, "the end")


async def test_to_quit_without_anything_typed_asks_nothing(place: Path) -> None:
    async with at_settings() as operator:
        await operator.typist.press("ctrl+q")
        await operator.until(lambda: operator.app.return_code == 0, "the end")
