"""A step that talks to the timestamp service: its servers stand beside what every step shows."""

from collections.abc import Iterable

from textual.widget import Widget

from tui.step_screen import StepScreen
from tui.widgets.server_list import ServerList


class ServerScreen(StepScreen):
    def compose_body(self) -> Iterable[Widget]:
        yield ServerList(self.look)

    def redraw_body(self) -> None:
        self.query_one(ServerList).redraw(self.view)
