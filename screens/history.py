"""The sessions there were: how each ended, what is unproven; each can be looked at, and unfinished ones resumed."""

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from screens.dialogs.typed_reason import TypedReasonDialog
from tui.keymap import bindings, changes
from tui.look import Look
from tui.widgets.choice_list import ChoiceList

if TYPE_CHECKING:
    from atlasdb_recovery.journal.sessions import SessionSummary

UNDOES_NOTHING = "What it did on the cluster is not undone."
NOT_KEPT = "Practice sessions are not kept: each ends with its cluster."


class HistoryScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("history"), *bindings("everywhere")]
    HELP = (
        "Enter looks at a session as its journal tells it, changing nothing; n resumes one that is unfinished; g gives "
        f"it up: it stays in this list and is not resumed any more. {NOT_KEPT}"
    )
    CSS = """
    HistoryScreen OptionList { height: 1fr; border: none; }
    HistoryScreen Static { padding: 0 1; }
    """

    class Chosen(Message):
        def __init__(self, session: str, *, resume: bool) -> None:
            super().__init__()
            self.session = session
            self.resume = resume

    class GivenUp(Message):
        def __init__(self, session: str, reason: str) -> None:
            super().__init__()
            self.session = session
            self.reason = reason

    choices = getters.query_one(ChoiceList)

    def __init__(self, found: "list[SessionSummary]", look: Look, *, read_only: bool) -> None:
        super().__init__()
        self._found = found
        self._look = look
        self._read_only = read_only

    def compose(self) -> ComposeResult:
        yield Static(Text("Sessions, the newest first", style="bold"), markup=False)
        yield ChoiceList(*(Option(self._row(one), id=one.id) for one in self._found), markup=False)
        if not self._found:
            yield Static(f"There has been no session yet. {NOT_KEPT}", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.choices.focus()

    def _row(self, one: "SessionSummary") -> Text:
        state = one.damage or one.state
        sign = self._look.glyphs.of(one.state if one.state in {"completed", "running"} else "warned")
        text = Text.assemble((f"{sign} {one.started[:19]}  {one.procedure} of {one.keyspace}", "bold"), f"  {one.mode}")
        text.append(f"\n    {state}")
        if one.unproven:
            text.append(f"; unproven: {', '.join(one.unproven)}", style="bold")
        text.append(f"\n    {one.id}  {one.operator}", style="dim")
        return text

    @property
    def chosen(self) -> "SessionSummary | None":
        at = self.choices.highlighted
        return None if at is None else self._found[at]

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.post_message(self.Chosen(event.option_id or "", resume=False))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not changes(action):
            return True
        if not self._found:
            return False
        chosen = self.chosen
        return True if chosen is not None and chosen.can_be_resumed and not self._read_only else None

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self.refresh_bindings()

    def action_resume(self) -> None:
        if self.chosen is not None:
            self.post_message(self.Chosen(self.chosen.id, resume=True))

    def action_give_up(self) -> None:
        chosen = self.chosen
        if chosen is None:
            return

        def given(reason: str | None) -> None:
            if reason is not None:
                self.post_message(self.GivenUp(chosen.id, reason))

        question = f"The {chosen.procedure} of {chosen.keyspace} will not be resumed any more. {UNDOES_NOTHING} Why?"
        self.app.push_screen(TypedReasonDialog(f"Give session {chosen.id} up?", question), given)

    def action_close(self) -> None:
        self.app.pop_screen()
