"""What `recovery.yml` does not say yet: typed here, checked as it is typed, saved if wanted."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.events import DescendantFocus
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Input, Select, Static

from atlasdb_recovery.foreign import plain
from screens.dialogs.choice import ChoiceDialog
from screens.dialogs.file_picker import FilePickerDialog
from screens.dialogs.words import WordsDialog
from tui.keymap import bindings
from tui.look import Look
from tui.workplace import Draft, DraftField

CHECKED_AFTER = 0.3
"""Seconds without a key until what was typed is checked."""


class SetupScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("settings"), *bindings("everywhere")]
    HELP = (
        "Each line is a key of recovery.yml. What is wrong with it is said below as you type. F4 picks a file or a "
        "directory, F3 calls nodetool once, harmlessly, F2 saves recovery.yml (not with --read-only), F8 goes on with "
        "these settings."
    )
    CSS = """
    SetupScreen .setting { height: 1; }
    SetupScreen .setting > Static { width: 20; }
    SetupScreen Input, SetupScreen Select { width: 1fr; }
    SetupScreen #title { height: auto; min-height: 2; max-height: 4; padding: 0 1; }
    SetupScreen VerticalScroll { height: 1fr; padding: 0 1; }
    SetupScreen #said { height: auto; min-height: 3; max-height: 7; padding: 0 1; background: $panel; }
    """

    class Decided(Message):
        """These settings are to be used; for this procedure, or "" if only the settings were wanted."""

        def __init__(self, typed: dict[str, str], then: str) -> None:
            super().__init__()
            self.typed = typed
            self.then = then

    def __init__(
        self,
        fields: Sequence[DraftField],
        draft: Draft,
        look: Look,
        *,
        then: str = "",
        why: str = "",
        read_only: bool = False,
    ) -> None:
        """With `read_only` nothing is saved: what is typed can be used for as long as the program runs."""
        super().__init__()
        self._read_only = read_only
        self._fields = fields
        self._draft = draft
        self._look = look
        self._then = then
        self._why = why
        self._problems: dict[str, str] = {}
        self._checked: dict[str, str] | None = None
        """What stood in the lines when they were checked."""
        self._saved: dict[str, str] = {}
        self._question: ChoiceDialog | None = None

    def compose(self) -> ComposeResult:
        yield Static(self._title(), id="title", markup=False)
        values = self._draft.values()
        with VerticalScroll():
            for field in self._fields:
                with Horizontal(classes="setting"):
                    yield Static(field.label, id=_id("label", field), markup=False)
                    yield self._entry(field, values.get(field.key, ""))
        yield Static(id="said", markup=False)
        yield Footer()

    def _title(self) -> Text:
        """With the reason why settings are asked for, until something has been typed."""
        title = f"Settings{' for this ' + self._then if self._then else ''}: {self._draft.path}"
        return Text.assemble((title, "bold"), "\n", self._why)

    def _entry(self, field: DraftField, value: str) -> Input | Select[str]:
        if "|" in field.kind:
            choices = field.kind.split("|")
            return Select(
                [(choice, choice) for choice in choices],
                value=value if value in choices else choices[0],
                allow_blank=False,
                compact=True,
                id=_id("value", field),
            )
        return Input(value, compact=True, select_on_focus=False, id=_id("value", field))

    def on_mount(self) -> None:
        self._saved = self.typed
        if self._fields:
            self.query_one(f"#{_id('value', self._fields[0])}").focus()
        self.check()

    @property
    def typed(self) -> dict[str, str]:
        """What stands in every line now."""
        entries = {field.key: self.query_one(f"#{_id('value', field)}") for field in self._fields}
        return {key: str(entry.value) for key, entry in entries.items() if isinstance(entry, Input | Select)}

    def on_input_changed(self, event: Input.Changed) -> None:
        self._changed()

    def on_select_changed(self, event: Select.Changed) -> None:
        self._changed()

    def _changed(self) -> None:
        if self._why and self.typed != self._saved:
            self._why = ""
            self.query_one("#title", Static).update(self._title())
        self.redraw()
        self.check()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        self.redraw()

    @work(group="check", exclusive=True, exit_on_error=False)
    async def check(self) -> None:
        """A little after the last key; an older check that is still under way is dropped."""
        await asyncio.sleep(CHECKED_AFTER)
        await self._checked_now()

    async def _checked_now(self) -> dict[str, str] | None:
        """What is typed, once it has been found that it can be used; None if it cannot."""
        typed: dict[str, str] = {}
        while typed != self.typed:
            typed = self.typed
            self._problems = await asyncio.to_thread(self._problems_of, typed)
        self._checked = typed
        self.redraw()
        return None if self._problems else typed

    def _problems_of(self, typed: Mapping[str, str]) -> dict[str, str]:
        """Whatever goes wrong while it is looked at is a problem too: nothing else would tell of it."""
        try:
            return self._draft.problems(typed)
        except Exception as error:
            return {"": f"this cannot be looked at: {type(error).__name__}: {plain(str(error))}"}

    def redraw(self) -> None:
        typed = self.typed
        for field in self._fields:
            label = self.query_one(f"#{_id('label', field)}", Static)
            is_wrong = field.key in self._problems
            label.update(Text(f"{self._sign(field.key, typed)} {field.label}", style="bold" if is_wrong else ""))
        self.query_one("#said", Static).update(self._said(is_checked=typed == self._checked))

    def _sign(self, key: str, typed: Mapping[str, str]) -> str:
        """Right is only what has been found right as it stands there now."""
        glyphs = self._look.glyphs
        if self._checked is None or typed[key] != self._checked[key]:
            return glyphs.pending
        if key in self._problems:
            return glyphs.failed
        return glyphs.done if typed[key] and not self._problems.get("") else glyphs.pending

    def _said(self, *, is_checked: bool) -> Text:
        glyphs, focused = self._look.glyphs, self._focused_field
        said = Text()
        if focused is not None:
            said.append(f"{focused.key}: {focused.help}\n", style="dim")
            if problem := self._problems.get(focused.key):
                said.append(f"{glyphs.failed} {problem}\n", style="bold")
        wrong = [field for field in self._fields if field.key in self._problems]
        elsewhere = [field.label for field in wrong if field is not focused]
        if self._problems.get(""):
            said.append(f"{glyphs.failed} {self._problems['']}\n", style="bold")
        if elsewhere:
            said.append(f"{glyphs.failed} look at {', '.join(elsewhere)}\n")
        if not is_checked:
            said.append(f"{glyphs.running} looking at what is typed\n")
        elif not self._problems:
            said.append(f"{glyphs.done} these settings can be used: F8\n", style="bold")
        return said

    @property
    def _focused_field(self) -> DraftField | None:
        at = self.focused.id if self.focused is not None else None
        return next((field for field in self._fields if _id("value", field) == at), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action == "save" and self._read_only)

    def action_pick(self) -> None:
        """Where a path is wanted."""
        field = self._focused_field
        if field is None or field.kind not in {"file", "directory"}:
            self.notify("Put the cursor on a line that wants a file or a directory.", markup=False)
            return

        def picked(path: str | None) -> None:
            if path:
                self.query_one(f"#{_id('value', field)}", Input).value = path

        self.app.push_screen(FilePickerDialog(self.typed[field.key], wants_directory=field.kind == "directory"), picked)

    async def action_try_nodetool(self) -> None:
        self.notify("calling nodetool …", markup=False)
        self.run_worker(self._try(), group="try", exclusive=True, exit_on_error=False)

    async def _try(self) -> None:
        lines = await self._draft.try_nodetool(self.typed)
        self.app.push_screen(WordsDialog("nodetool", "\n".join(lines)))

    def action_save(self) -> None:
        self.run_worker(self._save(), group="decide", exclusive=True, exit_on_error=False)

    async def _save(self) -> None:
        typed = await self._checked_now()
        if typed is None:
            self._refuse("Not saved")
            return
        try:
            path = await asyncio.to_thread(self._draft.save, typed)
        except OSError as error:
            self.notify(f"Not saved: {error.strerror or error}", severity="error", markup=False)
            return
        self._saved = typed
        self.notify(f"saved: {path}", markup=False)

    def action_done(self) -> None:
        self.run_worker(self._decide(), group="decide", exclusive=True, exit_on_error=False)

    async def _decide(self) -> None:
        typed = await self._checked_now()
        if typed is None:
            self._refuse("Not used")
        else:
            self.post_message(self.Decided(typed, self._then))

    def _refuse(self, what: str) -> None:
        labels = ", ".join(field.label for field in self._fields if field.key in self._problems)
        why = f"look at {labels}" if labels else "something is wrong with these settings"
        self.notify(f"{what}: {why}.", severity="warning", markup=False)

    def action_close(self) -> None:
        self.ask_to_leave(self.app.pop_screen)

    def ask_to_leave(self, leave: Callable[[], object]) -> None:
        """Asks where something typed would be lost, and only then leaves."""
        if self.typed == self._saved:
            leave()
            return
        if self._question in self.app.screen_stack:
            return

        def chosen(answer: str | None) -> None:
            if answer == "leave":
                leave()

        save = "" if self._read_only else "F2 saves it, "
        text = f"What was typed here is not saved. {save}F8 goes on with it without saving."
        answers = (("stay", "Go on typing"), ("leave", "Leave, and forget what was typed"))
        self._question = ChoiceDialog("Leave the settings?", text, answers)
        self.app.push_screen(self._question, chosen)


def _id(part: str, field: DraftField) -> str:
    return f"{part}-{field.key.replace('.', '-')}"
