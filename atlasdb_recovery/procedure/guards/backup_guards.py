"""Guards over the backup: its timestamps, its schema map, its seal, and what sweep did before it."""

import msgspec

from atlasdb_recovery.atlas import timestamp_file, transactions, varlong
from atlasdb_recovery.atlas.coordination import MalformedCoordination, SchemaMap
from atlasdb_recovery.atlas.manifest import MalformedManifest
from atlasdb_recovery.atlas.names import COORDINATION, SWEEP_TIMESTAMPS, SWEEP_UNTOLD
from atlasdb_recovery.atlas.timestamp_file import BACKUP_FILE, FAST_FORWARD_FILE
from atlasdb_recovery.cassandra.ports import Consistency
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed, warned
from atlasdb_recovery.procedure.removal.scope import restored_schema_map, schema_map, without_schema
from atlasdb_recovery.procedure.step import StepFailure
from atlasdb_recovery.timestamps.service import HIGHEST_TIMESTAMP, REFUSED_BELOW_HIGHEST


class BackupTimestamps(msgspec.Struct, frozen=True):
    backup: int
    fast_forward: int


def read_timestamps(context: Context) -> BackupTimestamps:
    """B and F from the two one-line files; raises MalformedTimestampFile naming file, line and remedy."""
    return BackupTimestamps(
        timestamp_file.read(context.backup_dir / BACKUP_FILE),
        timestamp_file.read(context.backup_dir / FAST_FORWARD_FILE),
    )


class TimestampsInOrder(Guard):
    proves = "1 <= B < F, both are this backup's, and F is a number a timestamp service can go on from."
    remedy = "Check that backup.timestamp and fast-forward.timestamp belong to this backup and are not swapped."

    async def check(self, context: Context) -> GuardResult:
        try:
            read = read_timestamps(context)
            problem = _disorder(read) or _foreign(context, read)
        except (ValueError, OSError) as error:
            return blocked(str(error))
        shown = f"B = {read.backup}, F = {read.fast_forward}"
        return blocked(f"{shown}: {problem}") if problem else passed(shown)


def _disorder(read: BackupTimestamps) -> str:
    if read.backup < 1:
        return "B is below 1, the lowest timestamp there is"
    if read.backup >= read.fast_forward:
        return "B is not below F"
    if read.fast_forward > HIGHEST_TIMESTAMP - REFUSED_BELOW_HIGHEST:
        return f"F is within {REFUSED_BELOW_HIGHEST:,} of the highest timestamp there is"
    return ""


def _foreign(context: Context, read: BackupTimestamps) -> str:
    manifest, files = context.manifest, (read.backup, read.fast_forward)
    if manifest is not None:
        sealed = (manifest.backup_timestamp, manifest.fast_forward_timestamp)
        if sealed != files:
            return f"the manifest is sealed with B = {sealed[0]}, F = {sealed[1]}"
        if manifest.keyspace != context.keyspace:
            return f"the backup is of keyspace {manifest.keyspace}, the settings name {context.keyspace}"
        if manifest.bound_at_backup is not None and manifest.bound_at_backup < read.backup:
            return f"the timestamp bound sealed with it is {manifest.bound_at_backup}: B came from another service"
    pinned = (context.state.fact(facts.BACKUP_TIMESTAMP), context.state.fact(facts.FAST_FORWARD_TIMESTAMP))
    if None not in pinned and pinned != files:
        return f"this session began with B = {pinned[0]}, F = {pinned[1]}"
    return ""


class BackupSealed(Guard):
    proves = "The backup is the one that was sealed: its manifest and every file of the store's copy."
    remedy = "Files were lost or changed since the backup was taken. Fetch the backup again from where it is kept."
    deadline = None

    async def check(self, context: Context) -> GuardResult:
        try:
            manifest = context.manifest
            if manifest is None:
                return not_applicable(f"{context.backup_dir} has no manifest: only the two timestamp files are checked")
            found = await context.store.verify_copy(context.store_context())
        except MalformedManifest as error:
            return blocked(str(error))
        except StepFailure as failure:
            return blocked("; ".join([failure.problem, *failure.evidence]), failure.remedy)
        return passed(f"sealed at {manifest.created}; " + "; ".join(found))


MISSING = "Restore {tables} from the same backup: without it, what was committed in it reads as never committed."


class SchemaKnown(Guard):
    proves = "It is known which transactions schema each start timestamp was written under."
    remedy = "Restore `_coordination` from the same backup. Schemas other than 1, 2 and 3 cannot be cleaned."

    async def check(self, context: Context) -> GuardResult:
        keyspace = await context.cluster.keyspace(context.keyspace)
        try:
            if keyspace is None or not keyspace.tables:
                if context.manifest is None or context.manifest.schema_map is None:
                    return not_applicable("nothing to look at before the store is restored")
                return passed(_shown(context.manifest.schema_map))
            known, stored = await schema_map(context), await restored_schema_map(context)
        except (MalformedCoordination, MalformedManifest) as error:
            return blocked(str(error))
        if lacking := {transactions.table_of(schema) for schema in known.schemas()} - keyspace.tables.keys():
            missing = " and ".join(sorted(lacking))
            return blocked(f"{_shown(known)}; but {missing} is missing", MISSING.format(tables=missing))
        if table := await without_schema(context, known):
            return blocked(f"{table} holds transactions, but no `_coordination` says which schema they are in")
        contradiction = _contradiction(known, stored, has_table=COORDINATION in keyspace.tables)
        return blocked(contradiction) if contradiction else passed(_shown(known))


def _shown(known: SchemaMap) -> str:
    ranges = ", ".join(f"from {r.lower} schema {r.schema}" for r in known.ranges)
    return f"{ranges}; {'no bound' if known.bound is None else f'valid to {known.bound}'}"


def _contradiction(known: SchemaMap, stored: SchemaMap, *, has_table: bool) -> str:
    """Where both have decided. A row without a pointer has decided nothing: it was copied before its first value."""
    if not has_table and known.schemas() != {1}:
        return f"there is no `_coordination`, and the backup's map says: {_shown(known)}"
    if stored.bound is None:
        return ""
    for start in sorted({r.lower for r in (*known.ranges, *stored.ranges)}):
        ours, theirs = known.schema_at(start), stored.schema_at(start)
        if ours is not None and theirs is not None and ours != theirs:
            return (
                f"the backup's map and `_coordination` disagree: start {start} is schema {ours} in the one, "
                f"{theirs} in the other"
            )
    return ""


class SweepBelowBackup(Guard):
    proves = "Sweep had not passed B when the store was copied: no version needed at B has been deleted."
    remedy = (
        "It cannot be mended here: the restore goes on, but that it is complete at B stays unproven. Stop sweep before "
        "the next backup, or hold the immutable timestamp lock."
    )

    async def check(self, context: Context) -> GuardResult:
        keyspace = await context.cluster.keyspace(context.keyspace)
        present = {} if keyspace is None else keyspace.tables
        told = {table: await _values(context, table) for table in SWEEP_TIMESTAMPS if table in present}
        untold = {table: len(await _values(context, table)) for table in SWEEP_UNTOLD if table in present}
        if not told and not any(untold.values()):
            return not_applicable("there is no progress of sweep")
        backup = read_timestamps(context).backup
        swept = [_swept(value) for values in told.values() for value in values]
        beyond, unread = sum(value > backup for value in swept if value is not None), swept.count(None)
        doubts = [f"{beyond} of {len(swept)} sweep progress cells lie beyond B = {backup}"] if beyond else []
        doubts += [f"{unread} of {len(swept)} sweep progress cells could not be read"] if unread else []
        doubts += [
            f"how far the sweep of {table} has come is not read here" for table, cells in untold.items() if cells
        ]
        if doubts:
            return warned(f"{'; '.join(doubts)}: that the data is complete at B is unproven")
        return passed(f"{len(swept)} sweep progress cells, none beyond B = {backup}")


async def _values(context: Context, table: str) -> list[bytes]:
    """Every value of a small table, whichever replica has it."""
    pages = context.cluster.scan(context.keyspace, table, "", "", consistency=Consistency.ALL, page_size=1_000)
    return [cell.value async for page in pages for cell in page]


def _swept(value: bytes) -> int | None:
    """How far a shard has been swept; None for a value that is no VarLong."""
    try:
        return varlong.decode(value)
    except varlong.MalformedValue:
        return None
