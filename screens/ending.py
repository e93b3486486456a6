"""The last step's screen: each claim with its evidence, what is next, and where the report lies."""

from collections.abc import Iterable

from textual.containers import VerticalScroll
from textual.widget import Widget

from tui.crowded_screen import CrowdedScreen
from tui.ending_words import ending_text
from tui.widgets.steady_text import SteadyText


class EndingScreen(CrowdedScreen):
    """Scrolls by itself; the verdict stands first."""

    def on_mount(self) -> None:
        self.call_after_refresh(self.query_one(".findings").focus)

    @property
    def shows_proof(self) -> bool:
        """It stands with its claim; of the outcome only a failure is left to say."""
        return False

    def compose_findings(self) -> Iterable[Widget]:
        with VerticalScroll(classes="findings"):
            yield SteadyText(id="ending", grows=True)

    def redraw_findings(self) -> None:
        """There is something to tell before there is a plan."""
        self.add_class("-planned")
        self.query_one("#ending", SteadyText).show(ending_text(self.view, self.look))
