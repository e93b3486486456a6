"""In an ASCII terminal every typographic sign and every line drawn becomes an ASCII one of the same width.

Letters stay as they are: a cluster's name is typed as it is shown.
"""

from collections.abc import Mapping

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

TYPED = str.maketrans("“”„‘’…—–·•±×→←↑↓⏎▶◀▲▼●○", '"""\'\'~--.*~x><^v>><^v*o')
DRAWN: Mapping[int, str] = {
    **dict.fromkeys(range(0x2500, 0x2580), "+"),
    **dict.fromkeys(map(ord, "─━┄┅┈┉╌╍═"), "-"),
    **dict.fromkeys(map(ord, "│┃┆┇┊┋╎╏║"), "|"),
    **dict.fromkeys(range(0x2580, 0x25A0), "#"),
    **dict.fromkeys(map(ord, "▁▂▃▄"), "_"),
    **dict.fromkeys(map(ord, "▀▔"), "-"),
    **dict.fromkeys(map(ord, "▉▊▋▌▍▎▏▐▕"), "|"),
    **{ord(folder): sign for folder, sign in (("📂", "- "), ("📁", "+ "), ("📄", "  "), ("🔎", "> "))},
}
SIGNS: Mapping[int, int | str] = {**TYPED, **DRAWN}


class AsciiSigns(LineFilter):
    """For `App.get_line_filters`: the last look at what is drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(segment.text.translate(SIGNS), segment.style)
            for segment in segments
        ]
