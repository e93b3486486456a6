"""A confirmation worth typing: the exact words of the plan, by hand, with no default."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

from atlasdb_recovery.procedure.step import Question
from tui.keymap import bindings
from tui.widgets.phrase_input import RESIZED, PhraseInput


class ConfirmPhraseDialog(ModalScreen[str | None]):
    """Dismissed with the phrase as it was typed, or None. The engine compares it once more, with the plan."""

    HELP = """What follows can't be undone here, so it wants words made of this plan: how many, of which keyspace, on
    which cluster. Type them by hand and exactly, letter by letter. A paste, keys that come too fast for a hand, or a
    window that changes its size empty the line. If the plan changes, this question is void and is put anew."""
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("phrase, reason", "dialogs"))
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]

    picture = ""
    """The screen as it was confirmed, as SVG."""

    def __init__(self, question: Question, change: Sequence[str] = ()) -> None:
        """`change`: how the plan differs from the one before, in sentences."""
        super().__init__()
        self._question = question
        self._change = change
        self._seen: Size | None = None

    def compose(self) -> ComposeResult:
        question = self._question
        with Vertical(classes="dialog dialog-danger"):
            if self._change:
                yield Static("\n".join(self._change), classes="dialog-change", markup=False)
            yield Static(question.text, classes="dialog-title", markup=False)
            with VerticalScroll(can_focus=False, classes="dialog-detail"):
                yield Static("\n".join(question.detail), classes="dialog-text", markup=False)
            yield Static(Text.assemble("Type exactly:  ", (question.phrase, "reverse")), classes="dialog-phrase")
            yield PhraseInput(question.phrase)
            yield Static(id="refused", markup=False)
            yield Static(
                f"Enter confirms plan {question.fingerprint}. Esc goes back, nothing is done. Arrows scroll. "
                "Pasting is refused. F1 helps.",
                classes="dialog-hint",
                markup=False,
            )

    def on_resize(self, event: events.Resize) -> None:
        """What was read before may have moved; what was typed by then counts for nothing."""
        for typed in self.query(PhraseInput):  # it may not be there yet, or not any more
            if self._seen not in {None, event.size} and typed.value:
                typed.refuse(RESIZED)
        self._seen = event.size

    def on_phrase_input_refused(self, event: PhraseInput.Refused) -> None:
        self.query_one("#refused", Static).update(event.why)

    def on_phrase_input_confirmed(self, event: PhraseInput.Confirmed) -> None:
        self.picture = self.app.export_screenshot(title=self._question.text)
        self.dismiss(event.phrase)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()

    def action_scroll_detail(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False, immediate=True)

    def action_dismiss_unanswered(self) -> None:
        self.dismiss(None)
