"""What the three timestamp commands do, outside a session: guarded, proven, and told in plain words."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.cli.graph import Graph
from atlasdb_recovery.cli.interruption import Interrupted
from atlasdb_recovery.cli.keyboard import asked, is_interactive
from atlasdb_recovery.cli.lines import AtWork, Lines, while_alive
from atlasdb_recovery.cli.punch import wall_clock_of
from atlasdb_recovery.cli.standalone import locked, refused
from atlasdb_recovery.events import FactEstablished, Progressed
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.journal.sessions import CLEAN, new_session_id
from atlasdb_recovery.pace import Pace
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.bound_guard import BackupTimestampHandedOut
from atlasdb_recovery.procedure.guards.client_guards import NoClientsConnected
from atlasdb_recovery.procedure.guards.guard import GuardStatus
from atlasdb_recovery.procedure.guards.sealed_timestamp import TimestampOfBackup
from atlasdb_recovery.procedure.runner import Outcome, checked
from atlasdb_recovery.procedure.steps.clean_transactions import CleanTransactions
from atlasdb_recovery.settings import Settings
from atlasdb_recovery.timestamps.service import ASKED_ABOVE_BOUND, TimestampService

SAID_EVERY = 5.0
AGAIN = "interrupted; whether it was done is not known: run the same line again, that is safe"


class TimestampCommands:
    """One run of one of them on one keyspace. `file` is the timestamp file that was named, if one was."""

    def __init__(self, graph: Graph, settings: Settings, file: Path | None, *, offline: bool) -> None:
        self._graph = graph
        self._settings = settings
        self._file = file
        self._offline = offline
        self._working = AtWork(Lines(sys.stderr, stamped=False), "guards look")

    async def fetch(self, *, immutable: bool, date_time: bool) -> int:
        """Prints a fresh timestamp and writes it to the file."""
        async with self._connected("fetch") as context:
            if not await self._nobody_or_offline(context):
                return Outcome.PARKED
            if await refused(context, preflight.before_timestamps()):
                return Outcome.REFUSED
            locks = context.timestamps.immutable_locks if immutable else None
            fresh = await (context.timestamps.fresh_timestamp() if locks is None else locks.immutable_timestamp())
            if self._file is not None:
                timestamp_file.write(self._file, fresh)
            word = "immutable" if immutable else "fresh"
            click.echo(f"The {word} timestamp is: {fresh}")
            click.echo(f"from {context.timestamps.description}")
            if immutable and locks is None:
                click.echo("(with no client running, every transaction below a fresh timestamp is finished)")
            if self._file is not None:
                click.echo(f"written to {self._file}")
            if date_time:
                noted = await wall_clock_of(context.cluster, context.keyspace, fresh)
                click.echo(f"Wall clock datetime of {word.capitalize()} timestamp is: {noted}")
            return Outcome.DONE

    async def clean_transactions(self, after: int) -> int:
        """Exports and removes what committed after `after`, re-reads each, scans again; the word offline is asked."""
        if not await self._is_said_to_be_offline(f"remove transactions after {after}"):
            return Outcome.PARKED
        async with self._connected(CLEAN) as context, self._locked(context):
            identity = facts.identity_fact(await context.cluster.identity())
            known = {facts.IDENTITY: identity, facts.BACKUP_TIMESTAMP: after}
            if await refused(context, [self._of_backup(after, is_forward=False)]):
                return Outcome.REFUSED
            manifest = context.manifest
            if manifest is not None and manifest.backup_timestamp == after:
                known[facts.FAST_FORWARD_TIMESTAMP] = manifest.fast_forward_timestamp
            for name, value in known.items():
                context.state.apply(FactEstablished(name=name, value=value))
            if await refused(context, preflight.before_standalone_removal()):
                return Outcome.REFUSED
            handed_out = await checked(guard := BackupTimestampHandedOut(), context)
            if not handed_out.status.lets_pass:
                click.echo(f"WARNING: {handed_out.evidence}. {guard.remedy_for(handed_out)}", err=True)
            return await self._cleaned(context, CleanTransactions())

    async def fast_forward(self, target: int) -> int:
        """Fast-forwards and says what is true afterwards; asks for the word offline."""
        if not await self._is_said_to_be_offline(f"fast-forward to {target}"):
            return Outcome.PARKED
        async with self._connected("fast-forward") as context, self._locked(context):
            guards = [self._of_backup(target, is_forward=True), *preflight.before_timestamps()]
            if await refused(context, guards):
                return Outcome.REFUSED
            if not await self._near_or_agreed(target, context.timestamps):
                return Outcome.PARKED
            try:
                done = await context.timestamps.fast_forward(target)
            except asyncio.CancelledError:
                raise Interrupted(AGAIN) from None
            if done.changed:
                what = "the bound" if context.timestamps.uses_stored_bound else "a fresh timestamp"
                click.echo(f"Fast-forwarded to {target}: {what} was {done.before}, is {done.reached}.")
            else:
                what = "the bound" if context.timestamps.uses_stored_bound else "the fresh timestamp"
                click.echo(f"Nothing was changed: {what} {done.reached} is already at or above {target}.")
            click.echo(f"Read back from {context.timestamps.description}: every fresh timestamp is above {target}.")
            return Outcome.DONE

    def _of_backup(self, timestamp: int, *, is_forward: bool) -> TimestampOfBackup:
        return TimestampOfBackup(timestamp, is_forward=is_forward, is_of_file=self._file is not None)

    @asynccontextmanager
    async def _connected(self, command: str) -> AsyncIterator[Context]:
        session = new_session_id(command, self._settings.keyspace, datetime.now(UTC))
        async with (
            while_alive(self._working),
            self._graph(self._settings, session, {"offline": self._offline}, offline=self._offline) as context,
        ):
            yield context

    def _locked(self, context: Context) -> AbstractAsyncContextManager[None]:
        return locked(context, None if self._file is None else self._file.parent)

    async def _cleaned(self, context: Context, step: CleanTransactions) -> int:
        self._working.doing = "scanning the transactions tables at ALL"
        plan = await step.plan(context)
        for line in (plan.title, *plan.lines):
            click.echo(line)
        if plan.facts["odd"] and not await self._seen(plan.facts["odd_cells"]):
            return Outcome.PARKED
        pace = Pace("transactions")
        try:
            async for event in step.perform(context, plan):
                context.state.apply(event)
                if isinstance(event, Progressed):
                    pace.note(event.done, event.total)
                    self._working.doing = f"{event.unit}: {pace.describe()}"
                    if pace.is_due(SAID_EVERY):
                        self._working.lines.say(pace.describe())
        except asyncio.CancelledError:
            raise Interrupted(
                "interrupted; what was removed is in the export named above: run the same line again to go on"
            ) from None
        self._working.doing = "scanning again, for the proof"
        for line in (await step.verify(context)).found:
            click.echo(line)
        return Outcome.DONE

    async def _nobody_or_offline(self, context: Context) -> bool:
        """Where the servers cannot list their clients, somebody's word is needed before a stored bound is used."""
        if self._offline or context.timestamps.serves_live:
            return True
        found = await NoClientsConnected().check(context)
        if found.status is not GuardStatus.WARNED:
            return True  # the guard that follows judges it
        click.echo(f"{plain(found.evidence)}.", err=True)
        if not is_interactive():
            click.echo("Stop every instance of the service, then say so with --offline. Nothing was changed.", err=True)
            return False
        if await self._is_typed_to_be_offline():
            context.answers = {**context.answers, "offline": True}
            return True
        return False

    async def _is_said_to_be_offline(self, what: str) -> bool:
        """What is only right while no client runs needs somebody's word for it, whatever the servers list."""
        if self._offline:
            return True
        if not is_interactive():
            click.echo(
                f"To {what}, no AtlasDB client may be running. Stop the service, then say so with --offline. "
                "Nothing was changed.",
                err=True,
            )
            return False
        click.echo(f"About to {what}.")
        self._offline = await self._is_typed_to_be_offline()
        return self._offline

    async def _is_typed_to_be_offline(self) -> bool:
        typed = await asked(self._working.lines, "Is every instance of the service stopped? Type offline")
        if typed is not None and typed.strip() == "offline":
            return True
        click.echo("Nothing was changed. With --offline it is not asked.", err=True)
        return False

    async def _seen(self, cells: list[str]) -> bool:
        """Cells that AtlasDB would not have written must have been seen by somebody."""
        for cell in cells:
            click.echo(f"  odd: {cell}", err=True)
        if not is_interactive():
            click.echo(
                "Odd cells were found: look at them, then run this at a terminal to go on. Nothing was removed.",
                err=True,
            )
            return False
        typed = await asked(self._working.lines, "The odd cells will not be touched. Type yes to go on with the others")
        if typed is not None and typed.strip() == "yes":
            return True
        click.echo("Nothing was removed.", err=True)
        return False

    async def _near_or_agreed(self, target: int, service: TimestampService) -> bool:
        """A timestamp far above everything is a likely typing error, and nothing takes a fast-forward back."""
        above = target - (await service.lower_limit() or 0)
        if above <= ASKED_ABOVE_BOUND:
            return True
        limit = "the timestamps handed out now" if service.serves_live else "the stored bound"
        click.echo(f"{target} is {above:,} above {limit}. A fast-forward cannot be taken back.", err=True)
        if not is_interactive():
            click.echo("Run this at a terminal, where it can be confirmed. Nothing was changed.", err=True)
            return False
        if await asked(self._working.lines, "Type the timestamp again") == str(target):
            return True
        click.echo("That is another number. Nothing was changed.", err=True)
        return False
