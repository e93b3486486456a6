"""A scenario on the application: briefing, session, practice world, debriefing."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tui.session_flow import SessionFlow
from tui.workplace import Deed, Leaving, Practice, Workplace

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

MARKED = "DESTROYS: "


def anew(procedure: str) -> str:
    """The answer that begins another session in the same practice world."""
    return f"Begin a new {procedure}{FROM_WHAT[procedure]}"


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

    def leaving(self) -> Leaving:
        """What leaving means for the session that is open, or would be opened."""
        return self.workplace.leaving() if self.practice is None else self.practice.leaving()

    def choose_practice(self) -> None:
        from screens.practice import PracticeScreen

        self.push_screen(PracticeScreen(self.workplace.lessons()))

    def on_practice_screen_chosen(self, event: "PracticeScreen.Chosen") -> None:
        from screens.briefing import BriefingScreen

        if self.practice is not None:  # a key pressed twice
            return
        title = next(one.title for one in self.workplace.lessons() if one.name == event.name)
        screen = BriefingScreen(title, self.look, read_only=self.workplace.read_only)
        self.practice = self.workplace.practice(event.name, speed=event.speed, nodes=event.nodes)
        self.run_worker(self._prepare(self.practice, screen), group=GROUP, exclusive=True, exit_on_error=False)

    async def _prepare(self, practice: Practice, screen: "BriefingScreen") -> None:
        await self.push_screen(screen)
        try:
            briefing = await practice.prepare(screen.say)
            screen.ready(briefing, practice.opening().procedure)
        except Exception as error:
            if self.practice is practice:  # what breaks because the operator has left it is no news
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
        by_key = {deed.key: deed for deed in deeds}

        def chosen(key: str | None) -> None:
            if key is not None:
                self._chosen_deed(by_key[key])

        answers = [(deed.key, f"{MARKED if deed.destroys else ''}{deed.name}: {deed.stands_for}") for deed in deeds]
        text = "What would you do, in another window?"
        self.push_screen(ChoiceDialog("The practice world", text, answers), chosen)

    def _chosen_deed(self, deed: Deed) -> None:
        """What destroys is asked about once more."""
        from screens.dialogs.choice import ChoiceDialog

        def chosen(answer: str | None) -> None:
            if answer == "do":
                self.run_worker(self._do(deed), group="world", exclusive=True, exit_on_error=False)

        if not deed.destroys:
            chosen("do")
            return
        answers = (("leave", "Leave it as it is"), ("do", f"Do it: {deed.name}"))
        self.push_screen(ChoiceDialog("This destroys", f"{deed.name}: {deed.stands_for}", answers), chosen)

    async def _do(self, deed: Deed) -> None:
        from screens.dialogs.words import WordsDialog

        assert self.practice is not None
        try:
            seen = await self.practice.do(deed.key)
        except Exception as error:
            self.explain(error)
            return
        told = f"{seen}\n\n{self._way_out(self.practice)}" if deed.destroys else seen
        await self.push_screen(WordsDialog("In the practice world", told))

    def _way_out(self, practice: Practice) -> str:
        """For one who cannot go on with this session."""
        procedure = practice.opening().procedure
        keys = "p parks it, and n then" if self.is_at_work else "n"
        return f"Where the session cannot go on from here: {keys} offers “{anew(procedure)}”."

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
            ("anew", anew(procedure)),
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
            self.workers.cancel_group(self, GROUP)
            self.run_worker(practice.close(), group="the end of practice", exit_on_error=False)
