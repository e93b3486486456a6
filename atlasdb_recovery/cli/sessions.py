"""Runs a session from its first event, or from wherever its journal ends."""

import asyncio
import getpass
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from atlasdb_recovery import __version__
from atlasdb_recovery.atlas.yaml_document import ConfigurationError
from atlasdb_recovery.cli.graph import Graph
from atlasdb_recovery.cli.lines import while_alive
from atlasdb_recovery.events import Event, Noted, SessionResumed, SessionStarted
from atlasdb_recovery.journal import report as session_report
from atlasdb_recovery.journal.lock import Holder, OperatorLock, lock_paths
from atlasdb_recovery.journal.record import EventJournal, Journal, JournalInUse, journal_path
from atlasdb_recovery.journal.sessions import SessionOver, new_session_id, summary
from atlasdb_recovery.procedure.answers import Answers
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.controls import Controls
from atlasdb_recovery.procedure.front_end import FrontEnd
from atlasdb_recovery.procedure.offline_watch import OfflineWatch
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome, Runner
from atlasdb_recovery.procedure.session import SessionState, folded
from atlasdb_recovery.procedure.step import Step
from atlasdb_recovery.settings import Settings

PROCEDURES = {"backup": backup_steps, "restore": restore_steps}


class SessionFrontEnd(FrontEnd, Protocol):
    """A front-end that also takes lines about the session as a whole."""

    def begin(self, steps: Sequence[Step], controls: Controls) -> None:
        """These steps are about to be run, in this order; `controls` is what may be asked of the one at work."""
        ...

    def say(self, line: str) -> None: ...

    async def keep_alive(self) -> None:
        """Shows that work goes on; runs until it is cancelled."""
        ...


class Journals(Protocol):
    """Where the journals of sessions are kept."""

    def create(self, state_dir: Path, session: str, *, secrets: frozenset[str]) -> EventJournal: ...

    def open(self, state_dir: Path, session: str, *, secrets: frozenset[str]) -> EventJournal: ...


class Session:
    """One run of a procedure by one front-end. `resume_command` gives the line that goes on with a session."""

    def __init__(
        self,
        graph: Graph,
        settings: Settings,
        front_end: SessionFrontEnd,
        answers: Answers,
        resume_command: Callable[[str], str] | None,
        *,
        take_over: bool = False,
        with_report: bool = True,
        journals: Journals = Journal,
    ) -> None:
        self._graph = graph
        self._settings = settings
        self._front_end = front_end
        self._answers = answers
        self._resume_command = resume_command
        self._take_over = take_over
        self._with_report = with_report
        self._outcome: Outcome | None = None
        """None until the session has begun; from then on it is parked, unless it ends otherwise."""
        self._journals = journals

    async def run_new(self, procedure: str) -> Outcome:
        """Begin a session of this procedure."""
        settings = self._settings
        session = new_session_id(procedure, settings.keyspace, datetime.now(UTC))
        with self._ending():
            async with self._connected(session, procedure) as context:
                if procedure == "backup":
                    settings.backup_dir.mkdir(parents=True, exist_ok=True)
                with await self._locked(context) as lock:
                    context.hold_lock = lock.check
                    journal = self._journals.create(settings.state_dir, session, secrets=settings.secrets())
                    with closing(journal):
                        started = await _started(context, procedure)
                        await self._run(context, procedure, journal, [started, *_taken(lock)])
        assert self._outcome is not None
        return self._outcome

    async def run_again(self, session: str) -> Outcome:
        """Go on with a session that was parked, or whose process ended."""
        with self._ending(), closing(self._opened(session)) as journal:
            state = folded(record.event for record in journal.records())
            if state.outcome == "aborted":
                raise SessionOver(f"session {session} was given up: {state.reason}. Begin a new one.")
            async with self._connected(session, state.procedure) as context:
                _require_same(state, context)
                context.state = state
                with await self._locked(context) as lock:
                    context.hold_lock = lock.check
                    await self._run(context, state.procedure, journal, [_resumed(lock)])
        assert self._outcome is not None
        return self._outcome

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Being interrupted changes nothing any more once the session has come to an outcome."""
        self._outcome = None
        try:
            yield
        except asyncio.CancelledError:
            if self._outcome is None:
                raise

    def _opened(self, session: str) -> EventJournal:
        settings = self._settings
        try:
            return self._journals.open(settings.state_dir, session, secrets=settings.secrets())
        except JournalInUse as error:
            raise JournalInUse(error.path, summary(error.path).operator) from None

    async def _run(self, context: Context, procedure: str, journal: EventJournal, first: Sequence[Event]) -> None:
        """Run the steps; cancelling it parks the session."""
        steps = PROCEDURES[procedure]()
        self._front_end.begin(steps, context.controls)
        self._outcome = Outcome.PARKED
        for event in first:
            journal.append(event)
            context.state.apply(event)
            self._front_end.show(event, context.state)
        runner = Runner(steps, context, journal, self._front_end)
        async with _watch(runner, context):
            self._outcome = await runner.run()
        self._close(context.state, steps, self._outcome)
        if self._with_report:
            self._write_report(context)

    @asynccontextmanager
    async def _connected(self, session: str, procedure: str) -> AsyncIterator[Context]:
        if self._resume_command is not None:
            cql = self._settings.cql
            self._front_end.say(f"connecting to {', '.join(cql.contact_points)}, port {cql.port}")
        async with (
            while_alive(self._front_end),
            self._graph(self._settings, session, self._answers, offline=procedure == "restore") as context,
        ):
            yield context

    async def _locked(self, context: Context) -> OperatorLock:
        cluster = (await context.cluster.identity()).cluster_name
        paths = lock_paths(context.state_directory, context.backup_dir, cluster, context.keyspace)
        return OperatorLock.acquire(paths, Holder.here(getpass.getuser(), context.session), take_over=self._take_over)

    def _close(self, state: SessionState, steps: Sequence[Step], outcome: Outcome) -> None:
        if outcome is Outcome.DONE:
            restored = state.procedure == "restore"
            self._front_end.say(
                f"{'Restore' if restored else 'Backup'} complete: keyspace {state.keyspace}, session {state.session}"
                + (". The service may be started." if restored else "")
            )
            return
        unproven = ", ".join(step.name for step in steps if not state.step(step.name).is_settled)
        self._front_end.say(f"NOT complete ({outcome.name.lower()}); unproven: {unproven}")
        if self._resume_command is None:
            self._front_end.say("a practice session ends with its cluster; begin a new one: atlasdb-recovery practice")
        else:
            self._front_end.say(f"go on with: {self._resume_command(state.session)}")

    def _write_report(self, context: Context) -> None:
        journal = journal_path(context.state_directory, context.session)
        try:
            session_report.write_beside(journal)
        except (session_report.ReportUnwritable, OSError) as error:
            self._front_end.say(f"WARNING: the report could not be written: {error}")
            return
        self._front_end.say(f"report: {journal.with_name('report.html')}")


@asynccontextmanager
async def _watch(runner: Runner, context: Context) -> AsyncIterator[None]:
    """While a restore runs, an eye on who connects."""
    if context.state.procedure != "restore":
        yield
        return
    watch = asyncio.create_task(OfflineWatch(context, runner.watched).run())
    try:
        yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):  # a second signal must not take the outcome away
            await asyncio.gather(watch, return_exceptions=True)


async def _started(context: Context, procedure: str) -> SessionStarted:
    return SessionStarted(
        session=context.session,
        procedure=procedure,
        keyspace=context.keyspace,
        mode=context.mode,
        version=__version__,
        operator=getpass.getuser(),
        host=socket.gethostname(),
        process=os.getpid(),
        settings=context.settings.shown(),
        cluster=(await context.cluster.identity()).cluster_name,
    )


def _resumed(lock: OperatorLock) -> SessionResumed:
    return SessionResumed(
        operator=getpass.getuser(),
        host=socket.gethostname(),
        process=os.getpid(),
        lock_taken_from="; ".join(str(holder) for holder in lock.taken_from),
    )


def _taken(lock: OperatorLock) -> list[Noted]:
    return [Noted(level="warning", text=f"the lock was taken over from {holder}") for holder in lock.taken_from]


def _require_same(state: SessionState, context: Context) -> None:
    """A session goes on with the keyspace it began with, and neither leaves practice nor enters it."""
    if state.mode != context.mode:
        raise ConfigurationError(
            f"session {state.session} is {state.mode}, and this is {context.mode}",
            "A practice session ends with its cluster. Begin a new one: atlasdb-recovery practice.",
        )
    if state.keyspace != context.keyspace:
        raise ConfigurationError(
            f"session {state.session} is of keyspace {state.keyspace}, the settings name {context.keyspace}",
            "Give the settings that the session was begun with, or the id of another session.",
        )
