"""A step that talks to the timestamp service: its servers stand beside what every step shows."""

from collections.abc import Iterable

from textual.widget import Widget

from tui.step_screen import StepScreen
from tui.widgets.server_list import ServerList


class ServerScreen(StepScreen):
    """On a small screen they shrink to a line where the step has failed: what is to be done comes first."""

    talks_to_servers = True
    """Whether that is what the step is about."""

    def compose_body(self) -> Iterable[Widget]:
        yield ServerList(self.look)

    def redraw_body(self) -> None:
        is_brief = self.has_class("-short") and (self.step.failure is not None or not self.talks_to_servers)
        self.query_one(ServerList).redraw(self.view, is_brief=is_brief)
