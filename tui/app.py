"""The application: one session at a time, its screens, and every way out."""

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.events import Resize
from textual.geometry import Size
from textual.worker import Worker, WorkerState

from screens.welcome import WelcomeScreen
from tui.look import DARK, LIGHT, Look
from tui.practice_flow import PracticeFlow
from tui.workplace import Workplace

if TYPE_CHECKING:
    from atlasdb_recovery.procedure.step import Question
    from screens.dialogs.choice import ChoiceDialog
    from screens.history import HistoryScreen
    from screens.setup import SetupScreen
    from tui.bridge import Bridge

DEFECT, USAGE = 1, 2
PALETTE_NEEDS = (30, 10)
"""Columns and rows."""
HANGUPS = (signal.SIGTERM, signal.SIGHUP)


def _has_room(size: Size) -> bool:
    return size.width >= PALETTE_NEEDS[0] and size.height >= PALETTE_NEEDS[1]


class RecoveryApp(PracticeFlow):
    """Returns the exit code. `farewell` is what is printed once the terminal is itself again."""

    CSS_PATH = "wizard.tcss"
    TITLE = "atlasdb-recovery"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, workplace: Workplace, look: Look, *, first: str = "", session: str = "") -> None:
        """`first`: the procedure to open at once; "resume" with `session`."""
        super().__init__(workplace, look)
        self.farewell: tuple[str, ...] = ()
        self._first = (first, session)
        self._exit_code = 0
        self._leaving = False
        self._procedure = ""
        self._leave_question: ChoiceDialog | None = None
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = self.look.theme
        self.set_class(self.look.is_ascii, "-ascii")
        self.set_class(not self.look.has_color, "-colorless")

    def get_default_screen(self) -> WelcomeScreen:
        return WelcomeScreen(read_only=self.workplace.read_only)

    def on_resize(self, event: Resize) -> None:
        """The palette's list lays nothing out without room, and then fails on a page key."""
        if not _has_room(event.size) and isinstance(self.screen, CommandPalette):
            self.pop_screen()

    def action_command_palette(self) -> None:
        if _has_room(self.size):
            super().action_command_palette()

    def on_mount(self) -> None:
        for number in HANGUPS:
            with suppress(NotImplementedError, ValueError):
                asyncio.get_running_loop().add_signal_handler(number, self._hang_up)
        self.call_after_refresh(self._opened)

    def _opened(self) -> None:
        """After the first picture: what takes imports and disk."""
        gc.enable()
        entry, session = self._first
        if entry:
            self.on_welcome_screen_chosen(WelcomeScreen.Chosen(entry, session))
        else:
            self._show_sessions()

    async def on_unmount(self) -> None:
        if self.practice is not None:
            await self.practice.close()

    def _show_sessions(self) -> None:
        async def show() -> None:
            found = await asyncio.to_thread(self.workplace.sessions)
            if isinstance(self.screen, WelcomeScreen):
                self.screen.show_sessions(found)

        self.run_worker(show(), group="sessions", exclusive=True, exit_on_error=False)

    def on_welcome_screen_chosen(self, event: WelcomeScreen.Chosen) -> None:
        match event.entry:
            case "restore" | "backup":
                self.open_session(event.entry)
            case "resume":
                self.open_session("", session=event.session)
            case "history":
                self._show_history()
            case "setup":
                self.ask_settings()
            case "practise":
                self.choose_practice()

    def _show_history(self) -> None:
        from screens.history import HistoryScreen

        found = self.workplace.sessions()
        self.push_screen(HistoryScreen(found, self.look, read_only=self.workplace.read_only))

    def on_history_screen_chosen(self, event: "HistoryScreen.Chosen") -> None:
        self.open_session("", session=event.session, only_look=not event.resume)

    def on_history_screen_given_up(self, event: "HistoryScreen.GivenUp") -> None:
        from screens.dialogs.words import WordsDialog

        try:
            left = self.workplace.give_up(event.session, event.reason)
        except Exception as error:
            self.explain(error)
            return
        self.back_to_welcome()
        self._show_history()
        self.push_screen(WordsDialog("Given up", "\n\n".join(left)))

    def ask_settings(self, *, then: str = "", why: str = "") -> None:
        """The setup screen; `then` is the procedure that goes on with its settings."""
        from screens.setup import SetupScreen

        try:
            fields, draft = self.workplace.draft()
            read_only = self.workplace.read_only
            self.push_screen(SetupScreen(fields, draft, self.look, then=then, why=why, read_only=read_only))
        except Exception as error:
            self.explain(error)

    def on_setup_screen_decided(self, event: "SetupScreen.Decided") -> None:
        self.workplace.use(event.typed)
        self.pop_screen()
        if event.then:
            self.open_session(event.then)

    def open_session(
        self, procedure: str, *, session: str = "", take_over: bool = False, only_look: bool = False
    ) -> None:
        """Begin a session or go on with one; its first screen comes at once, what the engine says as it says it."""
        from tui.bridge import Bridge
        from tui.session_view import SessionView

        place = self.workplace
        try:
            opening = place.opening_of(session) if session else place.opening(procedure)
        except Exception as error:
            found = place.explained(error)
            if session or found.exit_code != USAGE:
                self.explain(error)
            else:
                self.ask_settings(then=procedure, why=found.lines[0])
            return
        self._procedure = opening.procedure
        only_look = only_look or place.read_only
        mode = "READ-ONLY" if only_look and opening.mode == "LIVE" else opening.mode
        bridge = Bridge(SessionView(opening.steps, mode=mode, keyspace=opening.keyspace))
        run: Callable[[], Coroutine[Any, Any, Any]]
        if only_look:
            run = partial(place.follow, session, bridge) if session else partial(place.look, procedure, bridge)
        elif session:
            run = partial(place.resume, session, bridge, take_over=take_over)
        else:
            run = partial(place.begin, procedure, bridge, take_over=take_over)
        self.run_session(bridge, run, only_look=only_look)

    def run_session(
        self, bridge: "Bridge", run: Callable[[], Coroutine[Any, Any, Any]], *, only_look: bool = False
    ) -> None:
        """How the session before ended, and that it was to be left, is nothing of this one."""
        self._exit_code, self.farewell, self._leaving = 0, (), False
        super().run_session(bridge, run, only_look=only_look)

    def keep_evidence(self, question: "Question", picture: str) -> None:
        from atlasdb_recovery.foreign import plain

        assert self.bridge is not None
        view = self.bridge.view
        try:
            name = f"confirmed-{question.name}-{question.fingerprint}"
            path = self.workplace.keep_picture(view.state.session, name, picture)
        except OSError as error:
            view.say(f"WARNING: the picture of the confirmed screen could not be kept: {plain(str(error))}")
            return
        if path is not None:
            view.say(f"picture of the confirmed screen: {path}")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker is not self._engine:
            return
        if event.state is WorkerState.SUCCESS:
            self._exit_code = int(event.worker.result or 0)
            self._ended()
        elif event.state is WorkerState.CANCELLED:
            self._exit_code = 0 if self._only_look else 5
            self._ended()
        elif event.state is WorkerState.ERROR and event.worker.error is not None:
            if self.practice is None or self._leaving:
                self.explain(event.worker.error)
            else:
                self.tell_why_stopped(event.worker.error)

    def _ended(self) -> None:
        if self.bridge is not None and (session := self.bridge.view.state.session):
            self.bridge.view.report = self.workplace.report(session)
            self.bridge.view.touched()
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
        elif (session := self.workplace.held_by(error)) is not None:
            self._offer_to_look_on(session, found.lines)
        else:
            text = "\n\n".join(found.lines)
            self.push_screen(WordsDialog("That did not work", text), lambda _: self.back_to_welcome())

    def _offer_to_look_on(self, session: str, lines: Sequence[str]) -> None:
        """Somebody else holds the lock. Where their journal is not here, the cluster can be looked at."""
        from screens.dialogs.choice import ChoiceDialog

        procedure = self._procedure

        def chosen(answer: str | None) -> None:
            self.back_to_welcome()
            if answer == "look":
                self.open_session("" if session else procedure, session=session, only_look=True)

        what = f"at session {session}" if session else f"at the cluster, as a {procedure} would find it"
        answers = (("look", f"Look on, read-only, {what}"), ("leave", "Back to the welcome screen"))
        self.push_screen(ChoiceDialog("Somebody else works on this", "\n\n".join(lines), answers), chosen)

    def back_to_welcome(self) -> None:
        self.bridge = None
        self.end_practice()
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self._show_sessions()

    def action_help(self) -> None:
        from screens.dialogs.words import WordsDialog
        from tui.help import help_text

        if not isinstance(self.screen, WordsDialog):
            self.push_screen(WordsDialog("Help", help_text(self.screen, self.leaving())))

    def action_repaint(self) -> None:
        self.refresh(repaint=True, layout=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """With --read-only no file is written either."""
        return False if action == "picture" and self.workplace.read_only else super().check_action(action, parameters)

    def action_picture(self) -> None:
        """An SVG of the screen, in the working directory."""
        try:
            path = self.save_screenshot()
        except OSError as error:
            self.notify(f"No picture: {error.strerror or error}", severity="error", markup=False)
            return
        self.notify(f"saved: {path}", markup=False)

    async def action_quit(self) -> None:
        """What was typed and is not saved is not lost unasked either."""
        from screens.setup import SetupScreen

        settings = next((screen for screen in self.screen_stack if isinstance(screen, SetupScreen)), None)
        if settings is not None:
            settings.ask_to_leave(self.leave)
        else:
            self.action_quit_session(leave=True)

    def action_quit_session(self, *, leave: bool = False) -> None:
        """Asks while a session runs; parks it then. Who only looks on has nothing to park."""
        from tui.step_screen import StepScreen

        if leave and self.is_at_work and self._is_complete:
            self._leaving = True  # nothing is left to park: it leaves once the connections are closed
        elif not self._only_look and self.is_at_work:
            self._ask_to_park(leave=leave)
        elif leave:
            self.leave()
        elif self.practice is not None:
            self.on_step_screen_over(StepScreen.Over())
        else:
            self.back_to_welcome()

    @property
    def _is_complete(self) -> bool:
        return self.bridge is not None and self.bridge.view.state.outcome == "completed"

    def _ask_to_park(self, *, leave: bool) -> None:
        from screens.dialogs.choice import ChoiceDialog

        if self._leave_question in self.screen_stack:
            return

        def chosen(answer: str | None) -> None:
            if answer != "park":
                return
            if self.is_at_work:
                self._leaving = leave
                self.park()
            elif leave:  # it has ended while this was asked
                self.leave()

        leaving = self.leaving()
        text = f"A session is under way. {leaving.left if leave else leaving.parked}"
        park = "End the session" if leave and leaving.farewell else "Park the session"
        self._leave_question = ChoiceDialog("Leave?", text, (("stay", "Stay"), ("park", park)))
        self.push_screen(self._leave_question, chosen)

    def park(self) -> None:
        """Cancelling the engine parks the session."""
        if self._engine is not None:
            self._engine.cancel()

    def _hang_up(self) -> None:
        """SIGTERM, or the terminal is gone: park what is more than a look, restore the terminal, leave."""
        self._leaving = True
        if self.is_at_work and not self._only_look:
            self.park()
        else:
            self.leave()

    def leave(self) -> None:
        if self.bridge is not None and not self.farewell:
            state = self.bridge.view.state
            last = self.leaving().farewell or tuple(list(self.bridge.view.log)[-6:])
            self.farewell = last if state.session else ()
        self.exit(self._exit_code, return_code=self._exit_code)

    def _handle_exception(self, error: Exception) -> None:
        """A screen that opens while the application leaves gets no widgets: that it finds none is no defect."""
        is_leaving = self._exit or not self.is_running
        if not (is_leaving and isinstance(error, NoMatches)):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """A defect: one sentence and a crash file without values, never a traceback with locals."""
        import sys

        from atlasdb_recovery.crash import crash_file

        if self._exit_code == DEFECT:
            return  # what fails while the first failure ends the program says nothing new
        error = sys.exc_info()[1] or RuntimeError("unknown")
        has_begun = self.bridge is not None and bool(self.bridge.view.state.session)
        self.farewell = (
            f"This is a defect of atlasdb-recovery: {type(error).__name__}. What led to it is in {crash_file(error)}.",
            *(("The session is in its journal: atlasdb-recovery history",) if has_begun else ()),
        )
        self._exit_code = self._return_code = DEFECT
        self._close_messages_no_wait()
