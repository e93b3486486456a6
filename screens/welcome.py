"""The first screen: back up, restore, practise, resume, look back."""

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from tui.keymap import bindings
from tui.widgets.choice_list import ChoiceList

if TYPE_CHECKING:
    from atlasdb_recovery.journal.sessions import SessionSummary

WORDS = "AtlasDB on Cassandra: backup and restore, guarded and proven step by step."
READ_ONLY = "READ-ONLY: looks at everything, changes nothing; practice is exempt: its cluster is its own"
RESUMABLE_SHOWN = 5
ENTRIES = (
    ("restore", "Restore", "bring a keyspace back to one consistent point in time (offline)"),
    ("backup", "Back up", "B, the store, F, and a sealed manifest (the service may run)"),
    ("practise", "Practise", "a cluster that may be broken: backup, loss, restore, debriefing"),
    ("history", "History", "the sessions there were, and their reports"),
    ("setup", "Settings", "what recovery.yml says, checked as it is typed"),
)


class WelcomeScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("everywhere"))
    HELP = "Choose what to do. Unfinished sessions come first: a restore that is not complete must be finished."

    class Chosen(Message):
        """`entry` is a key of `ENTRIES`, or "resume" with a session."""

        def __init__(self, entry: str, session: str = "") -> None:
            super().__init__()
            self.entry = entry
            self.session = session

    choices = getters.query_one(ChoiceList)

    def __init__(self, *, read_only: bool) -> None:
        super().__init__()
        self._read_only = read_only

    def compose(self) -> ComposeResult:
        with Vertical(id="welcome"):
            yield Static(Text("atlasdb-recovery", style="bold"), id="welcome-title", markup=False)
            yield Static(WORDS + (f"\n{READ_ONLY}" if self._read_only else ""), markup=False)
            yield ChoiceList(*(Option(_entry(label, words), id=key) for key, label, words in ENTRIES), markup=False)
            yield Static("", id="welcome-note", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.choices.focus()

    def show_sessions(self, found: "list[SessionSummary]") -> None:
        """Unfinished ones go on top, the newest first, with what is unproven."""
        options = [
            Option(_entry("Resume", _unfinished(one)), id=f"resume {one.id}") for one in found if one.can_be_resumed
        ][:RESUMABLE_SHOWN]
        if options:
            chosen = self.choices.highlighted_option
            rest = [Option(_entry(label, words), id=key) for key, label, words in ENTRIES]
            self.choices.set_options([*options, None, *rest])
            if chosen is not None and chosen.id is not None:
                self.choices.highlighted = self.choices.get_option_index(chosen.id)
        running = [one for one in found if one.state == "running"]
        note = "; ".join(f"{one.id} is being run by {one.operator}" for one in running[:3])
        self.query_one("#welcome-note", Static).update(Text(note))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        entry, _, session = (event.option_id or "").partition(" ")
        self.post_message(self.Chosen(entry, session))


def _entry(label: str, words: str) -> Text:
    return Text.assemble((f"{label:10}", "bold"), (words, "dim"))


def _unfinished(one: "SessionSummary") -> str:
    unproven = ", ".join(one.unproven) or "nothing begun"
    return f"{one.procedure} of {one.keyspace}, {one.started[:16]}, {one.state}; unproven: {unproven}"
