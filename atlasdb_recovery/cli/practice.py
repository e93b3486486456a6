"""`practice`: a complete backup and restore on a cluster that may be broken."""

import sys
import tempfile
import time
from pathlib import Path

import click
import msgspec

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.cli.graph import practice_graph
from atlasdb_recovery.cli.interruption import DONE, interruptible
from atlasdb_recovery.cli.keyboard import is_interactive
from atlasdb_recovery.cli.lines import Lines
from atlasdb_recovery.cli.plain import PlainFrontEnd
from atlasdb_recovery.cli.sessions import Session
from atlasdb_recovery.cli.teaching import TeachingCommand
from atlasdb_recovery.practice.exercise import Exercise, PracticeCluster
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.practice.timestamp_endpoint import TimestampEndpoint
from atlasdb_recovery.procedure.answers import Answers
from atlasdb_recovery.procedure.guards.backup_guards import BACKUP_FILE
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.settings import Settings

VERSIONS = {"5.0": Dialect.APACHE, "2.2-palantir": Dialect.PALANTIR}
UNATTENDED = Answers({"offline": True, "clean-transactions": {"remove_at_most": 1_000_000}})


@click.command(
    cls=TeachingCommand,
    examples=(
        "atlasdb-recovery practice                              # in seconds, no Java; you answer at the terminal",
        "atlasdb-recovery practice --unattended --seed 7        # watch another history being restored",
        "atlasdb-recovery practice --real --version 2.2-palantir",
        "atlasdb-recovery practice --directory /tmp/practice    # keep backup, journal and report to look at",
    ),
    exits={0: "restored, and the oracle finds it right", 4: "a step failed, or the oracle finds it wrong"},
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
    real: bool, version: str, removal: str, seed: int, unattended: bool, directory: Path | None, verbose: bool
) -> int:
    """Practise: a service writes, a backup is taken while it does, the keyspace is lost, and you restore it.

    Nothing but its own cluster is touched. At the end an oracle reads the user's data as AtlasDB would and compares it
    with the truth at B. Without a terminal it says so and answers every question itself.
    """
    answers = Answers()
    if unattended or not is_interactive():
        click.echo("PRACTICE: runs unattended" + ("" if unattended else " (there is no terminal)"))
        answers = UNATTENDED
    front_end = PlainFrontEnd(Lines(sys.stdout), answers, interactive=is_interactive(), verbose=verbose)
    run = _Practice(front_end, answers, removal=removal, seed=seed, is_kept=directory is not None)
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        return interruptible(run.whole(real, version, directory.absolute()), nothing_begun=DONE)
    with tempfile.TemporaryDirectory(prefix="atlasdb-recovery-practice-") as temporary:
        return interruptible(run.whole(real, version, Path(temporary)), nothing_begun=DONE)


class _Practice:
    """One whole exercise, with a front-end to watch it."""

    def __init__(self, front_end: PlainFrontEnd, answers: Answers, *, removal: str, seed: int, is_kept: bool) -> None:
        self._front_end = front_end
        self._is_kept = is_kept
        self._answers = answers
        self._removal = removal
        self._seed = seed

    async def whole(self, real: bool, version: str, directory: Path) -> int:
        began = time.monotonic()
        if not real:
            simulated = SimulatedPractice(VERSIONS[version], seed=self._seed, data_root=directory / "nodes")
            self._say(f"PRACTICE on a simulated cluster (Cassandra {version}), {len(simulated.addresses)} nodes")
            return await self._exercise(simulated, directory)
        self._say(f"PRACTICE: starting three real Cassandra {version} nodes …")
        from atlasdb_recovery.practice.real_practice import real_practice

        async with real_practice(version, directory / "nodes") as nodes:
            self._say(f"{', '.join(nodes.addresses)} are up after {time.monotonic() - began:.0f} s")
            return await self._exercise(nodes, directory)

    async def _exercise(self, nodes: PracticeCluster, directory: Path) -> int:
        exercise = Exercise(nodes, seed=self._seed)
        settings = exercise.settings(directory, removal=self._removal)
        self._say("a service writes in AtlasDB's schemas 1, 2 and 3; one node misses a part of it")
        await exercise.make_history()
        exercise.start_service()
        with TimestampEndpoint(exercise.timestamps) as endpoint:
            self._say("the backup is taken while the service runs; its own endpoint hands out B and F")
            live = msgspec.structs.replace(settings, timestamp_servers=(endpoint.uri,))
            outcome = await self._session("backup", nodes, live)
        await exercise.kill_service()
        if outcome is not Outcome.DONE:
            return outcome
        self._say(f"THE LOSS: keyspace {exercise.keyspace} is dropped")
        await exercise.lose_keyspace()
        outcome = await self._session("restore", nodes, settings)
        return outcome if outcome is not Outcome.DONE else await self._judge(exercise, settings)

    async def _judge(self, exercise: Exercise, settings: Settings) -> int:
        backup = timestamp_file.read(settings.backup_dir / BACKUP_FILE)
        bound = await exercise.timestamps.bound()
        verdict = await exercise.judged(backup, (bound or 0) + 1)
        self._say(f"the history had {exercise.schemas_in_history()} committed transactions by schema")
        self._say(f"{len(exercise.writer.truth.straddling(backup))} of them straddled B = {backup}")
        self._say(f"ORACLE: {verdict.describe()}")
        return Outcome.DONE if verdict.is_right else Outcome.FAILED

    async def _session(self, procedure: str, nodes: PracticeCluster, settings: Settings) -> Outcome:
        """A practice session cannot be resumed: its cluster ends with this process."""
        session = Session(
            practice_graph(nodes), settings, self._front_end, self._answers, None, with_report=self._is_kept
        )
        return await session.run_new(procedure)

    def _say(self, line: str) -> None:
        self._front_end.say(line)
