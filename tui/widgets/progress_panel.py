"""How far a step is: every count it has given, with rate and time left, and for how long nothing has been said."""

import time

from rich.text import Text

from atlasdb_recovery.pace import Pace
from tui.look import Look
from tui.session_view import StepView
from tui.widgets.banner import elapsed
from tui.widgets.steady_text import SteadyText

ROWS = 8
BAR = 20


class ProgressPanel(SteadyText):
    """Hidden until the step has begun."""

    DEFAULT_CSS = """
    ProgressPanel { height: auto; margin: 0 0 1 0; display: none; }
    ProgressPanel.-shown { display: block; }
    """

    def __init__(self, look: Look) -> None:
        super().__init__(grows=True)
        self._look = look

    def redraw(self, step: StepView) -> None:
        self.set_class(step.began is not None, "-shown")
        if step.began is None:
            return
        is_over = step.ended is not None
        shown = Text(f"{step.lasted} {elapsed(step.seconds or 0.0)}", style="bold")
        if is_over and step.failure is None and not step.is_interrupted:
            self.show(shown)  # what was proven is said elsewhere; counts need not have come to their last
            return
        latest = max((pace.noted_at for pace in step.paces.values()), default=None)
        if not is_over and latest is not None and time.monotonic() - latest > 5:
            shown.append(f"   nothing heard for {elapsed(time.monotonic() - latest)}")
        paces = sorted(step.paces.items(), key=lambda item: item[1].noted_at, reverse=True)[:ROWS]
        for (_, scope), pace in sorted(paces, key=lambda item: item[0]):
            shown.append("\n").append_text(self._row(scope, pace, step.far(pace)))
        if len(step.paces) > ROWS:
            shown.append(f"\n  and {len(step.paces) - ROWS} more", style="dim")
        self.show(shown)

    def _row(self, scope: str, pace: Pace, far: str) -> Text:
        glyphs = self._look.glyphs
        full = round(BAR * pace.fraction) if pace.fraction is not None else 0
        bar = glyphs.full * full + glyphs.empty * (BAR - full) if pace.fraction is not None else ""
        return Text.assemble("  ", (bar, "bold"), " " if bar else "", f"{scope} " if scope else "", far)
