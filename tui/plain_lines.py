"""The last thing before the terminal: whatever a screen was given to show, no line holds what a terminal would obey."""

from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from atlasdb_recovery.foreign import is_plain

REMEMBERED = 8_192
"""Pieces of lines; most are drawn again and again."""


class PlainLines(LineFilter):
    """Leaves out control, bidi, zero-width and joining characters and links; every piece stays as wide as it was."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [_drawn(segment) for segment in segments]


def _drawn(segment: Segment) -> Segment:
    text, style = segment.text, segment.style
    if style is not None and style.link:
        style = style.update_link(None)
    elif text.isascii() and text.isprintable():
        return segment
    return Segment(_shown(text), style, segment.control)


@lru_cache(REMEMBERED)
def _shown(text: str) -> str:
    kept = "".join(character for character in text if is_plain(character))
    return kept if kept == text else set_cell_size(kept, cell_len(text))
