"""What is next, and why it can or cannot be done now. A dimmed Next never stays unexplained."""

from rich.text import Text

from tui.look import Look
from tui.widgets.steady_text import SteadyText


class NextLine(SteadyText):
    DEFAULT_CSS = """
    NextLine { height: auto; max-height: 3; padding: 0 1; background: $panel; }
    NextLine.-open { background: $primary-muted; }
    """

    def __init__(self, look: Look) -> None:
        super().__init__(grows=True)
        self._look = look

    def redraw(self, said: str, *, is_open: bool) -> None:
        """`said` is a sentence; `is_open`: the Next key would act now."""
        self.set_class(is_open, "-open")
        sign = self._look.glyphs.arrow if is_open else self._look.glyphs.pending
        self.show(Text(f"{sign} {said}", style="bold" if is_open else ""))
