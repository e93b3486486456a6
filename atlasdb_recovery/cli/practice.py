"""`practice`: a complete backup and restore on a cluster that may be broken, and scenarios to learn from."""

import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from atlasdb_recovery.cli.graph import practice_graph
from atlasdb_recovery.cli.interruption import DONE, interruptible
from atlasdb_recovery.cli.keyboard import is_interactive
from atlasdb_recovery.cli.lines import Lines
from atlasdb_recovery.cli.practice_front_end import PracticeFrontEnd
from atlasdb_recovery.cli.sessions import Session, SessionFrontEnd
from atlasdb_recovery.cli.teaching import TeachingCommand
from atlasdb_recovery.journal.lock import LockError
from atlasdb_recovery.practice.scenarios.catalogue import EVERYTHING_FINE, SCENARIOS
from atlasdb_recovery.practice.scenarios.drill import BACKUP, Drill
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Script
from atlasdb_recovery.practice.scenarios.scripted_operator import ScriptedOperator, play
from atlasdb_recovery.practice.scenarios.world import Machines
from atlasdb_recovery.practice.simulated import Dialect, PacedClock, Speed
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.answers import Answers
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.settings import Settings

VERSIONS = {"5.0": Dialect.APACHE, "2.2-palantir": Dialect.PALANTIR}
UNATTENDED = Answers({"offline": True, "clean-transactions": {"remove_at_most": 1_000_000}})


@dataclass(frozen=True)
class Wanted:
    """What the command line says."""

    scenario: str | None
    wrong_first: bool
    speed: Speed
    real: bool
    version: str
    removal: str
    seed: int
    directory: Path | None
    verbose: bool

    @property
    def drilled(self) -> type[Scenario]:
        return SCENARIOS[self.scenario or EVERYTHING_FINE]

    def check(self) -> None:
        """Raises click.UsageError where the options do not go together."""
        drilled = self.drilled
        if self.real and drilled.not_real:
            raise click.UsageError(f"{drilled.name} cannot be run with --real: {drilled.not_real}. Leave --real out.")
        if self.real and self.speed is not Speed.INSTANT:
            raise click.UsageError("Real nodes take the time they take: leave out --speed, or --real.")


def _list(context: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        for scenario in SCENARIOS.values():
            click.echo(f"{scenario.name:48}{scenario.title}" + (" (simulated only)" if scenario.not_real else ""))
        context.exit()


@click.command(
    cls=TeachingCommand,
    examples=(
        "atlasdb-recovery practice                              # in seconds, no Java; you answer at the terminal",
        "atlasdb-recovery practice --list                       # what can go wrong here",
        "atlasdb-recovery practice --scenario node-dies-in-the-repair --speed 10x",
        "atlasdb-recovery practice --unattended --seed 7        # watch another history being restored",
        "atlasdb-recovery practice --real --version 2.2-palantir",
        "atlasdb-recovery practice --directory /tmp/practice    # keep backup, journal and report to look at",
    ),
    exits={0: "restored, and the oracle finds it right", 4: "a step failed, or the oracle finds it wrong"},
)
@click.option(
    "--scenario",
    type=click.Choice(list(SCENARIOS)),
    metavar="NAME",
    help="Practise for one thing that goes wrong; --list names them.",
)
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list,
    help="Every scenario, in the order in which to learn them.",
)
@click.option("--wrong-first", is_flag=True, help="Unattended: watch somebody who does the wrong thing first.")
@click.option(
    "--speed",
    type=click.Choice([speed.value for speed in Speed]),
    default=Speed.INSTANT.value,
    show_default=True,
    help="How fast the simulated cluster's time goes by.",
)
@click.option("--real", is_flag=True, help="Three real Cassandra nodes on 127.0.x.1 to .3 (needs a Java 17 runtime).")
@click.option(
    "--version", type=click.Choice(list(VERSIONS)), default="5.0", show_default=True, help="Which Cassandra it is."
)
@click.option(
    "--removal",
    type=click.Choice(["delete", "abort"]),
    default="delete",
    show_default=True,
    help="How transactions after B are removed; schema 3 is always aborted.",
)
@click.option("--seed", type=int, default=0, help="Another history.", show_default=True)
@click.option("--unattended", is_flag=True, help="Answer every question as a careful operator would.")
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), help="Keep backup and journal here.")
@click.option("--verbose", is_flag=True, help="Show every line that nodes print.")
def practice(
    scenario: str | None,
    wrong_first: bool,
    speed: str,
    real: bool,
    version: str,
    removal: str,
    seed: int,
    unattended: bool,
    directory: Path | None,
    verbose: bool,
) -> int:
    """Practise: a service writes, a backup is taken while it does, the keyspace is lost, and you restore it.

    Nothing but its own cluster is touched. At the end an oracle reads the user's data as AtlasDB would and compares it
    with the truth at B. With a scenario something goes wrong on the way; at the terminal you can act in the practice
    world as you would in another window, and a debrief says afterwards what happened and what was missed. Without a
    terminal it says so and answers every question itself.
    """
    wanted = Wanted(scenario, wrong_first, Speed(speed), real, version, removal, seed, directory, verbose)
    wanted.check()
    is_played = unattended or not is_interactive()
    if is_played:
        click.echo("PRACTICE: runs unattended" + ("" if unattended else " (there is no terminal)"))
    if wanted.directory is not None:
        wanted.directory.mkdir(parents=True, exist_ok=True)
        run = _Practice(wanted, wanted.directory.absolute(), is_played=is_played)
        return interruptible(run.whole(), nothing_begun=DONE)
    with tempfile.TemporaryDirectory(prefix="atlasdb-recovery-practice-") as temporary:
        run = _Practice(wanted, Path(temporary), is_played=is_played)
        return interruptible(run.whole(), nothing_begun=DONE)


class _Practice:
    """One whole drill in line mode."""

    def __init__(self, wanted: Wanted, directory: Path, *, is_played: bool) -> None:
        self._wanted = wanted
        self._directory = directory
        self._is_played = is_played
        self._answers = UNATTENDED if is_played else Answers()
        self._front_end = PracticeFrontEnd(
            Lines(sys.stdout), self._answers, interactive=is_interactive(), verbose=wanted.verbose
        )

    async def whole(self) -> int:
        wanted = self._wanted
        async with (
            self._machines() as nodes,
            Drill(wanted.drilled, nodes, self._directory, seed=wanted.seed, removal=wanted.removal) as drill,
        ):
            outcome = await drill.prepare(partial(self._conducted, drill), self._front_end.say)
            if outcome is not Outcome.DONE:
                return outcome
            self._front_end.entered(drill, self._script(drill))
            return await self._turn(drill)

    async def _conducted(self, drill: Drill, procedure: str, settings: Settings) -> Outcome:
        """The backup before the page is watched; the restore that judges the operator's backup is not."""
        front_end = self._front_end if procedure == BACKUP else ScriptedOperator(drill, Script())
        return await self._session(drill, settings, front_end).run_new(procedure)

    async def _turn(self, drill: Drill) -> int:
        """The operator's."""
        if self._wanted.scenario is None:
            outcome = await self.begin(drill)
            return outcome if outcome is not Outcome.DONE else await self._judge(drill)
        for paragraph in drill.briefing:
            self._front_end.say(f"BRIEFING: {paragraph}")
        outcome = await play(drill, self.begin, self.resume, self._front_end.next_move)
        debrief = await drill.debrief()
        for line in debrief.lines():
            self._front_end.say(line)
        return outcome if outcome is not Outcome.DONE or debrief.is_right else Outcome.FAILED

    async def begin(self, drill: Drill) -> Outcome:
        return await self._unless_locked_out(
            self._session(drill, drill.settings, self._front_end).run_new(drill.scenario.procedure)
        )

    async def resume(self, drill: Drill, session: str) -> Outcome:
        return await self._unless_locked_out(self._session(drill, drill.settings, self._front_end).run_again(session))

    async def _unless_locked_out(self, session: Coroutine[Any, Any, Outcome]) -> Outcome:
        """In the practice world the lock can be deleted under the session's hand."""
        try:
            return await session
        except LockError as error:
            self._front_end.say(str(error))
            return Outcome.FAILED

    async def _judge(self, drill: Drill) -> int:
        world, verdict = drill.world, await drill.judge()
        assert verdict is not None
        straddling = world.exercise.writer.truth.straddling(world.backup_timestamp)
        self._front_end.say(f"the history had {world.exercise.schemas_in_history()} committed transactions by schema")
        self._front_end.say(f"{len(straddling)} of them straddled B = {world.backup_timestamp}")
        self._front_end.say(f"ORACLE: {verdict.describe()}")
        return Outcome.DONE if verdict.is_right else Outcome.FAILED

    def _session(self, drill: Drill, settings: Settings, front_end: SessionFrontEnd) -> Session:
        """A practice session cannot be resumed once its cluster has ended with this process."""
        return Session(
            practice_graph(drill.nodes),
            settings,
            front_end,
            self._answers,
            None if self._wanted.scenario is None else lambda _: "resume, at the question that follows",
            with_report=self._wanted.directory is not None,
            journals=drill.journals,
        )

    def _script(self, drill: Drill) -> Script | None:
        if not self._is_played:
            return None
        return drill.scenario.wrong_first if self._wanted.wrong_first else drill.scenario.right

    @asynccontextmanager
    async def _machines(self) -> AsyncIterator[Machines]:
        version, began, place = self._wanted.version, time.monotonic(), self._directory / "nodes"
        if not self._wanted.real:
            clock = PacedClock(time.time(), self._wanted.speed.pace)
            simulated = SimulatedPractice(VERSIONS[version], seed=self._wanted.seed, data_root=place, clock=clock)
            nodes = len(simulated.addresses)
            self._front_end.say(f"PRACTICE on a simulated cluster (Cassandra {version}), {nodes} nodes")
            yield simulated
            return
        self._front_end.say(f"PRACTICE: starting three real Cassandra {version} nodes …")
        from atlasdb_recovery.practice.real_practice import real_practice

        async with real_practice(version, place) as real:
            self._front_end.say(f"{', '.join(real.addresses)} are up after {time.monotonic() - began:.0f} s")
            yield real
