"""Restoring from snapshots' copies: tables created under new ids, then each node's own files loaded into them."""

import shlex
from pathlib import Path

import humanize

from atlasdb_recovery.cassandra.copying import in_thread, require_space
from atlasdb_recovery.cassandra.ports import ClusterIdentity, Keyspace, Node
from atlasdb_recovery.cassandra.snapshot_copy import read_copy, verify_copy
from atlasdb_recovery.cassandra.snapshot_files import NodeSnapshot, SnapshotFailed, SnapshotTable, StoreCopy, in_words
from atlasdb_recovery.cassandra.snapshot_loading import (
    NO_TOKENS,
    TableLoad,
    compaction_paused,
    load,
    resume_compaction,
)
from atlasdb_recovery.cassandra.snapshot_nodes import matched_nodes
from atlasdb_recovery.cassandra.snapshots import require_own_directory
from atlasdb_recovery.events import LinePrinted
from atlasdb_recovery.procedure.store_methods import StoreContext
from atlasdb_recovery.procedure.store_methods.restore_record import read_record, record_path
from atlasdb_recovery.procedure.store_methods.snapshot_backup import require_directories
from atlasdb_recovery.procedure.store_methods.snapshot_schema import create_tables
from atlasdb_recovery.procedure.store_methods.work_events import Bytes, Emit, ReportedNodetool


class SnapshotRestore:
    """One copy restored, under one tag."""

    def __init__(self, context: StoreContext, tag: str) -> None:
        self._context = context
        self._tag = tag

    async def plan(self) -> list[str]:
        copy = self._checked(read_copy(self._context.backup_dir))
        identity = await self._identity()
        matched = matched_nodes(copy, identity)
        lines = [copy.index.create, *(table.create for _, table in sorted(copy.index.tables.items()))]
        for node in identity.nodes:
            lines += self._plan_of(node, matched[node.address], copy)
        return lines

    def _plan_of(self, node: Node, snapshot: NodeSnapshot, copy: StoreCopy) -> list[str]:
        source = copy.directory / snapshot.node.host_id
        target = self._directory(node) / copy.index.keyspace
        size = humanize.naturalsize(snapshot.size, binary=True)
        lines = [f"copy {size} of {source} to {target}/<table>-<new id>/snapshots/{self._tag}/"]
        for table in snapshot.tables:
            if table.sstables(copy.index.keyspace):
                staging = f"{target}/{table.name}-<new id>/snapshots/{self._tag}"
                arguments = [copy.index.keyspace, table.name]
                verb = ["import", NO_TOKENS, *arguments, staging] if imports(node) else ["refresh", *arguments]
                lines.append(shlex.join(self._context.nodetool.command(node.address, *verb)))
        return lines

    async def run(self, emit: Emit) -> None:
        copy = self._checked(
            await in_thread(
                lambda progress: verify_copy(self._context.backup_dir, progress),
                Bytes(emit, "", note="of the backup read back"),
            )
        )
        identity = await self._identity()
        matched = matched_nodes(copy, identity)
        if not record_path(self._context.backup_dir, self._tag).exists():
            for node in identity.nodes:
                require_space(self._directory(node), matched[node.address].size, f"Restoring {node.address}")
        nodetool = ReportedNodetool(self._context.nodetool, emit, self._context.secrets)
        keyspace = await create_tables(self._context, copy, identity, nodetool=nodetool, tag=self._tag, emit=emit)
        for node in identity.nodes:
            await require_own_directory(nodetool, node.address, self._directory(node), keyspace, self._tag)
        for node in identity.nodes:
            await self._load_node(node, matched[node.address], copy, keyspace, emit)

    async def _load_node(
        self, node: Node, snapshot: NodeSnapshot, copy: StoreCopy, keyspace: Keyspace, emit: Emit
    ) -> None:
        nodetool = ReportedNodetool(self._context.nodetool, emit, self._context.secrets)
        progress = Bytes(emit, node.address, total=snapshot.size, note="copied to the node")
        path = record_path(self._context.backup_dir, self._tag)
        record = read_record(path)
        loads = [self._load_of(node, snapshot, table, copy, keyspace) for table in snapshot.tables]
        to_do = [each for each in loads if not record.has_loaded(node.host_id, each.table_id)]
        if not to_do:
            await resume_compaction(nodetool, node.address, keyspace.name)
            return
        async with compaction_paused(nodetool, node.address, keyspace.name):
            for each in to_do:
                taken = await load(nodetool, each, by_import=imports(node), progress=progress)
                record.mark_loaded(path, node.host_id, each.table_id)
                text = f"{each.snapshot.name}: the node has taken all {taken} sstables of its backup"
                emit(LinePrinted(source=node.address, stream="stdout", text=text))

    def _load_of(
        self, node: Node, snapshot: NodeSnapshot, table: SnapshotTable, copy: StoreCopy, keyspace: Keyspace
    ) -> TableLoad:
        return TableLoad(
            address=node.address,
            data_directory=self._directory(node),
            keyspace=keyspace.name,
            table_id=keyspace.tables[table.name].id,
            snapshot=table,
            files=copy.files_of(snapshot, table.name),
            tag=self._tag,
        )

    def _checked(self, copy: StoreCopy) -> StoreCopy:
        """The copy, if it is this keyspace's and the one that the manifest speaks of."""
        manifest = self._context.manifest
        ids = {name: table.id for name, table in copy.index.tables.items()}
        described = {table.name: table.id for table in manifest.tables} if manifest is not None else ids
        strange = [name for name, table_id in ids.items() if described.get(name, table_id) != table_id]
        if copy.index.keyspace != self._context.keyspace or strange:
            raise SnapshotFailed(
                f"The copy in {copy.directory} is of keyspace {copy.index.keyspace} and does not fit the settings or "
                f"the backup's manifest ({in_words(strange) or 'another keyspace'}). Files of different backups are "
                "mixed: use the backup directory as it was written."
            )
        return copy

    async def _identity(self) -> ClusterIdentity:
        identity = await self._context.cluster.identity()
        require_directories(self._context, identity)
        return identity

    def _directory(self, node: Node) -> Path:
        return self._context.settings.data_directories[node.address]


def imports(node: Node) -> bool:
    """Whether this server has `nodetool import` (4.0 and later)."""
    return int(node.release_version.partition(".")[0]) >= 4
