"""A confirmation worth typing: the exact words of the plan, by hand, with no default."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from atlasdb_recovery.procedure.step import Question
from tui.widgets.phrase_input import PhraseInput


class ConfirmPhraseDialog(ModalScreen[str | None]):
    """Dismissed with the phrase as it was typed, or None. The engine compares it once more, with the plan."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss_unanswered", "Close", priority=True)]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        question = self._question
        with Vertical(classes="dialog dialog-danger"):
            yield Static(question.text, classes="dialog-title", markup=False)
            with VerticalScroll(can_focus=False):
                yield Static("\n".join(question.detail), classes="dialog-text", markup=False)
            yield Static(f"Type exactly:  {question.phrase}", classes="dialog-phrase", markup=False)
            yield PhraseInput(question.phrase)
            yield Static(
                f"Enter confirms plan {question.fingerprint}; Esc goes back, nothing is done. Pasting is refused.",
                classes="dialog-hint",
                markup=False,
            )

    def on_phrase_input_confirmed(self, event: PhraseInput.Confirmed) -> None:
        self.dismiss(event.phrase)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()

    def action_dismiss_unanswered(self) -> None:
        self.dismiss(None)
