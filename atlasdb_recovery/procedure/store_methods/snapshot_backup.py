"""Backing up by snapshots: node after node, snapshot, copy, clear; then the index that makes it one copy."""

import shlex

from atlasdb_recovery.cassandra.copying import in_thread
from atlasdb_recovery.cassandra.ports import ClusterIdentity, Keyspace, Node
from atlasdb_recovery.cassandra.snapshot_copy import node_copy, read_copy, seal
from atlasdb_recovery.cassandra.snapshot_files import INDEX, STORE, SnapshotFailed, in_words
from atlasdb_recovery.cassandra.snapshots import clear, copy_out, take
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure.store_methods import StoreContext
from atlasdb_recovery.procedure.store_methods.work_events import Bytes, Emit, ReportedNodetool


class SnapshotBackup:
    """One keyspace's backup under one tag."""

    def __init__(self, context: StoreContext, tag: str) -> None:
        self._context = context
        self._tag = tag
        self._store = context.backup_dir / STORE

    async def plan(self) -> list[str]:
        identity = await self._identity()
        lines = []
        for node in identity.nodes:
            live = self._context.settings.data_directories[node.address] / self._context.keyspace
            nodetool = self._context.nodetool
            lines += [
                shlex.join(nodetool.command(node.address, "snapshot", "-t", self._tag, self._context.keyspace)),
                f"copy {live}/*/snapshots/{self._tag}/ to {self._store / node.host_id}, with checksums",
                shlex.join(nodetool.command(node.address, "clearsnapshot", "-t", self._tag, self._context.keyspace)),
            ]
        return [*lines, f"write {self._store / INDEX}"]

    async def run(self, emit: Emit) -> None:
        if (self._store / INDEX).exists():
            self._require_own(read_copy(self._context.backup_dir).index.tag, self._store)
            return
        identity = await self._identity()
        keyspace = await self._keyspace()
        for node in identity.nodes:
            await self._back_up_node(node, keyspace, emit)
        _require_same_tables(keyspace, await self._keyspace())
        seal(self._context.backup_dir, identity, keyspace, self._tag)

    async def _back_up_node(self, node: Node, keyspace: Keyspace, emit: Emit) -> None:
        nodetool = ReportedNodetool(self._context.nodetool, emit, self._context.secrets)
        destination = self._store / node.host_id
        data_directory = self._context.settings.data_directories[node.address]
        if (existing := node_copy(destination)) is not None:
            self._require_own(existing.tag, destination)
        else:
            await take(nodetool, node.address, keyspace.name, self._tag)
            await in_thread(
                lambda progress: copy_out(
                    data_directory, keyspace, self._tag, node=node, destination=destination, progress=progress
                ),
                Bytes(emit, node.address, note="copied into the backup"),
            )
        await clear(nodetool, node.address, self._tag, keyspace.name)

    async def _identity(self) -> ClusterIdentity:
        identity = await self._context.cluster.identity()
        require_directories(self._context, identity)
        return identity

    async def _keyspace(self) -> Keyspace:
        keyspace = await self._context.cluster.keyspace(self._context.keyspace)
        if keyspace is None or not keyspace.tables:
            raise SnapshotFailed(
                f"Keyspace {self._context.keyspace} has no tables, so there is nothing to back up. "
                "Is it the right cluster, and the right keyspace?"
            )
        return keyspace

    def _require_own(self, tag: str, where: object) -> None:
        if tag != self._tag:
            raise SnapshotFailed(
                f"{where} holds the copy of another session (snapshot {plain(tag)}); nothing is written over it. "
                "Give another backup_dir."
            )


def _require_same_tables(before: Keyspace, after: Keyspace) -> None:
    """A table made, dropped or made again meanwhile was backed up in pieces, or not at all."""
    then = {name: table.id for name, table in before.tables.items()}
    now = {name: table.id for name, table in after.tables.items()}
    changed = sorted(name for name in then | now if then.get(name) != now.get(name))
    if changed:
        raise SnapshotFailed(
            f"Tables were created or dropped during the backup: {in_words(changed)}. The copies of the nodes do not "
            "belong together. Stop whatever changes the schema, and back up again into another backup_dir."
        )


def require_directories(context: StoreContext, identity: ClusterIdentity) -> None:
    """Every node has a data directory that can be seen from here."""
    directories = context.settings.data_directories
    unnamed = [node.address for node in identity.nodes if node.address not in directories]
    absent = [f"{address}: {path}" for address, path in directories.items() if not path.is_dir()]
    if unnamed or absent:
        raise SnapshotFailed(
            "The method `snapshot` needs the data directory of every node on this machine. "
            f"Not named in store.data_directories: {in_words(unnamed) or 'none'}. "
            f"Not a directory here: {in_words(absent) or 'none'}. Correct the settings, or choose another store.method."
        )
