"""The keyspace and tables of a restore: created without an id, so that nothing left of the old ones is replayed.

Which table was created by this restore is recorded beside the copy, by its new id; a table that is there without
a record is only used if it looks as it must and holds nothing.
"""

import time

import msgspec

from atlasdb_recovery.cassandra.ports import ClusterIdentity, Keyspace, Nodetool, Table
from atlasdb_recovery.cassandra.snapshot_files import DATA, SnapshotFailed, StoreCopy, in_words, table_directory
from atlasdb_recovery.cassandra.snapshots import succeeded
from atlasdb_recovery.events import CommandEnded, CommandStarted
from atlasdb_recovery.procedure.store_methods import StoreContext
from atlasdb_recovery.procedure.store_methods.restore_record import read_record, record_path
from atlasdb_recovery.procedure.store_methods.work_events import Emit
from atlasdb_recovery.wording import CQL

SOURCE = CQL


async def create_tables(
    context: StoreContext, copy: StoreCopy, identity: ClusterIdentity, *, nodetool: Nodetool, tag: str, emit: Emit
) -> Keyspace:
    """Create what is missing of the keyspace and its tables; the keyspace as it is then. Raises `SnapshotFailed`."""
    path = record_path(context.backup_dir, tag)
    record = read_record(path)
    present = await context.cluster.keyspace(copy.index.keyspace)
    if present is None:
        await _change(context, copy.index.create, emit)
    else:
        _require_same_keyspace(copy, present)
    for name, definition in sorted(copy.index.tables.items()):
        if present is None or name not in present.tables:
            await _change(context, definition.create, emit)
        elif record.tables.get(name) != present.tables[name].id:
            await _require_unused(context, copy, identity, nodetool, present.tables[name])
    keyspace = await context.cluster.keyspace(copy.index.keyspace)
    if keyspace is None or copy.index.tables.keys() - keyspace.tables.keys():
        raise SnapshotFailed(
            f"Keyspace {copy.index.keyspace} lacks tables right after they were created. See who drops."
        )
    _require_new_ids(copy, keyspace)
    tables = {name: keyspace.tables[name] for name in copy.index.tables}
    record.created(path, {name: table.id for name, table in tables.items()})
    return msgspec.structs.replace(keyspace, tables=tables)


async def _change(context: StoreContext, statement: str, emit: Emit) -> None:
    emit(CommandStarted(source=SOURCE, command=(statement,)))
    started = time.monotonic()
    await context.cluster.change_schema(statement)
    emit(CommandEnded(source=SOURCE, exit_code=0, seconds=time.monotonic() - started))


def _require_same_keyspace(copy: StoreCopy, present: Keyspace) -> None:
    if present.create != copy.index.create:
        raise SnapshotFailed(
            f"Keyspace {present.name} is there, but not as it was backed up, so rows would lie on other nodes. "
            f"Backed up: {copy.index.create} Present: {present.create} Drop it, then resume: it is created as it was."
        )


async def _require_unused(
    context: StoreContext, copy: StoreCopy, identity: ClusterIdentity, nodetool: Nodetool, table: Table
) -> None:
    """A table that nobody recorded: made by an attempt that was interrupted at once, or not by us at all."""
    keyspace = copy.index.keyspace
    holding = []
    for node in identity.nodes:
        await succeeded(nodetool, node.address, "flush", keyspace, table.name)
        directory = table_directory(context.settings.data_directories[node.address], keyspace, table.name, table.id)
        if not directory.is_dir() or any(directory.glob("*-" + DATA)):
            holding.append(str(directory))
    if holding or table.create != copy.index.tables[table.name].create:
        why = f"holds data ({in_words(holding, most=3)})" if holding else "is not as it was backed up"
        raise SnapshotFailed(
            f"Table {keyspace}.{table.name} was not created by this restore and {why}. Restoring into it would mix two "
            f"histories. Drop keyspace {keyspace} if it is not needed, then resume."
        )


def _require_new_ids(copy: StoreCopy, keyspace: Keyspace) -> None:
    old = [name for name, definition in copy.index.tables.items() if keyspace.tables[name].id == definition.id]
    if old:
        raise SnapshotFailed(
            f"Tables have the same id as when they were backed up: {in_words(old)}. What is left of their Paxos "
            "rounds, hints and commit logs would be replayed into them. Drop the keyspace, then resume: they get new "
            "ids."
        )
