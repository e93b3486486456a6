"""Fast-forward: no timestamp up to F is ever handed out again."""

from collections.abc import Iterable

from textual.containers import VerticalScroll
from textual.widget import Widget

from tui.crowded_screen import CrowdedScreen
from tui.ladder import ladder_text, writes_text
from tui.widgets.server_list import ServerList
from tui.widgets.steady_text import SteadyText


class FastForwardScreen(CrowdedScreen):
    HELP = """After a restore the clock has gone back: a restored bound, or a new TimeLock, lies below timestamps that
    are already in the tables. Until it is read back that every fresh timestamp is above F the service must not be
    started. The numbers stand in their order, the lowest on top; below them is exactly what is written or asked for."""
    DEFAULT_CSS = "FastForwardScreen #ladder, FastForwardScreen #writes { height: auto; }"

    def compose_findings(self) -> Iterable[Widget]:
        with VerticalScroll(classes="findings"):
            yield SteadyText(id="ladder", grows=True)
            yield SteadyText(id="writes", grows=True)
        yield ServerList(self.look)

    def redraw_findings(self) -> None:
        is_brief = self.has_class("-short") and self.step.failure is not None
        self.query_one(ServerList).redraw(self.view, is_brief=is_brief)
        if self.facts:
            state = self.view.state
            self.query_one("#ladder", SteadyText).show(ladder_text(self.facts, state, self.look))
            self.query_one("#writes", SteadyText).show(writes_text(self.facts, state, self.look))
