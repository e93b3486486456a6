"""Line mode: the same events as the wizard, one line each, readable on a dumb terminal and in a log."""

import asyncio
import time
from collections.abc import Callable, Sequence

from atlasdb_recovery.cli.foretold import foretold
from atlasdb_recovery.cli.keyboard import asked
from atlasdb_recovery.cli.lines import Lines
from atlasdb_recovery.cli.narration import Narration
from atlasdb_recovery.cli.progress_lines import ProgressLines
from atlasdb_recovery.events import (
    CommandStarted,
    Event,
    GuardChecked,
    LinePrinted,
    PlanMade,
    Progressed,
    StepFailed,
)
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure.answers import Answers, answer_line
from atlasdb_recovery.procedure.controls import Controls
from atlasdb_recovery.procedure.front_end import Answer, Choice, Unanswered
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.step import Question, Step, confirmed

ANSWERS_FILE = "answers file"
COPIED = (PlanMade, CommandStarted, LinePrinted)
"""Events whose lines are commands and paths: nothing may be put into the middle of them."""


class PlainFrontEnd:
    """Prints to `lines`, asks if there is a terminal, and answers from the answers file first."""

    def __init__(
        self,
        lines: Lines,
        answers: Answers,
        *,
        interactive: bool,
        verbose: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lines = lines
        self.answers = answers
        self._interactive = interactive
        self._verbose = verbose
        self._clock = clock
        self._narration = Narration((), verbose=verbose)
        self._progress = ProgressLines(clock)
        self._doing = "connecting"
        self._since = clock()

    def begin(self, steps: Sequence[Step], controls: Controls) -> None:
        """The steps that are about to be run, in their order. Whoever cannot be heard any more parks them.

        There are no keys to control them with.
        """
        task = asyncio.current_task()
        if task is not None:
            self.lines.when_gone = task.cancel
            if self.lines.is_gone:
                task.cancel()
        self._narration = Narration(steps, verbose=self._verbose)
        self._progress = ProgressLines(self._clock)

    def show(self, event: Event, state: SessionState) -> None:
        """One or more lines, or none: raw node lines only if verbose, progress now and then."""
        if event.step and event.step != self._doing:
            self._doing, self._since = event.step, self._clock()
        if isinstance(event, Progressed):
            if (line := self._progress.line_for(event)) is not None:
                self.say(line)
        elif not isinstance(event, LinePrinted) or self._verbose:
            say = self.say if isinstance(event, COPIED) else self.lines.tell
            for line in self._narration.lines_for(event):
                say(line)

    async def keep_alive(self) -> None:
        """A line at least every ten seconds of work. Runs until it is cancelled."""
        await self.lines.keep_alive(self._at_work)

    async def advance(self, step: Step, plan: Plan) -> Choice:
        """Line mode goes on by itself: what needs a word has a question of its own."""
        return Choice.GO_ON

    async def answer(self, question: Question) -> Answer:
        if question.name in self.answers:
            return Answer(foretold(question, self.answers), ANSWERS_FILE)
        if not self._interactive:
            raise Unanswered(
                question,
                f"the question “{question.name}” is not answered and there is no terminal; "
                f"in an answers file:  {answer_line(question)}",
            )
        return Answer(await self._typed(question), "terminal")

    async def after_refusal(self, step: Step, refusals: Sequence[GuardChecked]) -> Choice:
        """At a terminal the operator may mend it and check again; otherwise it ends here."""
        names = ", ".join(sorted(check.guard for check in refusals))
        self.say(f"{step.name}: REFUSED by {names}; nothing was changed by this step")
        return await self._again("check again")

    async def after_failure(self, step: Step, failure: StepFailed) -> Choice:
        return await self._again("try this step again")

    def say(self, line: str) -> None:
        self.lines.say(line)

    async def _typed(self, question: Question) -> str:
        wanted = f"Type exactly:  {question.phrase}" if question.phrase else "Type yes, or how it was done"
        while True:
            typed = await asked(self.lines, wanted)
            if typed is None:
                raise Unanswered(question, f"the question “{question.name}” was not answered: end of input")
            if question.phrase:
                if typed == question.phrase:
                    return typed
            elif confirmed(typed):
                return typed.strip()
            elif typed.strip():
                raise Unanswered(question, f"the answer to “{question.name}” was no yes: {plain(typed.strip(), 200)}")
            self.say("That is not it; nothing was done. Ctrl+C parks the session.")

    async def _again(self, what: str) -> Choice:
        if not self._interactive:
            return Choice.STOP
        typed = await asked(self.lines, f"Type r to {what}, anything else to stop")
        return Choice.RETRY if typed is not None and typed.strip() == "r" else Choice.STOP

    def _at_work(self) -> str:
        latest = self._progress.latest(self._doing)
        far = f": {latest}" if latest else ""
        return f"{self._doing}: still at work after {self._clock() - self._since:.0f} s{far}"
