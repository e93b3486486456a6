"""What every step's screen has: why, what it runs, its guards, what is next, and the keys.

A step's own screen adds its body. It is redrawn from the session's view a few times a second, and only where something
has changed; it decides nothing.
"""

import time
from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Static

from atlasdb_recovery.events import StepFailed
from atlasdb_recovery.procedure.front_end import Choice, Overruled
from tui.bridge import BY, Bridge, Failed, Refused, ToAnswer, ToBegin, Waiting
from tui.failure_words import failure_text, whole_failure
from tui.keymap import STEP_KEYS, bindings, changes
from tui.look import Look
from tui.session_view import SessionView, StepView
from tui.standing import Standing, standing
from tui.widgets.banner import Banner
from tui.widgets.guard_list import GuardList
from tui.widgets.log_pane import LogPane
from tui.widgets.next_line import NextLine
from tui.widgets.plan_preview import PlanPreview
from tui.widgets.progress_panel import ProgressPanel
from tui.widgets.steady_text import SteadyText
from tui.widgets.step_rail import StepRail

REDRAWN_EVERY = 0.125


class StepScreen(Screen[None]):
    """One step of a session, live or looked back at."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("step", "everywhere"))
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]
    DEFAULT_CSS = """
    StepScreen #middle { height: 1fr; }
    StepScreen #main { width: 1fr; height: 1fr; padding: 0 1; }
    StepScreen #why { height: auto; margin: 0 0 1 0; }
    StepScreen.-short #why { margin: 0; }
    StepScreen #outcome { height: auto; max-height: 8; }
    StepScreen.-short PlanPreview { max-height: 5; margin: 0; }
    StepScreen.-refused ProgressPanel, StepScreen.-short.-refused PlanPreview { display: none; }
    StepScreen.-short.-failed PlanPreview { display: none; }
    StepScreen.-short.-failed ProgressPanel { max-height: 4; }
    StepScreen.-short ProgressPanel, StepScreen.-short ServerList { margin: 0; }
    StepScreen.-short LogPane { height: 6; }
    StepScreen.-wide StepRail { width: 34; }
    """

    class Asked(Message):
        """The step's question has to be put to the operator."""

        def __init__(self, waiting: ToAnswer) -> None:
            super().__init__()
            self.waiting = waiting

    class OverruleAsked(Message):
        """The operator wants to vouch for a refusing guard: the reason has to be asked for."""

        def __init__(self, waiting: Refused, guard: str) -> None:
            super().__init__()
            self.waiting = waiting
            self.guard = guard

    class DetailsAsked(Message):
        """All of something is to be read."""

        def __init__(self, title: str, text: str) -> None:
            super().__init__()
            self.title = title
            self.text = text

    class WorldAsked(Message):
        """Practice: what can be done in another window is asked for."""

    class Over(Message):
        """Practice: the operator has seen that the session has ended."""

    class Moved(Message):
        """The operator wants to see another step; "" is the welcome screen, None the step the session is at."""

        def __init__(self, step: str | None) -> None:
            super().__init__()
            self.step = step

    guards = getters.query_one(GuardList)
    preview = getters.query_one(PlanPreview)

    def __init__(self, bridge: Bridge, look: Look, step: str, *, read_only: bool) -> None:
        super().__init__()
        self.bridge = bridge
        self.look = look
        self.step_name = step
        self.read_only = read_only
        self._seen: tuple[int, Waiting | None] = (-1, None)
        self._permitted: list[bool | None] = []

    @property
    def view(self) -> SessionView:
        return self.bridge.view

    @property
    def step(self) -> StepView:
        return self.view.steps[self.step_name]

    @property
    def standing(self) -> Standing:
        """What the operator can do here now, and why."""
        return standing(self.view, self.bridge.waiting, self.step_name, read_only=self.read_only)

    def compose(self) -> ComposeResult:
        yield Banner(self.view, self.look, read_only=self.read_only)
        with Horizontal(id="middle"):
            yield StepRail(self.view, self.look, self.step_name)
            with Vertical(id="main"):
                yield Static(self._why(), id="why", markup=False)
                yield PlanPreview()
                yield from self.compose_body()
                yield ProgressPanel(self.look)
                yield SteadyText(id="outcome", grows=True)
                yield GuardList(self.look)
        yield LogPane()
        yield NextLine(self.look)
        yield Footer(show_command_palette=True)

    def compose_body(self) -> Iterable[Widget]:
        """What this step shows beside what every step shows."""
        return ()

    def evidence_shown(self, failure: StepFailed) -> Sequence[str]:
        """Of a failure's evidence, what the step's body does not show itself."""
        return failure.evidence

    @property
    def shows_progress(self) -> bool:
        """Whether the counts of progress stand in their common panel."""
        return True

    @property
    def shows_proof(self) -> bool:
        """Whether what was proven of the step stands beside its body."""
        return True

    def redraw_body(self) -> None:
        """Called when the session's view has changed."""

    def on_mount(self) -> None:
        self.guards.focus()
        self.redraw()
        self.set_interval(REDRAWN_EVERY, self._tick)
        self.set_interval(1.0, self._second)

    def on_resize(self) -> None:
        """A failure's words are chosen for the room there is."""
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        """Unless the screen was left meanwhile: then nothing is on it any more."""
        if self.query("#outcome"):
            self._redraw_outcome()

    def _tick(self) -> None:
        if self._seen != (self.view.version, self.bridge.waiting):
            self.redraw()

    def _second(self) -> None:
        """Clocks, ages and rates move although nothing has happened."""
        self.query_one(Banner).redraw()
        self._redraw_guards()
        self._redraw_progress()
        self.redraw_body()

    def redraw(self) -> None:
        self._seen = (self.view.version, self.bridge.waiting)
        self.query_one(Banner).redraw()
        self.query_one(StepRail).redraw()
        self.preview.redraw(self.step.plan)
        self._redraw_guards()
        self._redraw_progress()
        self._redraw_outcome()
        self.query_one(LogPane).redraw(self.view)
        now = self.standing
        self.query_one(NextLine).redraw(now.sentence, is_open=now.can_advance)
        self.redraw_body()
        self._redraw_keys()

    def _redraw_progress(self) -> None:
        """Where a step shows its progress itself, this panel is hidden."""
        panel = self.query_one(ProgressPanel)
        if self.shows_progress:
            panel.redraw(self.step)

    def _redraw_keys(self) -> None:
        """The footer is built anew, so only where a key has opened or closed."""
        permitted = [self.check_action(key.action, ()) for key in STEP_KEYS]
        if permitted != self._permitted:
            self._permitted = permitted
            self.refresh_bindings()

    def _redraw_guards(self) -> None:
        self.guards.redraw(self.step.guards, self.view.state.overruled)

    def _why(self) -> Text:
        step = self.step.step
        return Text.assemble((f"{step.title}", "bold"), (f"   this step {step.danger.value}", "dim"), f"\n{step.why}")

    def _redraw_outcome(self) -> None:
        self.set_class(self.step.failure is not None, "-failed")
        self.set_class(self.is_refused, "-refused")
        outcome = self.query_one("#outcome", SteadyText)
        shown = self._outcome(outcome)
        outcome.display = bool(shown.plain)
        outcome.show(shown)

    def _outcome(self, outcome: Widget) -> Text:
        """Where guards refuse, they have the room, and what to do is theirs to say."""
        shown, state, glyphs = Text(), self.view.state.step(self.step_name), self.look.glyphs
        failure = self.step.failure
        if failure is not None and self.is_refused:
            shown.append(f"{glyphs.failed} FAILED: {failure.problem}", style="bold")
        elif failure is not None:
            width = self.query_one("#main").content_size.width or self.size.width
            limit = outcome.styles.max_height
            room = self.size.height if limit is None else int(limit.value)
            evidence = self.evidence_shown(failure)
            shown = failure_text(failure, evidence, self.look, self.app.console, width=width, room=room)
        elif state.is_settled and self.shows_proof:
            for line in state.evidence:
                shown.append(f"{glyphs.done} proven: {line}\n")
        return shown

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One place decides for key, footer and palette; None dims, and the next line says why."""
        if self.read_only and changes(action):
            return False
        waiting = self.bridge.waiting
        open_now = {
            "advance": self.standing.can_advance,
            "look_again": isinstance(waiting, ToBegin | Refused) and self.is_under_way,
            "overrule": isinstance(waiting, Refused) and self.is_under_way,
            "park": waiting is not None,
        }
        if action == "world":
            return self.view.mode == "PRACTICE"
        return True if open_now.get(action, True) else None

    @property
    def is_refused(self) -> bool:
        """Guards keep this step from being begun: they get the room."""
        return self.is_under_way and isinstance(self.bridge.waiting, Refused)

    @property
    def is_under_way(self) -> bool:
        return self.view.current == self.step_name

    def action_advance(self) -> None:
        """A key held down begins one step, and not the next one as soon as its guards hold."""
        if self.bridge.next_key.repeats(time.monotonic()):
            return
        waiting = self.bridge.waiting
        if isinstance(waiting, ToBegin):
            self.bridge.decide(waiting, Choice.GO_ON)
        elif isinstance(waiting, Failed):
            self.bridge.decide(waiting, Choice.RETRY)
        elif isinstance(waiting, ToAnswer):
            self.post_message(self.Asked(waiting))
        elif self.standing.can_advance:
            self.post_message(self.Over())

    def action_look_again(self) -> None:
        waiting = self.bridge.waiting
        if isinstance(waiting, ToBegin | Refused):
            self.bridge.decide(waiting, Choice.RETRY)

    def action_park(self) -> None:
        if self.bridge.waiting is not None:
            self.bridge.decide(self.bridge.waiting, Choice.PARK)

    def action_overrule(self) -> None:
        waiting, chosen = self.bridge.waiting, self.guards.chosen
        refusals = {check.guard: check for check in waiting.refusals} if isinstance(waiting, Refused) else {}
        if not isinstance(waiting, Refused) or chosen not in refusals:
            self.notify("Put the cursor on a guard that refuses.", markup=False)
        elif not refusals[chosen].may_be_overruled:
            self.notify(f"{chosen} protects data: nobody can overrule it. Mend it, then r looks again.", markup=False)
        else:
            self.post_message(self.OverruleAsked(waiting, chosen))

    def overrule(self, waiting: Refused, guard: str, reason: str) -> None:
        self.bridge.decide(waiting, Overruled(guard, reason, BY))

    def action_back(self) -> None:
        names = list(self.view.steps)
        at = names.index(self.step_name)
        self.post_message(self.Moved(names[at - 1] if at else ""))

    def action_follow(self) -> None:
        self.post_message(self.Moved(None))

    def action_details(self) -> None:
        """All of a failure; else of the guard under the cursor: what it proves, what it saw, what to do."""
        if self.step.failure is not None and not self.is_refused:
            self.post_message(self.DetailsAsked(self.step_name, whole_failure(self.step.failure)))
            return
        seen = self.step.guards.get(self.guards.chosen)
        if seen is None:
            return
        check = seen.check
        text = f"{check.status}\n\n{check.evidence}\n\n{check.remedy}\n\n(looked for {check.seconds:.1f} s)"
        self.post_message(self.DetailsAsked(check.guard, text))

    def action_world(self) -> None:
        self.post_message(self.WorldAsked())

    def action_log(self) -> None:
        self.query_one(LogPane).toggle_class("-shown")

    def action_copy(self) -> None:
        """To the terminal's clipboard, and as a notice of what was copied: not every terminal takes it."""
        if text := self.preview.text:
            self.app.copy_to_clipboard(text)
            self.notify(f"{len(text.splitlines())} lines copied", markup=False)
