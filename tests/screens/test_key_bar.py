"""What is told of keys: the bar below every step is whole at 80 columns, and the palette offers only what is ours."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.screen import ModalScreen
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.step import Question
from screens.dialogs.choice import ChoiceDialog
from screens.dialogs.confirm_phrase import ConfirmPhraseDialog
from screens.dialogs.file_picker import FilePickerDialog
from screens.dialogs.raw_lines import RawLinesDialog
from screens.dialogs.typed_reason import TypedReasonDialog
from tests.screens.conftest import StillClock, screen_lines, settled_picture
from tests.screens.gallery import keys
from tests.screens.repair_feed import RepairApp
from tests.screens.screen_operator import ScreenOperator
from tests.screens.test_application import at_session, stays
from tests.screens.test_practice_scenarios import SMALL, paged
from tests.screens.test_repair_pictures import in_the_middle
from tui.app import RecoveryApp
from tui.keymap import KEYMAP
from tui.look import Look
from tui.session_view import SessionView


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def assert_bar_whole(app: RecoveryApp | RepairApp) -> None:
    keys = list(app.screen.query_one(Footer).query(FooterKey))
    bar = screen_lines(app)[-1]
    words = [f"{key.key_display} {key.description} " for key in keys if not key.has_class("-command-palette")]
    assert len(words) >= 4
    assert [one for one in words if f" {one}" not in bar] == [], bar
    assert "palette" in bar


async def _every_step(operator: ScreenOperator) -> list[str]:
    app = operator.app
    assert app.bridge is not None
    steps = list(app.bridge.view.steps)
    for step in steps:
        app.show_step(step)
        await settled_picture(operator.pilot)
        assert_bar_whole(app)
    return steps


@pytest.mark.parametrize("scenario", ["everything-fine", "timelock-lock-lost-in-the-backup"])
async def test_the_bar_of_every_step_is_whole(scenario: str, tmp_path: Path) -> None:
    """In practice, which has one key more than life."""
    async with paged(scenario, tmp_path, SMALL) as operator:
        await operator.pilot.press("n")
        await operator.until_shown("w World")
        assert len(await _every_step(operator)) >= 4


async def test_the_bar_below_the_board_is_whole(still_clock: StillClock) -> None:
    feed = in_the_middle(still_clock)
    with feed.controls.offering(feed.nodes):
        async with RepairApp(feed.bridge, Look.chosen(environment={})).run_test(size=SMALL) as pilot:
            await settled_picture(pilot)
            assert_bar_whole(pilot.app)  # type: ignore[arg-type]
            assert " x Stop " in screen_lines(pilot.app)[-1]


async def test_the_palette_offers_the_keys_of_the_screen_and_a_theme(tmp_path: Path) -> None:
    async with paged("everything-fine", tmp_path, SMALL) as operator:
        await operator.pilot.press("n")
        await operator.until_shown("w World")
        titles = [command.title for command in operator.app.get_system_commands(operator.app.screen)]
    assert sorted(titles) == sorted(set(titles))
    assert set(titles) <= {"Theme", *(key.label for key in KEYMAP)}
    assert {"Theme", "Picture", "Log", "Help", "Quit"} <= set(titles)
    assert not {"Screenshot", "Maximize"} & set(titles)


def test_the_documentation_has_every_key() -> None:
    written = Path(__file__).parents[2] / "docs" / "keys.md"
    assert written.read_text(encoding="utf-8") == keys(), "make gallery writes it anew"


REMOVAL = Question(name="confirm", text="Remove?", phrase="remove 1 from shop", fingerprint="f1")
HELPED: dict[str, tuple[Callable[[RecoveryApp], ModalScreen[Any]], str]] = {
    "choice": (lambda app: ChoiceDialog("Title", "question", (("a", "A"), ("b", "B"))), "The first one changes least"),
    "reason": (lambda app: TypedReasonDialog("Title", "Why?"), "Your words go into the journal"),
    "lines": (
        lambda app: RawLinesDialog(SessionView(restore_steps(), mode="LIVE"), "127.0.0.1", app.look),
        "line by line",
    ),
    "picker": (lambda app: FilePickerDialog("", wants_directory=False), "where it is checked at once"),
    "phrase": (lambda app: ConfirmPhraseDialog(REMOVAL), "by hand and exactly"),
}


@pytest.mark.parametrize("dialog", HELPED)
async def test_every_dialog_has_help(dialog: str) -> None:
    """F1, because letters are typed into some; every key that it has is in it, and closing it leads back."""
    make, said = HELPED[dialog]
    async with at_session(stays) as operator:
        app = operator.app
        await app.push_screen(make(app))
        shown = app.screen
        await operator.pilot.press("f1")
        await operator.until(lambda: said in operator.dialog, said)
        for key in KEYMAP:
            if f"{key.where}.{key.action}" in {entry.binding.id for entry in shown.active_bindings.values()}:
                assert key.help in operator.dialog
        await operator.pilot.press("f1", "escape")
        await operator.until(lambda: app.screen is shown, "the dialog again")
