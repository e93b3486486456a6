"""A step whose own body needs the room: on a small screen its guards shrink to a line for as long as they hold."""

from collections.abc import Iterable
from typing import Any, ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Static

from tui.keymap import bindings
from tui.plan_change import plan_change
from tui.step_screen import StepScreen
from tui.widgets.guard_summary import GuardSummary, all_hold
from tui.widgets.steady_text import SteadyText


class CrowdedScreen(StepScreen):
    """Its body replaces the plan's lines as soon as there is a plan; what is inside has the class `findings`.

    Why the step exists gives way to its title alone where there is little room; it stands in the help then.
    """

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("crowded"))
    DEFAULT_CSS = """
    CrowdedScreen #change { height: auto; text-style: bold; background: $warning-muted; display: none; }
    CrowdedScreen #title { height: auto; display: none; }
    CrowdedScreen.-short.-planned #title { display: block; }
    CrowdedScreen.-short.-planned #why { display: none; }
    CrowdedScreen.-changed #change { display: block; }
    CrowdedScreen.-planned PlanPreview { display: none; }
    CrowdedScreen .findings { display: none; height: auto; }
    CrowdedScreen.-planned .findings { display: block; }
    CrowdedScreen.-short .findings { height: 1fr; }
    CrowdedScreen.-short.-calm GuardList { display: none; }
    CrowdedScreen.-short.-calm GuardSummary { display: block; }
    CrowdedScreen.-short.-guards GuardList { display: block; }
    CrowdedScreen.-short.-guards .findings { display: none; }
    """

    @property
    def facts(self) -> dict[str, Any]:
        """Of the plan; {} before there is one."""
        return {} if self.step.plan is None else self.step.plan.facts

    @property
    def shows_progress(self) -> bool:
        return False

    @property
    def is_working(self) -> bool:
        """Whether the engine is at this step and waits for nobody."""
        return self.is_under_way and self.bridge.waiting is None and self.view.state.outcome == "running"

    def compose_body(self) -> Iterable[Widget]:
        yield Static(self._why().split("\n")[0], id="title", markup=False)
        yield SteadyText(id="change", grows=True)
        yield from self.compose_findings()
        yield GuardSummary(self.look)

    def compose_findings(self) -> Iterable[Widget]:
        """What this step is about."""
        return ()

    def redraw_findings(self) -> None:
        """Called when the session's view has changed, and once a second."""

    def redraw_body(self) -> None:
        step, overruled = self.step, self.view.state.overruled
        change = plan_change(step)
        self.set_class(step.plan is not None, "-planned")
        self.set_class(bool(change), "-changed")
        self.set_class(step.began is not None, "-begun")
        self.set_class(all_hold(step.guards, overruled), "-calm")
        sign = self.look.glyphs.warned
        self.query_one("#change", SteadyText).show(Text("\n".join(f"{sign} {line}" for line in change)))
        self.query_one(GuardSummary).redraw(step.guards, overruled)
        self.redraw_findings()

    def action_guards(self) -> None:
        """Where there is no room for both: the guards instead of the body, and back."""
        self.toggle_class("-guards")
