"""A question with a few answers. The first, safest one has the focus."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.keymap import bindings
from tui.widgets.choice_list import ChoiceList


class ChoiceDialog(ModalScreen[str | None]):
    """Dismissed with the key of the answer, or None."""

    HELP = "A question with a few answers. The first one changes least; nothing is done until you choose with Enter."
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("choice", "dialogs"))

    def __init__(self, title: str, text: str, answers: Sequence[tuple[str, str]]) -> None:
        """`answers`: key and words of each."""
        super().__init__()
        self._title = title
        self._text = text
        self._answers = answers

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="dialog-title", markup=False)
            yield Static(self._text, classes="dialog-text", markup=False)
            yield ChoiceList(*(Option(words, id=key) for key, words in self._answers), markup=False)
            yield Static("Enter chooses, Esc goes back, F1 helps", classes="dialog-hint", markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_dismiss_unanswered(self) -> None:
        self.dismiss(None)
