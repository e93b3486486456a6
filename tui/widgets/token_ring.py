"""The token ring as a picture: a closed track of cells, clockwise from the smallest token, words in the middle."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip
from textual.widget import Widget

from tui.ring_map import RangeState, RingCell, RingMap

LETTERS = {
    RangeState.DONE: "D",
    RangeState.RUNNING: "R",
    RangeState.WAITING: "W",
    RangeState.UNPROVEN: "U",
    RangeState.FAILED: "F",
}
LEGEND = "D done  1-9 tenths done  R at work  W waits  U unproven  F failed"
NAMES = {state: f"token-ring--{state.name.lower()}" for state in RangeState}


class TokenRing(Widget):
    """A cell bears a letter and a colour: the worst of its ranges if one failed or is unproven; D only if all are done;
    otherwise how many tenths are done, or whether any is at work."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(NAMES.values())
    DEFAULT_CSS = """
    TokenRing { height: 6; width: 1fr; }
    TokenRing > .token-ring--failed { background: $error; color: $background; text-style: bold; }
    TokenRing > .token-ring--unproven { background: $warning; color: $background; text-style: bold; }
    TokenRing > .token-ring--waiting { background: $panel; color: $text-muted; }
    TokenRing > .token-ring--running { background: $primary-muted; color: $foreground; text-style: bold; }
    TokenRing > .token-ring--done { background: $success-muted; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._ring = RingMap()
        self._cells: list[RingCell] = []
        self._words: Sequence[Text] = ()

    @property
    def many(self) -> int:
        """How many cells the track has."""
        width, height = self.size
        return 2 * width + 2 * (height - 2) if width > 1 and height > 1 else 0

    def show(self, ring: RingMap, words: Sequence[Text]) -> None:
        """`words` stand inside, as many lines as there is room for."""
        self._ring, self._words = ring, words
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        self._cells = self._ring.cells(self.many)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        if len(self._cells) != self.many:
            return Strip.blank(width, self.rich_style)
        if y == 0:
            return self._track(self._cells[:width])
        if y == height - 1:
            begins = width + height - 2
            return self._track(self._cells[begins : begins + width][::-1])
        left, right = self._cells[-y], self._cells[width + y - 1]
        return Strip.join([self._track([left]), self._inside(y - 1, width - 2), self._track([right])])

    def _track(self, cells: Sequence[RingCell]) -> Strip:
        return Strip([Segment(letter(cell), self._style(cell)) for cell in cells]).simplify()

    def _style(self, cell: RingCell) -> Style:
        return self.get_component_rich_style(NAMES[shown_as(cell)])

    def _inside(self, at: int, width: int) -> Strip:
        words = self._words[at].copy() if at < len(self._words) else Text()
        words.truncate(max(width - 2, 0), overflow="crop")
        segments = [segment for segment in words.render(self.app.console) if segment.text]
        line = Strip([Segment(" "), *segments]).adjust_cell_length(width)
        return line.apply_style(self.rich_style)


def shown_as(cell: RingCell) -> RangeState:
    """The state whose colour the cell bears."""
    if cell.worst is not RangeState.WAITING:
        return cell.worst
    return RangeState.RUNNING if cell.tenths or cell.is_at_work else RangeState.WAITING


def letter(cell: RingCell) -> str:
    state = shown_as(cell)
    return str(cell.tenths) if state is RangeState.RUNNING and cell.tenths else LETTERS[state]
