"""One session on the application: its engine, the screen of the step it is at, and what it asks."""

import gc
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App, SystemCommand
from textual.filter import LineFilter
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import Worker

from tui.ascii_signs import AsciiSigns
from tui.look import Look
from tui.plain_lines import PlainLines
from tui.terminal import Terminal

if TYPE_CHECKING:
    from textual.screen import ModalScreen

    from atlasdb_recovery.procedure.step import Question
    from tui.bridge import Bridge, ToAnswer, Waiting
    from tui.step_screen import StepScreen

ENGINE = "engine"
YES_WANTED = "yes, and how it was done; it stands in the report"
NO_YES = "That does not say yes. Make it true, then type yes, and how it was done. Esc goes back without an answer."
PLAIN = PlainLines()


def _leave_to_itself_what_lives() -> None:
    """A collection visits every object, which takes a tenth of a second once all is loaded, in the middle of a key.

    So one is made here, where a step's screen has just been drawn, and later ones leave out what was there by then.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class SessionFlow(App[int]):
    """The engine runs in one task of the application, never in a screen's; screens come and go around it."""

    def __init__(self, look: Look) -> None:
        # asked for here: Textual decides how to leave colour out before it knows the theme, and paints black on black
        super().__init__(driver_class=Terminal, ansi_color=None if look.has_color else True)
        self.look = look
        self._signs = AsciiSigns(enabled=look.is_ascii)
        self.bridge: Bridge | None = None
        self._engine: Worker[Any] | None = None
        self._following: Timer | None = None
        self._only_look = False
        self._shown_step = ""
        self._asked: ToAnswer | None = None
        self._question: ModalScreen[str | None] | None = None

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = [*super().get_line_filters(), PLAIN]
        return [*filters, self._signs] if self._signs.enabled else filters

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the screen's keys do, as far as they do it now; the palette asks the same guard as the keys."""
        for command in super().get_system_commands(screen):
            if command.title == "Quit" or (command.title == "Theme" and self.look.has_color):
                yield command
        named = {entry.binding.id: entry for entry in screen.active_bindings.values() if entry.binding.id}
        for entry in named.values():
            binding = entry.binding
            if entry.enabled and isinstance(entry.node, Screen):
                act = partial(self.run_action, binding.action, entry.node)
                yield SystemCommand(binding.description, binding.tooltip, act)

    @property
    def is_at_work(self) -> bool:
        return self._engine is not None and self._engine.is_running

    def action_quit_session(self, *, leave: bool = False) -> None:
        """Back from the first step: leaves the session, or the application too."""
        raise NotImplementedError

    def run_session(
        self, bridge: "Bridge", run: Callable[[], Coroutine[Any, Any, Any]], *, only_look: bool = False
    ) -> None:
        """Any session: a live one, a practice one, one that is only looked at."""
        self.bridge = bridge
        self._only_look = only_look
        self._shown_step = ""
        self._engine = self.run_worker(run(), name=ENGINE, group=ENGINE, exclusive=True, exit_on_error=False)
        self.follow()
        if self._following is None:
            self._following = self.set_interval(0.2, self._follow_current)

    def follow(self) -> None:
        """Show the step that the session is at."""
        if self.bridge is not None:
            self._shown_step = ""
            self._follow_current()

    def _follow_current(self) -> None:
        """A screen that the operator went back to stays until the operator follows again."""
        from tui.step_screen import StepScreen

        if self.bridge is None or not self.screen_stack:  # it ticks once more while the application leaves
            return
        self._ask_once(self.bridge.waiting)
        current = self.bridge.view.current
        at = self.screen
        if current == self._shown_step or (self._shown_step and not isinstance(at, StepScreen)):
            return
        if isinstance(at, StepScreen) and self._shown_step and at.step_name != self._shown_step:
            return
        self._shown_step = current
        self.show_step(current)

    def show_step(self, step: str) -> None:
        from screens.steps import screen_of
        from tui.step_screen import StepScreen

        assert self.bridge is not None
        screen = screen_of(self.bridge, self.look, step, read_only=self._only_look)
        if isinstance(self.screen, StepScreen):
            self.switch_screen(screen)
        else:
            self.push_screen(screen)
        self.call_after_refresh(_leave_to_itself_what_lives)

    def on_step_screen_moved(self, event: "StepScreen.Moved") -> None:
        if event.step is None:
            self.follow()
        elif event.step:
            self.show_step(event.step)
        else:
            self.action_quit_session()

    def _ask_once(self, waiting: "Waiting | None") -> None:
        """A question follows at once on the key that led to it; closed unanswered, it waits for Next."""
        from tui.bridge import ToAnswer
        from tui.step_screen import StepScreen

        if self._question is not None and self.screen is self._question and waiting is not self._asked:
            self._question.dismiss(None)
            return
        if isinstance(waiting, ToAnswer) and waiting is not self._asked and isinstance(self.screen, StepScreen):
            self._asked = waiting
            self._ask(waiting)

    def on_step_screen_details_asked(self, event: "StepScreen.DetailsAsked") -> None:
        from screens.dialogs.words import WordsDialog

        self.push_screen(WordsDialog(event.title, event.text))

    def on_step_screen_asked(self, event: "StepScreen.Asked") -> None:
        self._ask(event.waiting)

    def _ask(self, waiting: "ToAnswer") -> None:
        """Once, though a key pressed twice and the clock may all want it."""
        from atlasdb_recovery.procedure.step import says_yes
        from screens.dialogs.confirm_phrase import ConfirmPhraseDialog
        from screens.dialogs.typed_reason import TypedReasonDialog
        from tui.plan_change import plan_change

        assert self.bridge is not None
        if self._question in self.screen_stack or waiting is not self.bridge.waiting:
            return
        question = waiting.question
        self._asked = waiting
        if question.phrase:
            dialog = ConfirmPhraseDialog(question, plan_change(self.bridge.view.steps[waiting.step]))
            self._question = dialog
        else:
            self._question = TypedReasonDialog(
                question.name, question.text, question.detail, YES_WANTED, accepts=says_yes, otherwise=NO_YES
            )

        def answered(value: str | None) -> None:
            if value is None or self.bridge is None:
                return
            if self.bridge.decide(waiting, value) and question.phrase:
                self.keep_evidence(question, dialog.picture)

        self.push_screen(self._question, answered)

    def keep_evidence(self, question: "Question", picture: str) -> None:
        """The screen on which this question was confirmed."""

    def on_step_screen_overrule_asked(self, event: "StepScreen.OverruleAsked") -> None:
        from atlasdb_recovery.procedure.front_end import Overruled
        from screens.dialogs.typed_reason import TypedReasonDialog
        from tui.bridge import BY

        def answered(reason: str | None) -> None:
            if reason is not None and self.bridge is not None:
                self.bridge.decide(event.waiting, Overruled(event.guard, reason, BY))

        text = f"Why may this go on although {event.guard} refuses? Your words go into the journal and the report."
        self.push_screen(TypedReasonDialog(event.guard, text), answered)
