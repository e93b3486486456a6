"""Guards over the backup: its timestamps, its schema map, its seal."""

import msgspec

from atlasdb_recovery.atlas import timestamp_file, varlong
from atlasdb_recovery.atlas.coordination import SchemaMap
from atlasdb_recovery.atlas.names import COORDINATION, SWEEP_TIMESTAMPS
from atlasdb_recovery.cassandra.ports import Consistency
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed, warned
from atlasdb_recovery.procedure.removal.scope import restored_schema_map, schema_map
from atlasdb_recovery.timestamps.service import HIGHEST_TIMESTAMP, REFUSED_BELOW_HIGHEST

BACKUP_FILE = "backup.timestamp"
FAST_FORWARD_FILE = "fast-forward.timestamp"


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
    proves = "1 ≤ B < F, both are this backup's, and F is a number a timestamp service can go on from."
    remedy = "Check that backup.timestamp and fast-forward.timestamp belong to this backup and are not swapped."

    async def check(self, context: Context) -> GuardResult:
        try:
            read = read_timestamps(context)
        except (ValueError, OSError) as error:
            return blocked(str(error))
        problem = _disorder(read) or _foreign(context, read)
        return blocked(f"{_shown(read)}: {problem}") if problem else passed(_shown(read))


def _shown(read: BackupTimestamps) -> str:
    return f"B = {read.backup}, F = {read.fast_forward}"


def _disorder(read: BackupTimestamps) -> str:
    if read.backup < 1:
        return "B is below 1, the lowest timestamp there is"
    if read.backup >= read.fast_forward:
        return "B is not below F"
    if read.fast_forward > HIGHEST_TIMESTAMP - REFUSED_BELOW_HIGHEST:
        return f"F is within {REFUSED_BELOW_HIGHEST:,} of the highest timestamp there is"
    return ""


def _foreign(context: Context, read: BackupTimestamps) -> str:
    manifest = context.manifest
    if manifest is None:
        return ""
    sealed = (manifest.backup_timestamp, manifest.fast_forward_timestamp)
    if sealed != (read.backup, read.fast_forward):
        return f"the manifest is sealed with B = {sealed[0]}, F = {sealed[1]}"
    if manifest.keyspace != context.keyspace:
        return f"the backup is of keyspace {manifest.keyspace}, the settings name {context.keyspace}"
    return ""


class BackupSealed(Guard):
    proves = "The backup is the one that was sealed: its manifest and every file of the store's copy."
    remedy = "Files were lost or changed since the backup was taken. Fetch the backup again from where it is kept."

    async def check(self, context: Context) -> GuardResult:
        manifest = context.manifest
        if manifest is None:
            return not_applicable(f"{context.backup_dir} has no manifest: only the two timestamp files are checked")
        found = await context.store.verify_copy(context.store_context())
        return passed(f"sealed at {manifest.created}; " + "; ".join(found))


class SchemaKnown(Guard):
    proves = "It is known which transactions schema each start timestamp was written under."
    remedy = "Restore `_coordination` from the same backup. Schemas other than 1, 2 and 3 cannot be cleaned."

    async def check(self, context: Context) -> GuardResult:
        keyspace = await context.cluster.keyspace(context.keyspace)
        if keyspace is None or not keyspace.tables:
            if context.manifest is None or context.manifest.schema_map is None:
                return not_applicable("nothing to look at before the store is restored")
            known = context.manifest.schema_map
        else:
            known = await schema_map(context)
            stored = await restored_schema_map(context)
            if COORDINATION not in keyspace.tables and known.schemas() != {1}:
                return blocked(f"there is no `_coordination`, and the backup's map says: {_map_shown(known)}")
            if contradiction := _contradiction(known, stored):
                return blocked(f"the backup's map and `_coordination` disagree: {contradiction}")
        return passed(_map_shown(known))


def _map_shown(known: SchemaMap) -> str:
    ranges = ", ".join(f"from {r.lower} schema {r.schema}" for r in known.ranges)
    return f"{ranges}; {'no bound' if known.bound is None else f'valid to {known.bound}'}"


def _contradiction(known: SchemaMap, stored: SchemaMap) -> str:
    """Where both have decided. A row without a pointer has decided nothing: it was copied before its first value."""
    if stored.bound is None:
        return ""
    edges = {r.lower for r in (*known.ranges, *stored.ranges)}
    for start in sorted(edges):
        ours, theirs = known.schema_at(start), stored.schema_at(start)
        if ours is not None and theirs is not None and ours != theirs:
            return f"start {start} is schema {ours} in the one, {theirs} in the other"
    return ""


class SweepBelowBackup(Guard):
    proves = "Sweep had not passed B when the store was copied: no version needed at B has been deleted."
    remedy = "It cannot be mended here. Stop sweep before the next backup, or hold the immutable timestamp lock."

    async def check(self, context: Context) -> GuardResult:
        keyspace = await context.cluster.keyspace(context.keyspace)
        tables = [] if keyspace is None else [name for name in SWEEP_TIMESTAMPS if name in keyspace.tables]
        if not tables:
            return not_applicable("there is no progress table of targeted sweep")
        backup = read_timestamps(context).backup
        swept = [value for table in tables for value in await _swept(context, table)]
        beyond = sum(value > backup for value in swept if value is not None)
        unread = swept.count(None)
        if beyond or unread:
            return warned(
                f"{beyond} of {len(swept)} sweep progress cells lie beyond B = {backup}, {unread} could not be read: "
                "that the data is complete at B is unproven"
            )
        return passed(f"{len(swept)} sweep progress cells, none beyond B = {backup}")


async def _swept(context: Context, table: str) -> list[int | None]:
    """How far each shard has swept; None for a value that is no VarLong."""
    found: list[int | None] = []
    pages = context.cluster.scan(context.keyspace, table, "", "", consistency=Consistency.QUORUM, page_size=1_000)
    async for page in pages:
        for cell in page:
            try:
                found.append(varlong.decode(cell.value))
            except varlong.MalformedValue:
                found.append(None)
    return found
