"""Runs a session from its first event, or from wherever its journal ends."""

import asyncio
import getpass
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal, Protocol

from atlasdb_recovery import __version__
from atlasdb_recovery.cli.graph import live_context
from atlasdb_recovery.events import SessionResumed, SessionStarted
from atlasdb_recovery.journal import report as session_report
from atlasdb_recovery.journal.lock import Holder, OperatorLock, lock_paths
from atlasdb_recovery.journal.reader import JournalReader
from atlasdb_recovery.journal.record import Journal, journal_path
from atlasdb_recovery.journal.sessions import new_session_id
from atlasdb_recovery.procedure.answers import Answers
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.front_end import FrontEnd
from atlasdb_recovery.procedure.offline_watch import OfflineWatch
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import EventJournal, Outcome, Runner
from atlasdb_recovery.procedure.session import folded
from atlasdb_recovery.procedure.step import Step
from atlasdb_recovery.settings import Settings

PROCEDURES = {"backup": backup_steps, "restore": restore_steps}
FORMATS: tuple[Literal["md", "html"], ...] = ("md", "html")


class SessionFrontEnd(FrontEnd, Protocol):
    """A front-end that also takes lines about the session as a whole."""

    @property
    def parked_by(self) -> Sequence[signal.Signals]:
        """Signals that park the session; none where the front-end has its own way."""
        ...

    def say(self, line: str) -> None: ...

    async def keep_alive(self) -> None:
        """Shows that work goes on; runs until it is cancelled."""
        ...


async def run_new(
    procedure: str, settings: Settings, front_end: SessionFrontEnd, answers: Answers, *, take_over: bool
) -> Outcome:
    """Begin a session of this procedure on the live cluster."""
    session = new_session_id(procedure, settings.keyspace, datetime.now(UTC))
    if procedure == "backup":
        settings.backup_dir.mkdir(parents=True, exist_ok=True)
    async with live_context(settings, session, answers, offline=procedure == "restore") as context:
        with await _lock(context, session, take_over=take_over) as lock:
            context.hold_lock = lock.check
            journal = Journal.create(settings.state_dir, session, secrets=settings.secrets())
            for holder in lock.taken_from:
                front_end.say(f"WARNING: the lock was left behind by {holder}; it is ours now")
            started = SessionStarted(
                session=session,
                procedure=procedure,
                keyspace=settings.keyspace,
                mode=context.mode,
                version=__version__,
                operator=getpass.getuser(),
                host=socket.gethostname(),
                process=os.getpid(),
                settings=settings.shown(),
                cluster=(await context.cluster.identity()).cluster_name,
            )
            try:
                return await run_in(context, PROCEDURES[procedure](), journal, front_end, started)
            finally:
                journal.close()


async def run_again(
    session: str, settings: Settings, front_end: SessionFrontEnd, answers: Answers, *, take_over: bool
) -> Outcome:
    """Go on with a session that was parked, or whose process ended."""
    journal = Journal.open(settings.state_dir, session, secrets=settings.secrets())
    try:
        state = folded(record.event for record in journal.records())
        async with live_context(settings, session, answers, offline=state.procedure == "restore") as context:
            context.state = state
            with await _lock(context, session, take_over=take_over) as lock:
                context.hold_lock = lock.check
                resumed = SessionResumed(
                    operator=getpass.getuser(),
                    host=socket.gethostname(),
                    process=os.getpid(),
                    lock_taken_from="; ".join(str(holder) for holder in lock.taken_from),
                )
                return await run_in(context, PROCEDURES[state.procedure](), journal, front_end, resumed)
    finally:
        journal.close()


async def run_in(
    context: Context,
    steps: Sequence[Step],
    journal: EventJournal,
    front_end: SessionFrontEnd,
    first: SessionStarted | SessionResumed,
) -> Outcome:
    """Run the steps; cancelling it, and the front-end's `parked_by` signals, park the session."""
    journal.append(first)
    context.state.apply(first)
    front_end.show(first, context.state)
    procedure = Runner(steps, context, journal, front_end)
    runner = asyncio.create_task(procedure.run())
    beside = [asyncio.create_task(front_end.keep_alive())]
    if context.state.procedure == "restore":
        beside.append(asyncio.create_task(OfflineWatch(context, procedure.watched).run()))
    loop = asyncio.get_running_loop()
    for number in front_end.parked_by:
        with suppress(NotImplementedError, ValueError):
            loop.add_signal_handler(number, runner.cancel)
    try:
        outcome = await runner
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        for number in front_end.parked_by:
            loop.remove_signal_handler(number)
    _close(context, front_end, outcome)
    _write_report(context, front_end)
    return outcome


def _write_report(context: Context, front_end: SessionFrontEnd) -> None:
    journal = journal_path(context.state_directory, context.session)
    try:
        for form in FORMATS:
            session_report.write(JournalReader(journal), journal.with_name(f"report.{form}"), form)
    except (session_report.ReportUnwritable, OSError) as error:
        front_end.say(f"WARNING: the report could not be written: {error}")
        return
    front_end.say(f"report: {journal.with_name('report.html')}")


def _close(context: Context, front_end: SessionFrontEnd, outcome: Outcome) -> None:
    state = context.state
    if outcome is Outcome.DONE:
        what = "Restore complete" if state.procedure == "restore" else "Backup complete"
        front_end.say(f"{what}: keyspace {state.keyspace}, session {state.session}")
    else:
        open_steps = [name for name, step in state.steps.items() if not step.is_settled]
        front_end.say(f"NOT complete ({outcome.name.lower()}); unproven: {', '.join(open_steps) or 'all later steps'}")
        front_end.say(f"go on with: atlasdb-recovery resume {state.session}")


async def _lock(context: Context, session: str, *, take_over: bool) -> OperatorLock:
    cluster = (await context.cluster.identity()).cluster_name
    paths = lock_paths(context.state_directory, context.backup_dir, cluster, context.keyspace)
    return OperatorLock.acquire(paths, Holder.here(getpass.getuser(), session), take_over=take_over)


def is_interactive() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
