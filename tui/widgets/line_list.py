"""Raw lines with their arrival times; a line is cut at the right, never wrapped."""

from typing import ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from textual.strip import Strip

from tui.figures import age
from tui.source_lines import SourceLine, SourceLines
from tui.widgets.cursor_list import CursorList

READ_AT_MOST = 1_000
"""Characters of a line that are looked at when it is drawn: more than any terminal is wide."""
SIGNS = {"out": " ", "err": "E", "command": "$"}


class LineList(CursorList):
    """The lines of one source that hold a text. While the cursor is on the last line it follows what comes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line-list--{name}" for name in ("cursor", "out", "err", "command")}
    DEFAULT_CSS = """
    LineList > .line-list--cursor { background: $primary; color: $background; text-style: bold; }
    LineList > .line-list--err { color: $text-warning; text-style: bold; }
    LineList > .line-list--command { color: $text-primary; text-style: bold; }
    """

    def __init__(self, lines: SourceLines, source: str) -> None:
        super().__init__()
        self._lines = lines
        self._source = source
        self._shown: list[tuple[int, SourceLine]] = []
        self._read = 0
        self._holding = ""

    @property
    def chosen(self) -> SourceLine | None:
        return self._shown[self.cursor][1] if self.cursor < len(self._shown) else None

    @property
    def row_count(self) -> int:
        return len(self._shown)

    def search(self, text: str) -> None:
        """Only lines that hold this text, in either case; "" is all of them."""
        self._holding, self._read, self._shown = text.lower(), 0, []
        self.read()
        self.action_last()

    def read(self) -> None:
        """Take in what has come since, and let go of what is not kept any more."""
        was_last, cursor = self.cursor >= len(self._shown) - 1, self.cursor
        gone = self._lines.dropped(self._source)
        if self._shown and self._shown[0][0] < gone:
            before = len(self._shown)
            self._shown = [each for each in self._shown if each[0] >= gone]
            cursor -= before - len(self._shown)
        fresh = self._lines.since(self._source, self._read)
        if fresh:
            self._read = fresh[-1][0] + 1
            self._shown += [each for each in fresh if self._holding in each[1].text.lower()]
        self.rows_changed(len(self._shown) - 1 if was_last else cursor)

    def draw_row(self, at: int, width: int) -> Strip:
        line = self._shown[at][1]
        kind = line.stream if line.stream in SIGNS else "out"
        words = f"{age(line.at):>7}.{int(line.at * 10) % 10} {SIGNS[kind]} {line.text[:READ_AT_MOST]}"
        style = self.get_component_rich_style(f"line-list--{'cursor' if at == self.cursor else kind}")
        return Strip([Segment(set_cell_size(words, width), style)], width)
