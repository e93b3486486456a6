"""Text to read: help, the details of a row, an error with what to do about it."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.keymap import bindings


class WordsDialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("words"))

    def __init__(self, title: str, text: str | Text) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog dialog-tall"):
            yield Static(self._title, classes="dialog-title", markup=False)
            with VerticalScroll():
                yield Static(self._text, markup=False)
            yield Static("Esc closes, arrows scroll", classes="dialog-hint", markup=False)

    def action_close(self) -> None:
        self.dismiss()
