"""What is next, and why it can or cannot be done now. A dimmed Next never stays unexplained."""

from rich.text import Text
from textual.widgets import Static

from tui.look import Look


class NextLine(Static):
    DEFAULT_CSS = """
    NextLine { height: auto; max-height: 3; padding: 0 1; background: $panel; }
    NextLine.-open { background: $primary-muted; }
    """

    def __init__(self, look: Look) -> None:
        super().__init__(markup=False)
        self._look = look

    def redraw(self, said: str, *, is_open: bool) -> None:
        """`said` is a sentence; `is_open`: the Next key would act now."""
        self.set_class(is_open, "-open")
        sign = self._look.glyphs.arrow if is_open else self._look.glyphs.pending
        self.update(Text(f"{sign} {said}", style="bold" if is_open else ""))
