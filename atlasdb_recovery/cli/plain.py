"""Line mode: the same events as the wizard, one line each, readable on a dumb terminal and in a log."""

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

from atlasdb_recovery.events import Event, GuardChecked, LinePrinted, Progressed, StepFailed
from atlasdb_recovery.pace import Pace
from atlasdb_recovery.procedure.answers import Answers
from atlasdb_recovery.procedure.front_end import Answer, Choice, Unanswered
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.step import Question, Step
from atlasdb_recovery.wording import lines_for

SILENT_FOR_AT_MOST = 8.0
PROGRESS_EVERY = 2.0
ANSWERS_FILE = "answers file"


class PlainFrontEnd:
    """Prints to `out`, asks at `ask` if there is a terminal, and answers from the answers file first."""

    parked_by = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self, out: TextIO, answers: Answers, *, interactive: bool, verbose: bool = False) -> None:
        self._out = out
        self._answers = answers
        self._interactive = interactive
        self._verbose = verbose
        self._paces: dict[tuple[str, str], Pace] = {}
        self._printed_at = time.monotonic()
        self._doing = "starting"

    def show(self, event: Event, state: SessionState) -> None:
        """One or more lines, or none: raw node lines only if verbose, progress now and then."""
        self._doing = state.current or self._doing
        if isinstance(event, Progressed):
            self._progress(event)
        elif not isinstance(event, LinePrinted) or self._verbose:
            for line in lines_for(event):
                self.say(line)

    async def keep_alive(self) -> None:
        """A line at least every ten seconds of work. Runs until it is cancelled."""
        while True:
            await asyncio.sleep(1.0)
            silent = time.monotonic() - self._printed_at
            if silent >= SILENT_FOR_AT_MOST:
                self.say(f"… {self._doing}: still at work, {self._latest()}")

    async def advance(self, step: Step, plan: Plan) -> Choice:
        """Line mode goes on by itself: what needs a word has a question of its own."""
        return Choice.GO_ON

    async def answer(self, question: Question) -> Answer:
        if question.name in self._answers:
            return Answer(self._foretold(question), ANSWERS_FILE)
        if not self._interactive:
            raise Unanswered(question, f"the question “{question.name}” is not answered and there is no terminal")
        for line in question.detail:
            self.say(f"    {line}")
        return Answer(await self._typed(question), "terminal")

    async def after_refusal(self, step: Step, refusals: Sequence[GuardChecked]) -> Choice:
        """At a terminal the operator may mend it and check again; otherwise it ends here."""
        self.say(f"{step.name}: {len(refusals)} guards refuse; nothing was changed by this step")
        return await self._again()

    async def after_failure(self, step: Step, failure: StepFailed) -> Choice:
        return await self._again()

    def say(self, line: str) -> None:
        self._printed_at = time.monotonic()
        print(f"{datetime.now(UTC):%H:%M:%S}  {line}", file=self._out, flush=True)

    def _foretold(self, question: Question) -> object:
        value = self._answers[question.name]
        if value is False:
            raise Unanswered(question, f"the answers file says no to “{question.name}”")
        if question.remove_at_most_needed is not None:
            allowed = self._answers.remove_at_most(question.name)
            if allowed is None or allowed < question.remove_at_most_needed:
                raise Unanswered(
                    question,
                    f"{question.remove_at_most_needed} removals are needed, but the answers file allows "
                    f"{'none' if allowed is None else allowed} ({question.name}: {{remove_at_most: N}})",
                )
        elif question.phrase and value not in (True, question.phrase):
            raise Unanswered(question, f"the answer to “{question.name}” is not the phrase “{question.phrase}”")
        return value

    async def _typed(self, question: Question) -> str:
        wanted = f"Type exactly:  {question.phrase}" if question.phrase else "Type yes, or how it was done"
        while True:
            self.say(question.text)
            print(f"{wanted}\n> ", end="", file=self._out, flush=True)
            line = await _typed_line()
            if not line:
                raise Unanswered(question, f"the question “{question.name}” was not answered: end of input")
            typed = line.rstrip("\n")
            if question.phrase:
                if typed == question.phrase:
                    return typed
            elif typed.strip().lower() not in {"", "n", "no"}:
                return typed.strip()
            elif typed.strip():
                raise Unanswered(question, f"the answer to “{question.name}” was no")
            self.say("That is not it; nothing was done. Ctrl+C parks the session.")

    async def _again(self) -> Choice:
        if not self._interactive:
            return Choice.STOP
        print("Type r to check again, anything else to stop\n> ", end="", file=self._out, flush=True)
        line = await _typed_line()
        return Choice.RETRY if line.strip() == "r" else Choice.STOP

    def _progress(self, event: Progressed) -> None:
        pace = self._paces.setdefault((event.step, event.scope), Pace(event.unit))
        pace.note(event.done, event.total)
        if pace.is_due(PROGRESS_EVERY):
            scope = f" {event.scope}" if event.scope else ""
            self.say(f"{event.step}{scope}: {pace.describe()}{' — ' + event.note if event.note else ''}")

    def _latest(self) -> str:
        current = [pace.describe() for (step, _), pace in self._paces.items() if step == self._doing]
        return current[-1] if current else "no count yet"


async def _typed_line() -> str:
    """The next line of standard input; "" at its end. A daemon thread waits for it, so that a signal can end us."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def settle(line: str) -> None:
        if not typed.done():
            typed.set_result(line)

    def wait() -> None:
        line = sys.stdin.readline()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, line)

    threading.Thread(target=wait, daemon=True).start()
    return await typed
