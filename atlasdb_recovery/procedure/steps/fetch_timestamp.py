"""`fetch`: a fresh timestamp from the authority, kept in AtlasDB's own one-line file."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.atlas.timestamp_file import BACKUP_FILE, FAST_FORWARD_FILE, MalformedTimestampFile
from atlasdb_recovery.events import Event, FactEstablished
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.copied_tables import present_tables, table_ids
from atlasdb_recovery.procedure.facts import BACKUP_TIMESTAMP, FAST_FORWARD_TIMESTAMP, IMMUTABLE_LOCK, TABLES_AT_BACKUP
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.immutable_lock import let_go, require_held
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.step import Danger, Evidence, Step, StepFailure
from atlasdb_recovery.procedure.steps.names import FETCH_BACKUP_TIMESTAMP
from atlasdb_recovery.procedure.timestamp_row import highest_handed_out
from atlasdb_recovery.timestamps.held_lock import HeldLock


class _FetchTimestamp(Step):
    danger = Danger.CHANGES
    fact: str
    file_name: str

    def file(self, context: Context) -> Path:
        return context.backup_dir / self.file_name

    def guards(self, context: Context) -> Sequence[Guard]:
        return preflight.before_timestamps()

    async def plan(self, context: Context) -> Plan:
        return Plan(
            title=f"fetch a fresh timestamp into {self.file_name}",
            lines=(f"fresh timestamp from {context.timestamps.description}", f"write it to {self.file(context)}"),
        )

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        fresh = await context.timestamps.fresh_timestamp()
        self._check(context, fresh)
        await _require_own(context, fresh)
        await self._confirm(context)
        timestamp_file.write(self.file(context), fresh)
        yield FactEstablished(step=self.name, name=self.fact, value=fresh, source=context.timestamps.description)

    async def verify(self, context: Context) -> Evidence:
        read = timestamp_file.read(self.file(context))
        known = context.state.fact(self.fact)
        if read != known:
            raise StepFailure(f"{self.file(context)} holds {read}, but {known} was fetched")
        return Evidence((f"{self.file(context)} holds {read}",))

    async def _confirm(self, context: Context) -> None:
        """What must still hold once it has been fetched, before it is on record. Raises StepFailure."""

    def _check(self, context: Context, fresh: int) -> None:
        if fresh < 1:
            raise StepFailure(f"the timestamp service answered {fresh}; a timestamp is at least 1")


async def _require_own(context: Context, fresh: int) -> None:
    """With a B of another keyspace a restore removes nothing, and nothing fails."""
    highest = await highest_handed_out(context)
    if highest is not None and fresh > highest:
        raise StepFailure(
            f"{fresh} was fetched, but the timestamp bound stored in {context.keyspace} is {highest or 'empty'}: this "
            "keyspace's timestamp service never handed it out",
            evidence=(f"it came from {context.timestamps.description}",),
            remedy="It is another service's. Correct the addresses of the timestamp service, then retry.",
        )


class FetchBackupTimestamp(_FetchTimestamp):
    name = FETCH_BACKUP_TIMESTAMP
    title = "Fetch the backup timestamp B"
    why = (
        "A store's backup is not one point in time: nodes and tables are copied at different moments. "
        "B is taken before the first of them, so that every transaction committed by B is in the backup whole."
    )
    fact = BACKUP_TIMESTAMP
    file_name = BACKUP_FILE

    async def plan(self, context: Context) -> Plan:
        plan = await super().plan(context)
        locked = "lock the immutable timestamp first, and refresh the lock until F is fetched: sweep is held back"
        if context.timestamps.immutable_locks is None:
            return plan
        return msgspec.structs.replace(plan, lines=(locked, *plan.lines))

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        locks = context.timestamps.immutable_locks
        if locks is not None:
            context.close()
            context.held_lock = await HeldLock.taken(locks)
            lock = context.held_lock.lock
            value = {"immutable": lock.immutable, "token": lock.token, "namespace": context.settings.namespace}
            yield FactEstablished(
                step=self.name, name=IMMUTABLE_LOCK, value=value, source=context.timestamps.description
            )
        async for event in super().perform(context, plan):
            yield event
        ids = table_ids(await present_tables(context))
        yield FactEstablished(step=self.name, name=TABLES_AT_BACKUP, value=ids)


class FetchFastForwardTimestamp(_FetchTimestamp):
    name = "fetch-fast-forward-timestamp"
    title = "Fetch the fast-forward timestamp F"
    why = (
        "Transactions that ran during the backup may have left traces in it. "
        "F is taken after the last node has been copied; after a restore no timestamp up to F is handed out again."
    )
    fact = FAST_FORWARD_TIMESTAMP
    file_name = FAST_FORWARD_FILE

    def guards(self, context: Context) -> Sequence[Guard]:
        return preflight.before_last_timestamp()

    async def evidence(self, context: Context) -> Evidence | None:
        """F is on record only if the lock was still held once it had been fetched; a file that differs is no proof."""
        try:
            return await self.verify(context)
        except (StepFailure, MalformedTimestampFile):
            return None

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        async for event in super().perform(context, plan):
            yield event
        await let_go(context)

    async def _confirm(self, context: Context) -> None:
        await require_held(context)

    def _check(self, context: Context, fresh: int) -> None:
        super()._check(context, fresh)
        backup = context.state.fact(BACKUP_TIMESTAMP)
        if backup is not None and fresh <= backup:
            raise StepFailure(
                f"F = {fresh} is not above B = {backup}: the timestamp service went back",
                evidence=(context.timestamps.description,),
                remedy="This backup is worthless. Find out why the service went back, then take a new backup.",
            )
