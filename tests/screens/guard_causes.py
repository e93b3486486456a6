"""For every guard: the moment of a backup or restore at which it stands, and something that makes it refuse, and then
does not any more."""

import copy
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from atlasdb_recovery.atlas.manifest import MANIFEST_NAME
from atlasdb_recovery.journal.lock import Holder, lock_paths
from atlasdb_recovery.practice.simulated import CommandFault, Dialect
from atlasdb_recovery.procedure.facts import BACKUP_TIMESTAMP, IMMUTABLE_LOCK, THRIFT_DISABLED
from atlasdb_recovery.procedure.guards.access_guards import StoreReachable, WritesPermitted
from atlasdb_recovery.procedure.guards.backup_guards import (
    BackupSealed,
    SchemaKnown,
    SweepBelowBackup,
    TimestampsInOrder,
)
from atlasdb_recovery.procedure.guards.bound_guard import BackupTimestampHandedOut
from atlasdb_recovery.procedure.guards.client_guards import NoClientsConnected, TimestampRowUnchanged
from atlasdb_recovery.procedure.guards.cluster_guards import (
    ClocksClose,
    ClusterIdentityUnchanged,
    EveryNodeUp,
    OneSchemaVersion,
    PartitionerSupported,
)
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.guards.keyspace_guards import (
    KeyspaceEmpty,
    KeyspaceIsAtlas,
    TablesPresent,
    TablesUnchanged,
)
from atlasdb_recovery.procedure.guards.local_guards import BackupDirectoryUnused, DirectoriesWritable
from atlasdb_recovery.procedure.guards.lock_guard import LockFree
from atlasdb_recovery.procedure.guards.node_guards import (
    NodetoolAnswers,
    NodetoolStillReachesItsNode,
    NothingRunning,
    ThriftClosed,
    ThriftStaysClosed,
)
from atlasdb_recovery.procedure.guards.put_back_guard import NotFastForwarded
from atlasdb_recovery.procedure.guards.replay_guard import NothingOldCanReplay
from atlasdb_recovery.procedure.guards.replication_guard import ReplicationSound
from atlasdb_recovery.procedure.guards.scan_guard import ScanProven
from atlasdb_recovery.procedure.guards.sealed_timestamp import TimestampOfBackup
from atlasdb_recovery.procedure.guards.sweep_guards import ImmutableTimestampLocked, SweepHeldBack
from atlasdb_recovery.procedure.guards.timestamp_guards import TimestampAuthorityKnown, TimestampAuthorityUsable
from atlasdb_recovery.timestamps.bound_store import EmbeddedTimestamps
from atlasdb_recovery.timestamps.held_lock import HeldLock
from atlasdb_recovery.timestamps.service import ImmutableTimestampLock, ImmutableTimestampLocks
from tests.procedure.guards.scene import FIRST, SECOND, THIRD, Scene


class Cause(NamedTuple):
    """`scene`: alive (a backup begins), lost (a restore begins) or restored (its repair begins). `evidence` and
    `remedy` are words that the screen shows."""

    scene: str
    refuse: Callable[[Scene], AbstractAsyncContextManager[None]]
    evidence: str
    remedy: str
    dialect: Dialect = Dialect.APACHE


@asynccontextmanager
async def another_name(scene: Scene) -> AsyncIterator[None]:
    before, scene.cluster.name = scene.cluster.name, "staging"
    yield
    scene.cluster.name = before


@asynccontextmanager
async def a_node_down(scene: Scene) -> AsyncIterator[None]:
    scene.cluster.stop_node(THIRD)
    yield
    scene.cluster.start_node(THIRD)


@asynccontextmanager
async def two_schemas(scene: Scene) -> AsyncIterator[None]:
    scene.cluster.disagree_on_schema(THIRD)
    yield
    scene.cluster.disagree_on_schema(THIRD, disagree=False)


@asynccontextmanager
async def another_partitioner(scene: Scene) -> AsyncIterator[None]:
    before, scene.cluster.partitioner = scene.cluster.partitioner, "org.apache.cassandra.dht.Murmur3Partitioner"
    yield
    scene.cluster.partitioner = before


@asynccontextmanager
async def a_clock_ahead(scene: Scene) -> AsyncIterator[None]:
    scene.cluster.nodes[THIRD].skew = 10.1
    yield
    scene.cluster.nodes[THIRD].skew = 0.0


@asynccontextmanager
async def no_credentials(scene: Scene) -> AsyncIterator[None]:
    said = ("error: Authentication failed! Credentials required",)
    scene.cluster.faults.commands = [CommandFault(("info",), THIRD, 2, (), said)] * 50
    yield
    scene.cluster.faults.commands.clear()


@asynccontextmanager
async def a_greeting(scene: Scene) -> AsyncIterator[None]:
    scene.cluster.faults.commands = [CommandFault(("info",), SECOND, 0, ("Last login: Mon Nov 23",))] * 50
    yield
    scene.cluster.faults.commands.clear()


@asynccontextmanager
async def a_stream(scene: Scene) -> AsyncIterator[None]:
    scene.cluster.start_stream(FIRST, THIRD, scene.keyspace, "_transactions", seconds=30)
    yield
    scene.cluster.wall.advance(31)


@asynccontextmanager
async def thrift_on_again(scene: Scene) -> AsyncIterator[None]:
    scene.establish(THRIFT_DISABLED, [FIRST, SECOND])
    await scene.context.nodetool.run(FIRST, "disablethrift")
    yield
    await scene.context.nodetool.run(SECOND, "disablethrift")


@asynccontextmanager
async def a_client(scene: Scene) -> AsyncIterator[None]:
    client = scene.cluster.connect_client(FIRST, "orders")
    yield
    scene.cluster.disconnect_client(client)


@asynccontextmanager
async def another_hand_at_the_bound(scene: Scene) -> AsyncIterator[None]:
    """Only the test can undo what it did, write times and Paxos rows included."""
    table = scene.cluster.table(scene.keyspace, "_timestamp").id
    stores = [node.store(table) for node in scene.cluster.nodes.values()]
    before = [copy.deepcopy(store.cells) for store in stores]
    scene.cluster.raise_bound(scene.keyspace, 5)
    yield
    for store, cells in zip(stores, before, strict=True):
        store.cells.update(cells)
    scene.cluster.clear_paxos()


@asynccontextmanager
async def a_later_b(scene: Scene) -> AsyncIterator[None]:
    """As another keyspace's files have it."""
    before = scene.context.state.fact(BACKUP_TIMESTAMP)
    scene.establish(BACKUP_TIMESTAMP, before + 10**9)
    yield
    scene.establish(BACKUP_TIMESTAMP, before)


@contextmanager
def without_table(scene: Scene, name: str) -> Iterator[None]:
    tables = scene.cluster.keyspaces[scene.keyspace].tables
    table = tables.pop(name)
    yield
    tables[name] = table


@asynccontextmanager
async def a_table_missing(scene: Scene) -> AsyncIterator[None]:
    with without_table(scene, "shop__ledger"):
        yield


@asynccontextmanager
async def no_transactions_table(scene: Scene) -> AsyncIterator[None]:
    with without_table(scene, "_transactions"):
        yield


@asynccontextmanager
async def no_timestamp_table(scene: Scene) -> AsyncIterator[None]:
    embedded(scene)
    with without_table(scene, "_timestamp"):
        yield


@asynccontextmanager
async def a_client_beside_the_bound(scene: Scene) -> AsyncIterator[None]:
    embedded(scene)
    async with a_client(scene):
        yield


def embedded(scene: Scene) -> None:
    async def nobody_connected() -> None:
        """Whether anybody is connected is the guard's business."""

    scene.context.timestamps = EmbeddedTimestamps(scene.cluster, scene.keyspace, nobody_connected)


@asynccontextmanager
async def a_keyspace_in_the_way(scene: Scene) -> AsyncIterator[None]:
    await scene.create_keyspace()
    await scene.cluster.change_schema(
        f'CREATE TABLE "{scene.keyspace}"."shop__ledger" (key blob, column1 blob, column2 bigint, value blob, '
        "PRIMARY KEY (key, column1, column2)) WITH COMPACT STORAGE"
    )
    yield
    await scene.arena.exercise.lose_keyspace()


@asynccontextmanager
async def too_many_replicas(scene: Scene) -> AsyncIterator[None]:
    await scene.create_keyspace({"class": "NetworkTopologyStrategy", "datacenter1": "4"})
    yield
    await scene.arena.exercise.lose_keyspace()


@asynccontextmanager
async def read_only_table(scene: Scene) -> AsyncIterator[None]:
    scene.cluster.faults.read_only.add("_transactions2")
    yield
    scene.cluster.faults.read_only.clear()


@asynccontextmanager
async def hints(scene: Scene) -> AsyncIterator[None]:
    scene.cluster.nodes[THIRD].hints = 12
    yield
    scene.cluster.nodes[THIRD].hints = 0


@contextmanager
def rewritten(path: Path, change: Callable[[bytes], bytes]) -> Iterator[None]:
    before = path.read_bytes()
    path.write_bytes(change(before))
    assert path.read_bytes() != before
    yield
    path.write_bytes(before)


@asynccontextmanager
async def swapped_timestamps(scene: Scene) -> AsyncIterator[None]:
    one, other = (scene.context.backup_dir / f"{name}.timestamp" for name in ("backup", "fast-forward"))
    content = one.read_bytes()
    with rewritten(one, lambda _: other.read_bytes()), rewritten(other, lambda _: content):
        yield


@asynccontextmanager
async def a_flipped_bit(scene: Scene) -> AsyncIterator[None]:
    files = (scene.context.backup_dir / "store").rglob("*-Data.db")
    with rewritten(max(files, key=lambda path: path.stat().st_size), lambda held: held[:-1] + bytes([held[-1] ^ 1])):
        yield


@asynccontextmanager
async def an_edited_manifest(scene: Scene) -> AsyncIterator[None]:
    old, new = b'"durable_writes": true', b'"durable_writes": false'
    with rewritten(scene.context.backup_dir / MANIFEST_NAME, lambda held: held.replace(old, new)):
        yield


@asynccontextmanager
async def a_scan_that_nothing_proves(scene: Scene) -> AsyncIterator[None]:
    before = scene.context.settings
    scene.context.settings = msgspec.structs.replace(before, scan="from-immutable-timestamp")
    yield
    scene.context.settings = before


@asynccontextmanager
async def exports_nowhere(scene: Scene) -> AsyncIterator[None]:
    """In /proc nobody can make a file, root included."""
    before, scene.context.export_directory = scene.context.export_directory, Path("/proc/exports")
    yield
    scene.context.export_directory = before


@asynccontextmanager
async def another_backup_there(scene: Scene) -> AsyncIterator[None]:
    scene.context.backup_dir.mkdir(parents=True, exist_ok=True)
    file = scene.context.backup_dir / "backup.timestamp"
    file.write_text("12\n")
    yield
    file.unlink()


@asynccontextmanager
async def a_node_without_directory(scene: Scene) -> AsyncIterator[None]:
    directories: Mapping[str, Path] = dict(scene.context.settings.store.data_directories)
    scene.store("snapshot", data_directories={a: path for a, path in directories.items() if a != SECOND})
    yield
    scene.store("snapshot", data_directories=directories)


@asynccontextmanager
async def a_lock_of_somebody_elsewhere(scene: Scene) -> AsyncIterator[None]:
    paths = lock_paths(scene.context.state_directory, scene.context.backup_dir, scene.cluster.name, scene.keyspace)
    holder = msgspec.structs.replace(Holder.here("kim", "theirs", datetime.now(UTC)), machine="elsewhere", host="db-7")
    Path(paths[1]).write_bytes(msgspec.json.encode(holder))
    yield
    Path(paths[1]).unlink()


class ForgetfulServer:
    """Leads, and has no lock of any token."""

    refresh_every = lease = 3_600.0

    async def refresh_lock(self, lock: ImmutableTimestampLock, until: float) -> bool:
        return False


@asynccontextmanager
async def a_forgotten_lock(scene: Scene) -> AsyncIterator[None]:
    """It never comes back; only a new session has another one."""
    locks = cast("ImmutableTimestampLocks", ForgetfulServer())
    scene.context.held_lock = await HeldLock.resumed(locks, ImmutableTimestampLock(immutable=5, token="t"))
    scene.context.held_lock.stop()
    scene.context.timestamps.immutable_locks = locks  # type: ignore[misc]
    scene.establish(IMMUTABLE_LOCK, {"immutable": 5, "token": "t"})
    yield
    scene.context.held_lock, scene.context.timestamps.immutable_locks = None, None  # type: ignore[misc]


CAUSES: Mapping[type[Guard], Cause] = {
    ClusterIdentityUnchanged: Cause("restored", another_name, "cluster_name was practice, is staging", "new session"),
    EveryNodeUp: Cause("lost", a_node_down, f"{THIRD} does not answer CQL", "Start the node, or wait"),
    OneSchemaVersion: Cause("lost", two_schemas, f"{THIRD} has", "restart the node that differs"),
    PartitionerSupported: Cause(
        "lost", another_partitioner, "this cluster has org.apache", "settings name the right one"
    ),
    ClocksClose: Cause("lost", a_clock_ahead, "10.100 s apart", "Bring the clocks together (ntp)"),
    NodetoolStillReachesItsNode: Cause(
        "restored", no_credentials, f"{THIRD}: nodetool info ends with 2", "JMX must be reachable"
    ),
    BackupTimestampHandedOut: Cause("restored", a_later_b, "the stored timestamp bound is", "belong to this backup"),
    NodetoolAnswers: Cause("lost", no_credentials, "nodetool info ends with 2: error:", "Check nodetool.command"),
    NothingRunning: Cause("restored", a_stream, f"{FIRST}: stream:", "Wait until nodetool netstats is empty"),
    ThriftClosed: Cause("lost", a_greeting, "could not look: ", "Answer disable-thrift: true", Dialect.PALANTIR),
    ThriftStaysClosed: Cause(
        "restored", thrift_on_again, f"on again at {SECOND}", "run nodetool disablethrift there", Dialect.PALANTIR
    ),
    NoClientsConnected: Cause("lost", a_client, "user orders", "Stop every instance of the service"),
    TimestampRowUnchanged: Cause("restored", another_hand_at_the_bound, "had bound", "must begin again"),
    TablesUnchanged: Cause("restored", two_schemas, f"{THIRD}: schema version was", "Restore from the beginning"),
    TablesPresent: Cause("restored", a_table_missing, "missing: shop__ledger", "incomplete"),
    KeyspaceEmpty: Cause("lost", a_keyspace_in_the_way, "keyspace shop has 1 tables", "DROP KEYSPACE"),
    KeyspaceIsAtlas: Cause("alive", no_transactions_table, "has no table _transactions", "configuration names"),
    WritesPermitted: Cause("restored", read_only_table, "no MODIFY permission", "MODIFY on the keyspace"),
    SweepBelowBackup: Cause("restored", a_node_down, "could not look: ", "Stop sweep before"),
    NothingOldCanReplay: Cause("lost", hints, f"{THIRD} holds 12 hints", "nodetool truncatehints"),
    TimestampsInOrder: Cause("lost", swapped_timestamps, "B is not below F", "are not swapped"),
    BackupSealed: Cause("lost", a_flipped_bit, "-Data.db", "again"),
    ScanProven: Cause("lost", a_scan_that_nothing_proves, "has no immutable timestamp", "`scan: full`"),
    TimestampOfBackup: Cause("lost", an_edited_manifest, "does not match its seal", "of this keyspace's backup"),
    SchemaKnown: Cause("lost", an_edited_manifest, "does not match its seal", "from the same backup"),
    DirectoriesWritable: Cause("lost", exports_nowhere, "/proc/exports", "Name directories with room"),
    BackupDirectoryUnused: Cause("alive", another_backup_there, "holds backup.timestamp", "another backup_dir"),
    StoreReachable: Cause("lost", a_node_without_directory, f"does not name node {SECOND}", "Mend store.*"),
    ReplicationSound: Cause("lost", too_many_replicas, "wants 4 replicas and has 3 nodes", "data centres that exist"),
    TimestampAuthorityKnown: Cause("alive", no_timestamp_table, "has no table _timestamp", "Check the leader"),
    TimestampAuthorityUsable: Cause("alive", a_client_beside_the_bound, "user orders", "makes B wrong"),
    LockFree: Cause("lost", a_lock_of_somebody_elsewhere, "kim on db-7", "Talk to the holder"),
    ImmutableTimestampLocked: Cause(
        "alive", a_forgotten_lock, "was lost while the store was being backed up", "this backup proves nothing"
    ),
    NotFastForwarded: Cause("restored", another_hand_at_the_bound, "the timestamp bound was", "It is too late"),
}
NEVER_REFUSE = {SweepHeldBack}
"""What only warns, and looks at nothing that could fail."""
