"""A scenario on the application: briefing, session, practice world, debriefing."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tui.session_flow import SessionFlow
from tui.workplace import Practice, Workplace

if TYPE_CHECKING:
    from screens.briefing import BriefingScreen
    from screens.practice import PracticeScreen
    from tui.bridge import Bridge
    from tui.look import Look
    from tui.step_screen import StepScreen

GROUP = "practice"
NOT_YET = {
    "restore": "The restore is not complete, and the service must not be started.",
    "backup": "The backup is not complete: nothing can be restored from it.",
}
FROM_WHAT = {"restore": ", from the backup", "backup": ", with another B"}


class PracticeFlow(SessionFlow):
    """`practice` is the scenario being played, None beside practice."""

    def __init__(self, workplace: Workplace, look: "Look") -> None:
        super().__init__(look)
        self.workplace = workplace
        self.practice: Practice | None = None

    def explain(self, error: BaseException) -> None:
        """An error in words."""
        raise NotImplementedError

    def back_to_welcome(self) -> None:
        raise NotImplementedError

    def choose_practice(self) -> None:
        from screens.practice import PracticeScreen

        self.push_screen(PracticeScreen(self.workplace.lessons()))

    def on_practice_screen_chosen(self, event: "PracticeScreen.Chosen") -> None:
        from screens.briefing import BriefingScreen

        title = next(one.title for one in self.workplace.lessons() if one.name == event.name)
        screen = BriefingScreen(title, self.look)
        self.run_worker(self._prepare(event, screen), group=GROUP, exclusive=True, exit_on_error=False)

    async def _prepare(self, event: "PracticeScreen.Chosen", screen: "BriefingScreen") -> None:
        await self.push_screen(screen)
        try:
            self.practice = self.workplace.practice(event.name, speed=event.speed, nodes=event.nodes)
            briefing = await self.practice.prepare(screen.say)
            screen.ready(briefing, self.practice.opening().procedure)
        except Exception as error:
            self.explain(error)

    def on_briefing_screen_begun(self) -> None:
        assert self.practice is not None
        self._run(self.practice.begin)

    def _run(self, run: "Callable[[Bridge], Coroutine[Any, Any, Any]]") -> None:
        """Each time with a view of its own: the session may be another one than before."""
        from tui.bridge import Bridge
        from tui.session_view import SessionView

        assert self.practice is not None
        opening = self.practice.opening()
        bridge = Bridge(SessionView(opening.steps, mode=opening.mode, keyspace=opening.keyspace))
        self.run_session(bridge, lambda: run(bridge))

    def on_briefing_screen_closed(self) -> None:
        self.back_to_welcome()

    def on_step_screen_world_asked(self, event: "StepScreen.WorldAsked") -> None:
        """What one would do in another window, right and wrong things alike."""
        from screens.dialogs.choice import ChoiceDialog

        if self.practice is None:
            return
        deeds = self.practice.deeds()
        answers = [(deed.key, f"{deed.name}: {deed.stands_for}") for deed in deeds]
        text = "What would you do, in another window?"
        self.push_screen(ChoiceDialog("The practice world", text, answers), self._chosen_deed)

    def _chosen_deed(self, key: str | None) -> None:
        if key is not None:
            self.run_worker(self._do(key), group="world", exclusive=True, exit_on_error=False)

    async def _do(self, key: str) -> None:
        from screens.dialogs.words import WordsDialog

        assert self.practice is not None
        try:
            seen = await self.practice.do(key)
        except Exception as error:
            self.explain(error)
            return
        await self.push_screen(WordsDialog("In the practice world", seen))

    def tell_why_stopped(self, error: BaseException) -> None:
        """The engine has ended with an error; the practice world is still there, and the session may go on."""
        from screens.dialogs.words import WordsDialog

        assert self.bridge is not None
        lines = self.workplace.explained(error).lines
        self.bridge.view.stopped = " ".join(lines)
        self.bridge.view.touched()
        self.push_screen(WordsDialog("The session has stopped", "\n\n".join(lines)))

    def on_step_screen_over(self, event: "StepScreen.Over") -> None:
        """The practice session has ended: complete, parked or failed."""
        from screens.dialogs.choice import ChoiceDialog

        if self.bridge is None or self.bridge.view.state.outcome == "completed":
            self.show_debrief()
            return
        assert self.practice is not None
        procedure = self.practice.opening().procedure
        answers = (
            ("again", "Go on with the session"),
            ("world", "Open the practice world first"),
            ("anew", f"Begin a new {procedure}{FROM_WHAT[procedure]}"),
            ("debrief", "Give it up: debriefing"),
        )
        self.push_screen(ChoiceDialog("The session has stopped", NOT_YET[procedure], answers), self._chosen_after_end)

    def _chosen_after_end(self, answer: str | None) -> None:
        from tui.step_screen import StepScreen

        assert self.practice is not None
        if answer == "again":
            self._run(self.practice.resume)
        elif answer == "anew":
            self._run(self.practice.begin)
        elif answer == "world":
            self.on_step_screen_world_asked(StepScreen.WorldAsked())
        elif answer == "debrief":
            self.show_debrief()

    def show_debrief(self) -> None:
        self.run_worker(self._debrief(), group="debrief", exclusive=True, exit_on_error=False)

    async def _debrief(self) -> None:
        from screens.debrief import DebriefScreen

        assert self.practice is not None
        try:
            lines = await self.practice.debrief()
        except Exception as error:
            self.explain(error)
            return
        self.back_to_welcome()
        await self.push_screen(DebriefScreen(lines))

    def end_practice(self) -> None:
        """Its world ends; nothing of it stays."""
        practice, self.practice = self.practice, None
        if practice is not None:
            self.run_worker(practice.close(), group=GROUP, exclusive=True, exit_on_error=False)
