"""A drill played to its end by a scripted operator, through the sessions that the program itself runs."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from atlasdb_recovery.cli.graph import practice_graph
from atlasdb_recovery.cli.sessions import Session
from atlasdb_recovery.practice.scenarios.catalogue import SCENARIOS
from atlasdb_recovery.practice.scenarios.debrief import Debrief
from atlasdb_recovery.practice.scenarios.drill import Drill
from atlasdb_recovery.practice.scenarios.script import Script
from atlasdb_recovery.practice.scenarios.scripted_operator import ScriptedOperator, play
from atlasdb_recovery.practice.scenarios.world import Machines
from atlasdb_recovery.practice.simulated import Dialect, PacedClock
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.answers import Answers
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.settings import Settings


def machines(directory: Path, dialect: Dialect = Dialect.APACHE) -> SimulatedPractice:
    """Three simulated nodes whose time takes no time."""
    return SimulatedPractice(dialect, data_root=directory / "nodes", clock=PacedClock(time.time()))


@asynccontextmanager
async def paged(name: str, nodes: Machines, directory: Path) -> AsyncIterator[Drill]:
    """The drill at the moment of the page."""
    async with Drill(SCENARIOS[name], nodes, directory) as drill:

        async def conduct(procedure: str, settings: Settings) -> Outcome:
            return await _session(drill, settings, ScriptedOperator(drill, Script())).run_new(procedure)

        assert await drill.prepare(conduct) is Outcome.DONE
        yield drill


async def played(drill: Drill, script: Script) -> tuple[Outcome, Debrief]:
    """Every move of the script must have been wanted."""
    operator = ScriptedOperator(drill, script)

    async def begin(drill: Drill) -> Outcome:
        return await _session(drill, drill.settings, operator).run_new(drill.scenario.procedure)

    async def resume(drill: Drill, session: str) -> Outcome:
        return await _session(drill, drill.settings, operator).run_again(session)

    outcome = await play(drill, begin, resume, operator.next)
    assert operator.moves_left == 0
    return outcome, await drill.debrief()


def _session(drill: Drill, settings: Settings, operator: ScriptedOperator) -> Session:
    return Session(
        practice_graph(drill.nodes), settings, operator, Answers(), None, with_report=False, journals=drill.journals
    )
