"""The application: one session at a time, its screens, and every way out.

The engine runs in one task of the application, never in a screen's; screens come and go around it.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.worker import Worker, WorkerState

from screens.welcome import WelcomeScreen
from tui.look import DARK, LIGHT, Look
from tui.workplace import Workplace

if TYPE_CHECKING:
    from tui.bridge import Bridge, ToAnswer, Waiting
    from tui.step_screen import StepScreen

ENGINE = "engine"
SMALLEST = (80, 24)
QUIT_TWICE_WITHIN = 10.0
HANGUPS = (signal.SIGTERM, signal.SIGHUP)


class RecoveryApp(App[int]):
    """Returns the exit code. `farewell` is what is printed once the terminal is itself again."""

    CSS_PATH = "wizard.tcss"
    TITLE = "atlasdb-recovery"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, workplace: Workplace, look: Look, *, first: str = "", session: str = "") -> None:
        """`first`: the procedure to open at once; "resume" with `session`."""
        super().__init__()
        self.workplace = workplace
        self.look = look
        self.bridge: Bridge | None = None
        self.farewell: tuple[str, ...] = ()
        self._first = (first, session)
        self._engine: Worker[Any] | None = None
        self._exit_code = 0
        self._leaving = False
        self._shown_step = ""
        self._asked: ToAnswer | None = None

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = self.look.theme
        self.set_class(self.look.is_ascii, "-ascii")
        self.push_screen(WelcomeScreen(read_only=self.workplace.read_only))
        for number in HANGUPS:
            with suppress(NotImplementedError, ValueError):
                asyncio.get_running_loop().add_signal_handler(number, self._hang_up)
        self.call_after_refresh(self._opened)

    def _opened(self) -> None:
        """After the first picture: what takes imports and disk."""
        entry, session = self._first
        if entry:
            self.on_welcome_screen_chosen(WelcomeScreen.Chosen(entry, session))
        else:
            self._show_sessions()

    def _show_sessions(self) -> None:
        async def show() -> None:
            found = await asyncio.to_thread(self.workplace.sessions)
            if isinstance(self.screen, WelcomeScreen):
                self.screen.show_sessions(found)

        self.run_worker(show(), group="sessions", exclusive=True, exit_on_error=False)

    # what the operator chooses

    def on_welcome_screen_chosen(self, event: WelcomeScreen.Chosen) -> None:
        match event.entry:
            case "restore" | "backup":
                self.open_session(event.entry)
            case "resume":
                self.open_session("", session=event.session)
            case _:
                self.notify("not there yet", markup=False)

    def open_session(self, procedure: str, *, session: str = "", take_over: bool = False) -> None:
        """Begin a session or go on with one; its first screen comes at once, what the engine says as it says it."""
        from tui.bridge import Bridge
        from tui.session_view import SessionView

        place = self.workplace
        try:
            opening = place.opening_of(session) if session else place.opening(procedure)
        except Exception as error:
            self.explain(error)
            return
        mode = "READ-ONLY" if place.read_only and opening.mode == "LIVE" else opening.mode
        bridge = Bridge(SessionView(opening.steps, mode=mode, keyspace=opening.keyspace))
        run: Callable[[], Coroutine[Any, Any, Any]]
        if place.read_only:
            run = partial(place.follow, session, bridge) if session else partial(place.look, procedure, bridge)
        elif session:
            run = partial(place.resume, session, bridge, take_over=take_over)
        else:
            run = partial(place.begin, procedure, bridge, take_over=take_over)
        self.run_session(bridge, run)

    def run_session(self, bridge: "Bridge", run: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Any session: a live one, a practice one, one that is only looked at."""
        self.bridge = bridge
        self._shown_step = ""
        self._engine = self.run_worker(run(), name=ENGINE, group=ENGINE, exclusive=True, exit_on_error=False)
        self.follow()
        self.set_interval(0.2, self._follow_current)

    # which step is shown

    def follow(self) -> None:
        """Show the step that the session is at."""
        if self.bridge is not None:
            self._shown_step = ""
            self._follow_current()

    def _follow_current(self) -> None:
        """A screen that the operator went back to stays until the operator follows again."""
        from tui.step_screen import StepScreen

        if self.bridge is None:
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
        screen = screen_of(self.bridge, self.look, step, read_only=self.workplace.read_only)
        if isinstance(self.screen, StepScreen):
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def on_step_screen_moved(self, event: "StepScreen.Moved") -> None:
        if event.step is None:
            self.follow()
        elif event.step:
            self.show_step(event.step)
        else:
            self.action_quit_session()

    # questions

    def _ask_once(self, waiting: "Waiting | None") -> None:
        """A question follows at once on the key that led to it; closed unanswered, it waits for Next."""
        from tui.bridge import ToAnswer
        from tui.step_screen import StepScreen

        if isinstance(waiting, ToAnswer) and waiting is not self._asked and isinstance(self.screen, StepScreen):
            self._asked = waiting
            self._ask(waiting)

    def on_step_screen_asked(self, event: "StepScreen.Asked") -> None:
        self._ask(event.waiting)

    def _ask(self, waiting: "ToAnswer") -> None:
        from screens.dialogs.confirm_phrase import ConfirmPhraseDialog
        from screens.dialogs.typed_reason import TypedReasonDialog

        def answered(value: str | None) -> None:
            if value is not None and self.bridge is not None:
                self.bridge.decide(waiting, value)

        question = waiting.question
        if question.phrase:
            self.push_screen(ConfirmPhraseDialog(question), answered)
        else:
            self.push_screen(TypedReasonDialog(question.name, question.text, question.detail), answered)

    def on_step_screen_overrule_asked(self, event: "StepScreen.OverruleAsked") -> None:
        from atlasdb_recovery.procedure.front_end import Overruled
        from screens.dialogs.typed_reason import TypedReasonDialog
        from tui.bridge import BY

        def answered(reason: str | None) -> None:
            if reason is not None and self.bridge is not None:
                self.bridge.decide(event.waiting, Overruled(event.guard, reason, BY))

        text = f"Why may this go on although {event.guard} refuses? Guards that protect data cannot be overruled."
        self.push_screen(TypedReasonDialog(event.guard, text), answered)

    # endings

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker is not self._engine:
            return
        if event.state is WorkerState.SUCCESS:
            self._exit_code = int(event.worker.result or 0)
            self._ended()
        elif event.state is WorkerState.CANCELLED:
            self._exit_code = 5
            self._ended()
        elif event.state is WorkerState.ERROR and event.worker.error is not None:
            self.explain(event.worker.error)

    def _ended(self) -> None:
        if self._leaving:
            self.leave()

    def explain(self, error: BaseException) -> None:
        """An error in words. Where somebody else holds the lock, looking on is offered."""
        from screens.dialogs.words import WordsDialog

        found = self.workplace.explained(error)
        self._exit_code = found.exit_code
        self.farewell = found.lines
        if self._leaving:
            self.leave()
            return
        self.push_screen(WordsDialog("That did not work", "\n\n".join(found.lines)), lambda _: self.back_to_welcome())

    def back_to_welcome(self) -> None:
        self.bridge = None
        while len(self.screen_stack) > 2:
            self.pop_screen()
        self._show_sessions()

    @property
    def is_at_work(self) -> bool:
        return self._engine is not None and self._engine.is_running

    async def action_quit(self) -> None:
        self.action_quit_session(leave=True)

    def action_quit_session(self, *, leave: bool = False) -> None:
        """Asks while a session runs; parks it then."""
        from screens.dialogs.choice import ChoiceDialog

        if not self.is_at_work:
            if leave:
                self.leave()
            else:
                self.back_to_welcome()
            return
        if isinstance(self.screen, ChoiceDialog):
            return

        def chosen(answer: str | None) -> None:
            if answer == "park":
                self._leaving = leave
                self.park()

        text = (
            "A session is under way. Parking stops before the next effect and writes everything down; "
            "what Cassandra itself is doing goes on. The session can be resumed."
        )
        self.push_screen(ChoiceDialog("Leave?", text, (("stay", "Stay"), ("park", "Park the session"))), chosen)

    def park(self) -> None:
        """Cancelling the engine parks the session."""
        if self._engine is not None:
            self._engine.cancel()

    def _hang_up(self) -> None:
        """SIGTERM, or the terminal is gone: park, restore the terminal, leave."""
        self._leaving = True
        if self.is_at_work:
            self.park()
        else:
            self.leave()

    def leave(self) -> None:
        if self.bridge is not None and not self.farewell:
            state = self.bridge.view.state
            self.farewell = tuple(list(self.bridge.view.log)[-6:]) if state.session else ()
        self.exit(self._exit_code, return_code=self._exit_code)

    def _fatal_error(self) -> None:
        """A defect: one sentence and a crash file without values, never a traceback with locals."""
        import sys

        from atlasdb_recovery.crash import crash_file

        error = sys.exc_info()[1] or RuntimeError("unknown")
        self.farewell = (
            f"This is a defect of atlasdb-recovery: {type(error).__name__}. What led to it is in {crash_file(error)}.",
            "A session that had begun is in its journal: atlasdb-recovery history",
        )
        self._exit_code = 1
        self._return_code = 1
        self._close_messages_no_wait()
