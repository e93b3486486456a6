"""Store method `snapshot`: Cassandra's snapshots, copied into the backup directory and loaded from there."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

from atlasdb_recovery.cassandra.copying import CopyFailed, in_thread
from atlasdb_recovery.cassandra.ports import Table
from atlasdb_recovery.cassandra.snapshot_copy import read_copy, verify_copy
from atlasdb_recovery.cassandra.snapshot_files import SnapshotFailed, StoreCopy
from atlasdb_recovery.events import Event
from atlasdb_recovery.procedure.step import StepFailure
from atlasdb_recovery.procedure.store_methods import StoreContext
from atlasdb_recovery.procedure.store_methods.snapshot_backup import SnapshotBackup
from atlasdb_recovery.procedure.store_methods.snapshot_restore import SnapshotRestore
from atlasdb_recovery.procedure.store_methods.work_events import events_of


class SnapshotStore:
    """Each node's snapshot is of a moment of its own: the copies are not one point in time, and need not be."""

    name = "snapshot"

    async def plan_backup(self, context: StoreContext) -> list[str]:
        try:
            return await SnapshotBackup(context, tag_of(context)).plan()
        except (SnapshotFailed, CopyFailed) as error:
            raise StepFailure(str(error)) from None

    async def backup(self, context: StoreContext) -> AsyncIterator[Event]:
        async with aclosing(events_of(SnapshotBackup(context, tag_of(context)).run)) as events:
            async for event in events:
                yield event

    async def verify_backup(self, context: StoreContext) -> list[str]:
        return await self.verify_copy(context)

    async def tables(self, context: StoreContext) -> Mapping[str, Table] | None:
        tables = _copy(context).index.tables
        return {name: Table(name, definition.id, definition.create) for name, definition in tables.items()}

    async def sizes(self, context: StoreContext) -> Mapping[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for table in (table for node in _copy(context).nodes for table in node.tables):
            size, files = found.get(table.name, (0, 0))
            found[table.name] = (size + table.size, files + len(table.files))
        return found

    async def verify_copy(self, context: StoreContext) -> list[str]:
        try:
            copy = await in_thread(lambda progress: verify_copy(context.backup_dir, progress), lambda _: None)
        except (SnapshotFailed, CopyFailed) as error:
            raise StepFailure(str(error)) from None
        files = sum(len(table.files) for node in copy.nodes for table in node.tables)
        size = sum(node.size for node in copy.nodes)
        return [
            f"{files} files, {size} bytes, of {len(copy.index.tables)} tables on {len(copy.nodes)} nodes were read "
            "back: sizes and SHA-256 are right, nothing is missing, nothing extra"
        ]

    async def plan_restore(self, context: StoreContext) -> list[str]:
        try:
            return await SnapshotRestore(context, tag_of(context)).plan()
        except (SnapshotFailed, CopyFailed) as error:
            raise StepFailure(str(error)) from None

    async def restore(self, context: StoreContext) -> AsyncIterator[Event]:
        async with aclosing(events_of(SnapshotRestore(context, tag_of(context)).run)) as events:
            async for event in events:
                yield event


def _copy(context: StoreContext) -> StoreCopy:
    try:
        return read_copy(context.backup_dir)
    except SnapshotFailed as error:
        raise StepFailure(str(error)) from None


def tag_of(context: StoreContext) -> str:
    """The snapshot's tag: of this session alone."""
    return "recovery-" + re.sub(r"[^A-Za-z0-9_-]", "_", context.session)
