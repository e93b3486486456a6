"""The page at 3 a.m.: what the operator knows, while the practice world is being made."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.keymap import bindings
from tui.look import Look

SHOWN = 12
EXEMPT = "READ-ONLY does not hold in practice: what you do here changes its own cluster, and nothing else."


class BriefingScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("briefing"), *bindings("everywhere")]
    HELP = "Read it as you would in the night. n begins your work; w, there, opens the practice world."
    CSS = """
    BriefingScreen Static { padding: 0 2 1 2; height: auto; }
    BriefingScreen VerticalScroll { height: 1fr; padding: 1 0; }
    """

    class Begun(Message):
        """The operator takes the restore on."""

    class Closed(Message):
        """The operator does not."""

    def __init__(self, title: str, look: Look, *, read_only: bool) -> None:
        super().__init__()
        self._title = title
        self._look = look
        self._read_only = read_only
        self._said: list[str] = []
        self._is_ready = False

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=True):
            yield Static(Text(f"~~ PRACTICE ~~  {self._title}", style="bold"), markup=False)
            if self._read_only:
                yield Static(EXEMPT, markup=False)
            yield Static(id="briefing", markup=False)
            yield Static(id="making", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.say("making a practice world: a cluster, a service that writes, and what has happened to it")

    def say(self, line: str) -> None:
        """What happens while the world is made."""
        self._said.append(line)
        shown = "\n".join(f"{self._look.glyphs.pending} {each}" for each in self._said[-SHOWN:])
        self.query_one("#making", Static).update(Text(shown, style="dim"))

    def ready(self, briefing: Sequence[str], procedure: str) -> None:
        """The world is made: the page goes out."""
        self._is_ready = True
        self.query_one("#making", Static).display = False
        self.query_one("#briefing", Static).update(Text("\n\n".join((*briefing, f"n begins the {procedure}."))))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action == "begin" and not self._is_ready else True

    def action_begin(self) -> None:
        self.post_message(self.Begun())

    def action_close(self) -> None:
        self.post_message(self.Closed())
