"""An operator who follows a script: for tests, and for a terminal where nobody sits."""

from collections.abc import Awaitable, Callable, Sequence

from atlasdb_recovery.events import ActedInPractice, Event, GuardChecked, StepFailed
from atlasdb_recovery.practice.scenarios.drill import Drill
from atlasdb_recovery.practice.scenarios.script import Act, Next, Script
from atlasdb_recovery.procedure.controls import Controls
from atlasdb_recovery.procedure.front_end import Answer, Choice
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.step import Question, Step

BY = "scripted operator"


class ScriptedOperator:
    """A front-end that answers every question as asked, and makes the script's moves; then it gives up."""

    def __init__(self, drill: Drill, script: Script, told: Callable[[ActedInPractice], None] = lambda _: None) -> None:
        self._drill = drill
        self._moves = list(script.moves)
        self._before = dict(script.before)
        self._told = told

    @property
    def moves_left(self) -> int:
        return len(self._moves)

    def begin(self, steps: Sequence[Step], controls: Controls) -> None:
        """It knows them."""

    def show(self, event: Event, state: SessionState) -> None:
        """It reads nothing."""

    def say(self, line: str) -> None:
        """It says nothing."""

    async def keep_alive(self) -> None:
        """It is never bored."""

    async def advance(self, step: Step, plan: Plan) -> Choice:
        for act in self._before.pop(step.name, ()):
            await self._act(act)
        return Choice.GO_ON

    async def answer(self, question: Question) -> Answer:
        return Answer(question.phrase or True, BY)

    async def after_refusal(self, step: Step, refusals: Sequence[GuardChecked]) -> Choice:
        return await self._choice()

    async def after_failure(self, step: Step, failure: StepFailed) -> Choice:
        return await self._choice()

    async def next(self) -> Next:
        """What to do now that a session has ended without being complete."""
        while self._moves:
            move = self._moves.pop(0)
            if isinstance(move, Act):
                await self._act(move)
            elif isinstance(move, Next):
                return move
        return Next.LEAVE

    async def _choice(self) -> Choice:
        while self._moves:
            move = self._moves[0]
            if isinstance(move, Next):
                break
            del self._moves[0]
            if isinstance(move, Choice):
                return move
            await self._act(move)
        return Choice.STOP

    async def _act(self, act: Act) -> None:
        self._told(await self._drill.act(act.key))


async def play(
    drill: Drill,
    begin: Callable[[Drill], Awaitable[Outcome]],
    resume: Callable[[Drill, str], Awaitable[Outcome]],
    next_move: Callable[[], Awaitable[Next]],
) -> Outcome:
    """Restore sessions until one is complete or the operator leaves; how the last one ended."""
    outcome = await begin(drill)
    while outcome is not Outcome.DONE:
        drill.world.connect_again()
        move = await next_move()
        if move is Next.LEAVE:
            break
        session = drill.resumable
        outcome = await (resume(drill, session) if move is Next.RESUME and session else begin(drill))
    return outcome
