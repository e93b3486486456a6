"""A scenario for the wizard's screens: the drill, its cluster, and the sessions on it."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from atlasdb_recovery.cli.graph import practice_graph
from atlasdb_recovery.cli.practice import VERSIONS
from atlasdb_recovery.cli.quiet_front_end import QuietFrontEnd
from atlasdb_recovery.cli.replay import replay
from atlasdb_recovery.cli.sessions import PROCEDURES, Session, SessionFrontEnd
from atlasdb_recovery.journal.record import journal_path
from atlasdb_recovery.practice.scenarios.catalogue import SCENARIOS
from atlasdb_recovery.practice.scenarios.drill import BACKUP, Drill
from atlasdb_recovery.practice.scenarios.script import Script
from atlasdb_recovery.practice.scenarios.scripted_operator import ScriptedOperator
from atlasdb_recovery.practice.scenarios.world import Machines
from atlasdb_recovery.practice.simulated import Dialect, PacedClock, Speed
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.practice.unavailable import RealPracticeUnavailable
from atlasdb_recovery.procedure.answers import Answers
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.step import Danger
from atlasdb_recovery.settings import Settings
from tui.bridge import Bridge
from tui.workplace import Deed, Leaving, Lesson, Opening

SIMULATED = "simulated"
LEAVING = Leaving(
    help="A practice session ends with its cluster: parked, it goes on as long as this practice lasts, and n then also "
    "offers a new one; left, it is gone, and `atlasdb-recovery resume` knows nothing of it.",
    parked="Parking stops before the next effect. As long as this practice lasts the session can be resumed, or "
    "another one begun: n offers both. Leaving the practice ends both session and cluster.",
    left="A practice session ends with its cluster: nothing of it is kept, and it cannot be resumed.",
    farewell=("The practice session has ended with its cluster; nothing of it is kept. Begin a new one: Practise.",),
)


def lessons() -> Sequence[Lesson]:
    """Every scenario, in the order in which to learn them."""
    return [Lesson(one.name, one.title, one.not_real) for one in SCENARIOS.values()]


class PlayedDrill:
    """Lives from `prepare` to `close`; its cluster and files are gone afterwards."""

    def __init__(self, name: str, *, speed: str, nodes: str) -> None:
        self._scenario = SCENARIOS[name]
        self._speed = Speed(speed)
        self._nodes = nodes
        self._open = AsyncExitStack()
        self._drill: Drill | None = None

    async def prepare(self, say: Callable[[str], None]) -> Sequence[str]:
        """History and backup at once, whatever the speed: only the operator's part takes its time."""
        directory = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="atlasdb-recovery-practice-")))
        machines = await self._machines(directory / "nodes", say)
        self._drill = await self._open.enter_async_context(Drill(self._scenario, machines, directory))
        front_end = QuietFrontEnd(say)
        drill = self._drill

        async def conduct(procedure: str, settings: Settings) -> Outcome:
            """The backup before the page is told; the restore that judges the operator's backup is not."""
            sits_there = front_end if procedure == BACKUP else ScriptedOperator(drill, Script())
            return await self._session(settings, sits_there).run_new(procedure)

        outcome = await drill.prepare(conduct, say)
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError  # the operator left; a session takes that as the word to park
        if outcome is not Outcome.DONE:
            raise RealPracticeUnavailable("the practice world could not be made: its backup did not come to its end")
        return drill.briefing

    def opening(self) -> Opening:
        procedure = self._begun.scenario.procedure
        return Opening(procedure, "PRACTICE", self._begun.settings.keyspace, PROCEDURES[procedure]())

    def leaving(self) -> Leaving:
        return LEAVING

    async def begin(self, bridge: Bridge) -> Outcome:
        return await self._session(self._begun.settings, bridge).run_new(self._begun.scenario.procedure)

    async def resume(self, bridge: Bridge) -> Outcome:
        settings, session = self._begun.settings, self._begun.resumable
        if session is None:
            return await self.begin(bridge)
        replay(journal_path(settings.state_dir, session), bridge, SessionState(), after=0)
        return await self._session(settings, bridge).run_again(session)

    def deeds(self) -> Sequence[Deed]:
        return [
            Deed(action.key, action.name, action.stands_for, action.danger is Danger.DESTROYS)
            for action in self._begun.actions
        ]

    async def do(self, key: str) -> str:
        return (await self._begun.act(key)).seen

    async def debrief(self) -> Sequence[str]:
        return (await self._begun.debrief()).lines()

    async def close(self) -> None:
        await self._open.aclose()

    @property
    def _begun(self) -> Drill:
        assert self._drill is not None
        return self._drill

    def _session(self, settings: Settings, front_end: SessionFrontEnd) -> Session:
        drill = self._begun
        return Session(
            practice_graph(drill.nodes),
            settings,
            front_end,
            Answers(),
            lambda _: "resume, here in the practice world",
            with_report=False,
            journals=drill.journals,
        )

    async def _machines(self, place: Path, say: Callable[[str], None]) -> Machines:
        if self._nodes == SIMULATED:
            clock = PacedClock(time.time(), self._speed.pace)
            return SimulatedPractice(Dialect.APACHE, data_root=place, clock=clock)
        from atlasdb_recovery.practice.real_practice import real_practice

        version = self._nodes.removeprefix("real ")
        assert version in VERSIONS
        say(f"starting three real Cassandra {version} nodes; some minutes")
        return await self._open.enter_async_context(real_practice(version, place))
