"""The repair's screen over the engine itself, on a simulated cluster: a retry, and a node that is stopped."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.simulated import Dialect, RepairFault
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome, Runner
from screens.repair import RepairScreen
from tests.repair.bench import FIFTH, SECOND, RepairBench
from tests.restore.arena import CAREFUL
from tests.screens.conftest import screen_lines
from tests.screens.repair_feed import STEP, RepairApp
from tui.bridge import Bridge, Failed, ToAnswer, ToBegin, Waiting
from tui.look import Look
from tui.repair_board import NodeStatus
from tui.session_view import SessionView

HANGS = RepairFault(silent_after=2, silent_for=1e9)
"""nodetool says nothing after its first lines; the server goes on by itself."""


@pytest.fixture
async def bench(tmp_path: Path) -> RepairBench:
    """Five nodes, three token ranges each; a backup was taken and the keyspace is lost."""
    made = RepairBench(Dialect.APACHE, tmp_path)
    made.simulated.repair_blindness = 0.0
    await made.back_up_and_lose()
    return made


class Session:
    """The restore up to the end of its repair; the operator's keys reach it through the screen."""

    def __init__(self, screen: RepairScreen, pilot: Pilot[None], run: "asyncio.Task[Outcome]") -> None:
        self.screen = screen
        self.pilot = pilot
        self.run = run

    @property
    def text(self) -> str:
        return "\n".join(screen_lines(self.pilot.app))

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not holds():
                await self.pilot.pause()
        self.screen.redraw()
        await self.pilot.pause()

    async def until_waiting(self, kind: type[Waiting]) -> None:
        """For the operator, at the repair."""

        def holds() -> bool:
            waiting = self.screen.bridge.waiting
            return isinstance(waiting, kind) and waiting.step == STEP

        await self.until(holds)


async def steps_before(bridge: Bridge) -> None:
    """Nothing of them is on trial here."""
    while True:
        waiting = bridge.waiting
        if isinstance(waiting, ToAnswer):
            bridge.decide(waiting, CAREFUL[waiting.question.name])
        elif isinstance(waiting, ToBegin):
            if waiting.step == STEP:
                return
            bridge.decide(waiting, Choice.GO_ON)
        await asyncio.sleep(0)


@asynccontextmanager
async def session(bench: RepairBench) -> AsyncIterator[Session]:
    steps = restore_steps()[:3]
    bridge = Bridge(SessionView(steps, mode="PRACTICE", keyspace=bench.exercise.keyspace))
    context = bench.context({})
    bridge.begin(steps, context.controls)
    started = bench.started("restore", context.session)
    context.state.apply(started)
    bridge.show(started, context.state)
    run = asyncio.create_task(Runner(steps, context, MemoryJournal(), bridge).run())
    await steps_before(bridge)
    app = RepairApp(bridge, Look.chosen(environment={}))
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, RepairScreen)
        yield Session(app.screen, pilot, run)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


async def test_next_after_a_failure_repairs_what_failed_and_nothing_else(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(failed_session=1))
    async with session(bench) as at:
        assert "n begins repair" in at.text
        await at.pilot.press("n")
        await at.until_waiting(Failed)
        row = at.screen.board.row(SECOND)
        assert (row.state, row.done, row.failed) == (NodeStatus.FAILED, 2, 1)
        assert "1 range FAILED on 1 node" in at.text
        assert "Next repairs only what is not proven:" in at.text
        await at.pilot.press("n")
        await at.until_waiting(ToBegin)
        assert not at.screen.is_on_board
        assert f"{SECOND}: 1 of 3 token ranges left to repair" in at.text
        await at.pilot.press("n")
        assert await at.run is Outcome.DONE
        assert (row.state, row.attempt, row.done) == (NodeStatus.REPAIRED, 2, 3)
        assert {one.attempt for one in at.screen.board.rows.values()} == {1, 2}
    assert bench.replicas_differ_in() == set()


async def test_a_silent_node_is_stopped_and_what_goes_on_is_said(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(FIFTH, HANGS)
    async with session(bench) as at:
        await at.pilot.press("n")
        row = at.screen.board.row(FIFTH)
        await at.until(lambda: row.answered is not None)
        await at.pilot.press("s", "end")
        assert at.screen.table.chosen is row
        await at.pilot.press("x")
        assert f"Stop the repair of {FIFTH}?" in at.text
        await at.pilot.press("down", "enter")
        await at.until_waiting(Failed)
        assert row.state is NodeStatus.STOPPED
        assert "Cassandra goes on with this repair to its end" in " ".join(at.text.split())
        assert f"FAILED: the repair is not proven on {FIFTH}" in at.text
