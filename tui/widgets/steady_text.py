"""Text that is written anew many times a second, and drawn anew only where it has changed."""

from rich.text import Text
from textual.widgets import Static


class SteadyText(Static):
    """Never markup. `grows`: its height is its text's, so that a new text lays the whole screen out anew."""

    def __init__(self, *, id: str | None = None, grows: bool = False) -> None:
        super().__init__(id=id, markup=False)
        self._shown = Text()
        self._grows = grows

    def show(self, text: Text) -> None:
        if text == self._shown and text.style == self._shown.style:
            return
        self._shown = text
        self.update(text, layout=self._grows)
