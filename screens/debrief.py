"""After practice: what happened, what the operator did, where the time went, what was missed, and the rule."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.keymap import bindings


class DebriefScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("debriefing"), *bindings("everywhere")]
    HELP = (
        "What was built in, when it showed, what happened and what you did, where the time went, what was missed, and "
        "the rule behind it; the oracle, which knows the truth at B, has the last word. Arrows scroll. Then practise "
        "the scenario again, or another one: this practice and its cluster end here."
    )
    CSS = """
    DebriefScreen VerticalScroll { height: 1fr; padding: 1 2; }
    DebriefScreen Static { height: auto; }
    """

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=True):
            yield Static(self._shown(), markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def _shown(self) -> Text:
        """Headings are the lines that are not indented."""
        text = Text()
        for line in self._lines:
            text.append(f"{line}\n", style="" if line.startswith(" ") else "bold")
        return text

    def action_close(self) -> None:
        self.app.pop_screen()
