"""The raw lines of one node, as they came, searchable; it goes on following while they come."""

from typing import ClassVar

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.figures import age
from tui.keymap import bindings
from tui.look import Look
from tui.session_view import SessionView
from tui.widgets.line_list import LineList

READ_EVERY = 0.25


class RawLinesDialog(ModalScreen[None]):
    """Below the list stands the line under the cursor, whole."""

    HELP = """What this node printed, line by line as it came, each with the time it came at. At the end it follows what
    still comes. The line under the cursor stands whole below the list."""
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("lines", "dialogs"))
    CSS = """
    RawLinesDialog .dialog { width: 100%; max-width: 100%; height: 100%; max-height: 100%; padding: 0 1; }
    RawLinesDialog .dialog-title { margin: 0; }
    RawLinesDialog Input { height: 1; border: none; padding: 0; display: none; }
    RawLinesDialog #raw-whole { height: 5; background: $panel; }
    """

    lines = getters.query_one(LineList)
    entry = getters.query_one(Input)

    def __init__(self, view: SessionView, source: str, look: Look) -> None:
        super().__init__()
        self._view = view
        self._source = source
        self._look = look

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(id="raw-title", classes="dialog-title", markup=False)
            yield Input(placeholder="text to look for; Enter keeps it, Esc shows every line", compact=True)
            yield LineList(self._view.lines, self._source)
            with VerticalScroll(id="raw-whole"):
                yield Static(id="raw-line", markup=False)
            yield Static(
                "/ searches, y copies the line, End follows, F1 helps, Esc closes", classes="dialog-hint", markup=False
            )

    def on_mount(self) -> None:
        self.lines.focus()
        self.lines.read()
        self.call_after_refresh(self.lines.action_last)
        self._redraw_title()
        self.set_interval(READ_EVERY, self.read)
        self.watch(self.lines, "cursor", self._redraw_line, init=False)

    def read(self) -> None:
        """Take in what has come; called a few times a second."""
        self.lines.read()
        self._redraw_title()
        self._redraw_line()

    def _redraw_title(self) -> None:
        came, gone = self._view.lines.count(self._source), self._view.lines.dropped(self._source)
        title = Text(f"{self._source}: ", style="bold")
        title.append(f"{self.lines.row_count:,} of {came:,} lines" if self.entry.value else f"{came:,} lines")
        if gone:
            title.append(f"; the first {gone:,} are in the journal only")
        self.query_one("#raw-title", Static).update(title, layout=False)

    def _redraw_line(self) -> None:
        line = self.lines.chosen
        words = "" if line is None else f"{age(line.at)} after its command began, {line.stream}: {line.text}"
        shown = self.query_one("#raw-line", Static)
        if shown.content != words:
            shown.update(Text(words) if words else "")

    def action_search(self) -> None:
        self.entry.display = True
        self.entry.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self.lines.search(event.value)
        self._redraw_title()

    def on_input_submitted(self) -> None:
        self.entry.display = bool(self.entry.value)
        self.lines.focus()

    def action_copy(self) -> None:
        if (line := self.lines.chosen) is not None:
            self.app.copy_to_clipboard(line.text)
            self.notify("line copied", markup=False)

    def action_close(self) -> None:
        """Out of the search first."""
        if self.entry.display:
            self.entry.value = ""
            self.entry.display = False
            self.lines.focus()
        else:
            self.dismiss()
