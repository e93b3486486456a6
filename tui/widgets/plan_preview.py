"""What a step will run, as it could be run by hand: commands, CQL, rows."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from atlasdb_recovery.events import PlanMade


class PlanPreview(VerticalScroll):
    """Scrolls by itself; `text` is what is copied."""

    DEFAULT_CSS = """
    PlanPreview { height: auto; max-height: 9; background: $panel; padding: 0 1; margin: 0 0 1 0; }
    PlanPreview > Static { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines = Static(markup=False)
        self._shown: PlanMade | None = None
        self.text = ""

    def compose(self) -> ComposeResult:
        yield self._lines

    def redraw(self, plan: PlanMade | None) -> None:
        if plan is self._shown and plan is not None:
            return
        self._shown = plan
        if plan is None:
            self._lines.update(Text("the plan is made once the guards hold", style="dim"))
            return
        self.text = "\n".join(plan.lines)
        shown = Text.assemble((f"will: {plan.title}", "bold"), (f"   plan {plan.fingerprint}", "dim"))
        for line in plan.lines:
            shown.append(f"\n  {line}")
        self._lines.update(shown)
