"""A list with a cursor, of which only the rows in sight are drawn: its cost is the screen's height."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip


class CursorList(ScrollView, can_focus=True):
    """Subclasses say how many rows there are, and draw one; `HEADER` lines above them do not scroll.

    Whoever shows what the cursor is on watches `cursor`, so that both change in one picture.
    """

    HEADER = 0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "first", "First", show=False),
        Binding("end", "last", "Last", show=False),
    ]
    DEFAULT_CSS = """
    CursorList { height: 1fr; background: $surface; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    cursor: reactive[int] = reactive(0)

    @property
    def row_count(self) -> int:
        raise NotImplementedError

    def draw_row(self, at: int, width: int) -> Strip:
        raise NotImplementedError

    def draw_header(self, width: int) -> Strip:
        return Strip.blank(width, self.rich_style)

    @property
    def width(self) -> int:
        """Cells of a row, beside the scrollbar."""
        return self.scrollable_content_region.width

    def rows_changed(self, cursor: int) -> None:
        """There are other rows now, and the cursor belongs there."""
        self.set_reactive(CursorList.cursor, self._within(cursor))
        height = self.row_count + self.HEADER
        if self.virtual_size.height != height:
            self.virtual_size = Size(self.width, height)
        self._keep_in_sight()
        self.refresh()

    def put_cursor(self, at: int) -> None:
        self.cursor = self._within(at)

    def _within(self, at: int) -> int:
        return max(min(at, self.row_count - 1), 0)

    @property
    def _rows_seen(self) -> int:
        return max(self.size.height - self.HEADER, 1)

    def _keep_in_sight(self) -> None:
        top = self.scroll_offset.y
        if not top <= self.cursor < top + self._rows_seen:
            target = self.cursor if self.cursor < top else self.cursor - self._rows_seen + 1
            self.scroll_to(y=target, animate=False, immediate=True)

    def watch_cursor(self) -> None:
        self._keep_in_sight()
        self.refresh()

    def on_resize(self) -> None:
        self._keep_in_sight()

    def render_line(self, y: int) -> Strip:
        width = self.width
        if y < self.HEADER:
            return self.draw_header(width)
        at = self.scroll_offset.y + y - self.HEADER
        return self.draw_row(at, width) if at < self.row_count else Strip.blank(width, self.rich_style)

    def action_move(self, by: int) -> None:
        self.put_cursor(self.cursor + by)

    def action_page(self, by: int) -> None:
        self.put_cursor(self.cursor + by * max(self._rows_seen - 1, 1))

    def action_first(self) -> None:
        self.put_cursor(0)

    def action_last(self) -> None:
        self.put_cursor(self.row_count - 1)

    def on_click(self, event: Click) -> None:
        if event.y >= self.HEADER:
            self.put_cursor(self.scroll_offset.y + event.y - self.HEADER)
