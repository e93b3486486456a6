"""`practice`: a complete backup and restore on a cluster that may be broken."""

import asyncio
import getpass
import os
import socket
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from atlasdb_recovery import __version__
from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.cli.plain import PlainFrontEnd
from atlasdb_recovery.cli.sessions import PROCEDURES, is_interactive, run_in
from atlasdb_recovery.events import SessionStarted
from atlasdb_recovery.journal.record import Journal
from atlasdb_recovery.journal.sessions import new_session_id
from atlasdb_recovery.practice.exercise import Exercise, PracticeCluster
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.practice.timestamp_endpoint import TimestampEndpoint
from atlasdb_recovery.procedure.answers import Answers
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.backup_guards import BACKUP_FILE
from atlasdb_recovery.procedure.guards.client_guards import NoClientsConnected
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.store_methods.choice import store_method
from atlasdb_recovery.settings import Settings
from atlasdb_recovery.timestamps.bound_store import EmbeddedTimestamps
from atlasdb_recovery.timestamps.remote import RemoteTimestamps
from atlasdb_recovery.timestamps.service import TimestampService, TimestampServiceRefused

VERSIONS = {"5.0": Dialect.APACHE, "2.2-palantir": Dialect.PALANTIR}
UNATTENDED = Answers({"offline": True, "clean-transactions": {"remove_at_most": 1_000_000}})


@click.command()
@click.option("--real", is_flag=True, help="Three real Cassandra nodes on 127.0.x.1 to .3 (needs a Java 17 runtime).")
@click.option("--version", type=click.Choice(list(VERSIONS)), default="5.0", show_default=True)
@click.option("--removal", type=click.Choice(["delete", "abort"]), default="delete", show_default=True)
@click.option("--seed", type=int, default=0, help="Another history.", show_default=True)
@click.option("--unattended", is_flag=True, help="Answer every question as a careful operator would.")
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), help="Keep backup and journal here.")
@click.option("--verbose", is_flag=True, help="Show every line that nodes print.")
def practice(
    real: bool, version: str, removal: str, seed: int, unattended: bool, directory: Path | None, verbose: bool
) -> int:
    """Practise: a service writes, a backup is taken while it does, the keyspace is lost, and you restore it.

    At the end an oracle reads the user's data as AtlasDB would and compares it with the truth at B.
    """
    answers = Answers()
    if unattended or not is_interactive():
        click.echo("PRACTICE: runs unattended" + ("" if unattended else " (there is no terminal)"))
        answers = UNATTENDED
    front_end = PlainFrontEnd(sys.stdout, answers, interactive=is_interactive(), verbose=verbose)
    run = _Practice(front_end, answers, removal=removal, seed=seed)
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        return asyncio.run(run.whole(real, version, directory))
    with tempfile.TemporaryDirectory(prefix="atlasdb-recovery-practice-") as temporary:
        return asyncio.run(run.whole(real, version, Path(temporary)))


class _Practice:
    """One whole exercise, with a front-end to watch it."""

    def __init__(self, front_end: PlainFrontEnd, answers: Answers, *, removal: str, seed: int) -> None:
        self._front_end = front_end
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
            live = RemoteTimestamps([endpoint.uri])
            outcome = await self._session("backup", exercise, settings, live)
        await exercise.kill_service()
        if outcome is not Outcome.DONE:
            return outcome
        self._say(f"THE LOSS: keyspace {exercise.keyspace} is dropped")
        await exercise.lose_keyspace()
        outcome = await self._session("restore", exercise, settings, None)
        return outcome if outcome is not Outcome.DONE else await self._judge(exercise, settings)

    async def _judge(self, exercise: Exercise, settings: Settings) -> int:
        backup = timestamp_file.read(settings.backup_dir / BACKUP_FILE)
        bound = await exercise.timestamps.bound()
        verdict = await exercise.judged(backup, (bound or 0) + 1)
        self._say(f"the history had {exercise.schemas_in_history()} committed transactions by schema")
        self._say(f"{len(exercise.writer.truth.straddling(backup))} of them straddled B = {backup}")
        self._say(f"ORACLE: {verdict.describe()}")
        return Outcome.DONE if verdict.is_right else Outcome.FAILED

    async def _session(
        self, procedure: str, exercise: Exercise, settings: Settings, live: TimestampService | None
    ) -> Outcome:
        session = new_session_id(procedure, settings.keyspace, datetime.now(UTC))
        context = _context(session, exercise, settings, live, self._answers)
        journal = Journal.create(settings.state_dir, session)
        started = SessionStarted(
            session=session,
            procedure=procedure,
            keyspace=settings.keyspace,
            mode="PRACTICE",
            version=__version__,
            operator=getpass.getuser(),
            host=socket.gethostname(),
            process=os.getpid(),
            settings=settings.shown(),
        )
        try:
            return await run_in(context, PROCEDURES[procedure](), journal, self._front_end, started)
        finally:
            journal.close()

    def _say(self, line: str) -> None:
        self._front_end.say(line)


def _context(
    session: str, exercise: Exercise, settings: Settings, live: TimestampService | None, answers: Answers
) -> Context:
    nodes = exercise.practice

    async def nobody_connected() -> None:
        result = await NoClientsConnected().check(context)
        if not result.status.lets_pass:
            raise TimestampServiceRefused(f"somebody is connected: {result.evidence}")

    context = Context(
        session=session,
        settings=settings,
        cluster=nodes.cluster,
        nodetool=nodes.nodetool,
        timestamps=live or EmbeddedTimestamps(nodes.cluster, settings.keyspace, nobody_connected),
        store=store_method(settings.store),
        mode="PRACTICE",
        answers=answers,
        state_directory=settings.state_dir,
        export_directory=settings.export_dir,
        local_addresses=nodes.local_addresses,
        seconds_now=nodes.seconds_now,
        wait=nodes.wait,
    )
    return context
