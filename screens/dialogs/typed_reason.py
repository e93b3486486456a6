"""Asks for a reason in words, which goes into the journal and the report."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.keymap import bindings
from tui.widgets.reason_input import ReasonInput

SHORTEST = 3
LISTENS_SOON = "Read it first: what is typed counts in a moment. Esc goes back without an answer"
LISTENS = "Enter answers, Esc goes back without an answer, F1 helps"
DROPPED = "What came before this could be read was dropped."


def _are_words(text: str) -> bool:
    return len(text) >= SHORTEST


class TypedReasonDialog(ModalScreen[str | None]):
    """Dismissed with the words, or None. `otherwise` is told for words that it does not `accept`.

    It may open under a hand that is still typing: what comes in its first second is dropped.
    """

    HELP = """Your words go into the journal and the report, for whoever asks later why this was done. What was typed
    in the first second is dropped: it was meant for the screen before."""
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("phrase, reason", "dialogs"))
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]

    def __init__(
        self,
        title: str,
        question: str,
        detail: tuple[str, ...] = (),
        placeholder: str = "",
        *,
        accepts: Callable[[str], bool] = _are_words,
        otherwise: str = "A few words are needed.",
    ) -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._detail = detail
        self._placeholder = placeholder
        self._accepts = accepts
        self._otherwise = otherwise
        self._is_armed = self._has_dropped = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="dialog-title", markup=False)
            yield Static(self._question, classes="dialog-text", markup=False)
            if self._detail:
                with VerticalScroll(can_focus=False, classes="dialog-detail"):
                    yield Static("\n".join(self._detail), classes="dialog-text", markup=False)
            yield ReasonInput(self._placeholder or "in your own words; it stands in the report")
            yield Static(LISTENS_SOON, classes="dialog-hint", markup=False)

    def on_reason_input_armed(self) -> None:
        self._is_armed = True
        self._redraw_hint()

    def on_reason_input_dropped(self) -> None:
        self._has_dropped = True
        self._redraw_hint()

    def _redraw_hint(self) -> None:
        hint = LISTENS if self._is_armed else LISTENS_SOON
        self.query_one(".dialog-hint", Static).update(f"{DROPPED} {hint}" if self._has_dropped else hint)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        words = event.value.strip()
        if self._accepts(words):
            self.dismiss(words)
        else:
            self.notify(self._otherwise, markup=False)

    def action_scroll_detail(self, lines: int) -> None:
        if self._detail:
            self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False, immediate=True)

    def action_dismiss_unanswered(self) -> None:
        self.dismiss(None)
