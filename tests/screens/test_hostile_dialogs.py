"""Whatever journals, settings and directories hold, dialogs and the screens beside the steps' stay as drawn."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from textual.screen import ModalScreen, Screen

from atlasdb_recovery.foreign import plain
from atlasdb_recovery.journal.sessions import SessionSummary
from atlasdb_recovery.procedure.step import Question
from screens.briefing import BriefingScreen
from screens.debrief import DebriefScreen
from screens.dialogs.choice import ChoiceDialog
from screens.dialogs.confirm_phrase import ConfirmPhraseDialog
from screens.dialogs.file_picker import FilePickerDialog
from screens.dialogs.typed_reason import TypedReasonDialog
from screens.dialogs.words import WordsDialog
from screens.history import HistoryScreen
from screens.setup import SetupScreen
from screens.welcome import WelcomeScreen
from tests.screens.hostile import assert_intact, hostile_texts, until_drawn
from tests.screens.removal_feed import UNICODE
from tests.screens.test_hostile_screens import CASES, EACH, SIZE, application
from tui.workplace import DraftField

RAW = hostile_texts(CASES, EACH)
TEXTS = [[plain(text) for text in texts] for texts in RAW]


def question(texts: Sequence[str]) -> Question:
    return Question(
        name="clean", text=texts[0], detail=tuple(texts[1:4]), phrase=texts[4], fingerprint="5ab3c2d1e0f94877"
    )


DIALOGS: dict[str, Callable[[Sequence[str]], ModalScreen[object]]] = {
    "words": lambda t: WordsDialog(t[0], "\n".join(t[1:])),  # type: ignore[dict-item,return-value]
    "choice": lambda t: ChoiceDialog(t[0], t[1], [(str(n), t[n]) for n in range(2, 8)]),  # type: ignore[dict-item,return-value]
    "phrase": lambda t: ConfirmPhraseDialog(question(t), t[5:]),  # type: ignore[dict-item,return-value]
    "reason": lambda t: TypedReasonDialog(t[0], t[1], tuple(t[2:6]), t[6]),  # type: ignore[dict-item,return-value]
}


@pytest.mark.parametrize("kind", list(DIALOGS))
async def test_a_dialog_stays_as_it_is(kind: str) -> None:
    async with application().run_test(size=SIZE) as pilot:
        for texts in TEXTS:
            dialog = DIALOGS[kind](texts)
            await pilot.app.push_screen(dialog)
            await until_drawn(pilot)
            assert_intact(pilot.app)
            assert pilot.app.screen is dialog
            dialog.dismiss(None)
            await pilot.pause()


def summaries(texts: Sequence[str]) -> list[SessionSummary]:
    return [
        SessionSummary(
            id=f"{at}-{text}",
            procedure=text,
            keyspace=texts[1],
            mode=texts[2],
            operator=texts[3],
            started=texts[4],
            state=state,
            unproven=(texts[5], texts[6]),
            damage=texts[7] if state == "aborted" else "",
        )
        for at, (text, state) in enumerate(zip(texts, ("parked", "running", "aborted", "unfinished"), strict=False))
    ]


class HostileDraft:
    """Of `recovery.yml`; everything in it is foreign, and wrong."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.path = Path(texts[0].replace("\0", ""))

    def values(self) -> dict[str, str]:
        return {"config": self.texts[1], "backup_dir": self.texts[2]}

    def problems(self, typed: object) -> dict[str, str]:
        return {"config": self.texts[3], "": self.texts[4]}


def briefing(texts: Sequence[str]) -> BriefingScreen:
    screen = BriefingScreen(texts[0], UNICODE, read_only=True)
    screen.call_later(screen.say, texts[1])
    screen.call_later(screen.ready, texts[2:], texts[0])
    return screen


def setup(texts: Sequence[str]) -> SetupScreen:
    fields = [DraftField("config", texts[5], texts[6], "file"), DraftField("backup_dir", texts[7], "h", "directory")]
    return SetupScreen(fields, HostileDraft(texts), UNICODE, then="restore", why=texts[3])  # type: ignore[arg-type]


def welcome(texts: Sequence[str]) -> WelcomeScreen:
    screen = WelcomeScreen(read_only=True)
    screen.call_later(lambda: screen.show_sessions(summaries(texts)))
    return screen


SCREENS: dict[str, Callable[[Sequence[str]], Screen[None]]] = {
    "welcome": welcome,
    "history": lambda texts: HistoryScreen(summaries(texts), UNICODE, read_only=False),
    "briefing": briefing,
    "debrief": lambda texts: DebriefScreen([*texts, *(f"  {text}" for text in texts)]),
    "setup": setup,
}


@pytest.mark.parametrize("kind", list(SCREENS))
async def test_a_screen_beside_the_steps_stays_as_it_is(kind: str) -> None:
    async with application().run_test(size=SIZE, notifications=True) as pilot:
        for texts in TEXTS:
            screen = SCREENS[kind](texts)
            await pilot.app.push_screen(screen)
            pilot.app.notify(texts[0], markup=False, timeout=0.01)
            await until_drawn(pilot)
            assert "palette" in assert_intact(pilot.app)[-1]
            pilot.app.pop_screen()
            await pilot.pause()


async def test_names_of_files_leave_the_picker_as_it_is(tmp_path: Path) -> None:
    names = [text.encode("utf-8", "surrogatepass").replace(b"/", b"").replace(b"\0", b"") for t in RAW for text in t]
    for at, name in enumerate([b"\xff\xfe", *names]):
        with suppress(OSError):
            (tmp_path / os.fsdecode(b"%03d" % at + name[:200])).mkdir()
    there = len(list(tmp_path.iterdir()))
    assert there > 150
    async with application().run_test(size=SIZE) as pilot:
        picked: list[str | None] = []
        await pilot.app.push_screen(FilePickerDialog(str(tmp_path), wants_directory=True), picked.append)
        for _ in range(there // 10):
            await pilot.pause()
            assert_intact(pilot.app)
            await pilot.press("pagedown")
        await pilot.press("home", "down", "space")
        await pilot.pause()
        assert picked == [os.fsdecode(bytes(tmp_path) + b"/000\xff\xfe")]
