"""The guards in one line, for a screen that has no room for all of them while they hold."""

import time
from collections.abc import Mapping

from rich.text import Text

from atlasdb_recovery.procedure.session import REFUSING
from tui.figures import ago
from tui.look import Look
from tui.session_view import SeenGuard
from tui.widgets.steady_text import SteadyText


def all_hold(guards: Mapping[str, SeenGuard], overruled: Mapping[str, str]) -> bool:
    """Whether each has been looked at and none refuses that was not overruled."""
    return bool(guards) and not any(
        seen.check.status in REFUSING and name not in overruled for name, seen in guards.items()
    )


class GuardSummary(SteadyText):
    """Hidden unless a screen's style shows it."""

    DEFAULT_CSS = "GuardSummary { height: auto; display: none; }"

    def __init__(self, look: Look) -> None:
        super().__init__(grows=True)
        self._look = look

    def redraw(self, guards: Mapping[str, SeenGuard], overruled: Mapping[str, str]) -> None:
        self.show(summary(guards, overruled, self._look))


def summary(guards: Mapping[str, SeenGuard], overruled: Mapping[str, str], look: Look) -> Text:
    """How many hold, which do not quite, and how old the oldest look is."""
    if not guards:
        return Text("")
    warned = sorted(name for name, seen in guards.items() if seen.check.status == "warned")
    vouched = sorted(name for name, seen in guards.items() if seen.check.status in REFUSING and name in overruled)
    oldest = ago(time.monotonic() - min(seen.at for seen in guards.values()))
    said = f"{len(guards) - len(warned) - len(vouched)} guards hold"
    said += f", {', '.join(warned)} warns" if warned else ""
    said += f", {', '.join(vouched)} overruled" if vouched else ""
    sign = look.glyphs.of("warned" if warned or vouched else "passed")
    return Text(f"{sign} {said}, looked at {oldest} (g: all)")
