"""Which guards stand before which step."""

from collections.abc import Sequence

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
from atlasdb_recovery.procedure.guards.sweep_guards import ImmutableTimestampLocked, SweepHeldBack
from atlasdb_recovery.procedure.guards.timestamp_guards import TimestampAuthorityKnown, TimestampAuthorityUsable
from atlasdb_recovery.procedure.removal.pre_images import Header


def _everywhere() -> list[Guard]:
    return [ClusterIdentityUnchanged(), EveryNodeUp(), OneSchemaVersion()]


def before_backup() -> Sequence[Guard]:
    return [
        *_everywhere(),
        NodetoolAnswers(),
        PartitionerSupported(),
        ReplicationSound(),
        KeyspaceIsAtlas(),
        ClocksClose(),
        DirectoriesWritable(),
        BackupDirectoryUnused(),
        StoreReachable(),
        TimestampAuthorityKnown(),
        SweepHeldBack(),
    ]


def before_timestamps() -> Sequence[Guard]:
    return [ClusterIdentityUnchanged(), TimestampAuthorityUsable()]


def before_store_backup() -> Sequence[Guard]:
    return [*before_seal(), ImmutableTimestampLocked()]


def before_last_timestamp() -> Sequence[Guard]:
    return [*before_timestamps(), ImmutableTimestampLocked()]


def before_seal() -> Sequence[Guard]:
    return [*_everywhere(), DirectoriesWritable()]


def before_restore() -> Sequence[Guard]:
    return [
        *_everywhere(),
        NodetoolAnswers(),
        PartitionerSupported(),
        ReplicationSound(),
        KeyspaceEmpty(),
        NoClientsConnected(),
        ThriftClosed(),
        NothingOldCanReplay(),
        NothingRunning(),
        TimestampsInOrder(),
        BackupSealed(),
        SchemaKnown(),
        ScanProven(),
        ClocksClose(),
        DirectoriesWritable(),
        StoreReachable(),
        WritesPermitted(),
        TimestampAuthorityKnown(),
    ]


def before_store_restore() -> Sequence[Guard]:
    return [*_everywhere(), KeyspaceEmpty(), NoClientsConnected(), NothingRunning(), DirectoriesWritable()]


def _untouched() -> list[Guard]:
    """What every step after the store's restore needs: nobody else has been at the keyspace."""
    return [*_everywhere(), NoClientsConnected(), TablesUnchanged(), TimestampRowUnchanged()]


def before_repair() -> Sequence[Guard]:
    return [
        *_untouched(),
        ThriftStaysClosed(),
        TablesPresent(),
        ReplicationSound(),
        NothingOldCanReplay(),
        NodetoolStillReachesItsNode(),
        NothingRunning(),
        WritesPermitted(),
        BackupTimestampHandedOut(),
        SweepBelowBackup(),
    ]


def before_removal() -> Sequence[Guard]:
    return [
        *_untouched(),
        ThriftStaysClosed(),
        NothingOldCanReplay(),
        NodetoolStillReachesItsNode(),
        NothingRunning(),
        TimestampsInOrder(),
        BackupTimestampHandedOut(),
        SchemaKnown(),
        ScanProven(),
        WritesPermitted(),
        DirectoriesWritable(),
    ]


def before_standalone_removal() -> Sequence[Guard]:
    """`clean-transactions` outside a restore: there are no baselines, and F is not known."""
    return [
        *_everywhere(),
        KeyspaceIsAtlas(),
        NoClientsConnected(),
        NothingRunning(),
        SchemaKnown(),
        ScanProven(),
        WritesPermitted(),
        DirectoriesWritable(),
    ]


def before_put_back(header: Header) -> Sequence[Guard]:
    """Before an export goes back to where it was removed from."""
    return [*before_standalone_removal(), NotFastForwarded(header)]


def before_fast_forward() -> Sequence[Guard]:
    return [*_untouched(), ThriftStaysClosed(), TimestampsInOrder(), WritesPermitted()]


def before_proof() -> Sequence[Guard]:
    return _untouched()


def all_for(procedure: str) -> list[Guard]:
    """Every guard that any step of the procedure has, each once."""
    lists = (
        (before_backup(), before_timestamps(), before_store_backup())
        if procedure == "backup"
        else (before_restore(), before_repair(), before_removal(), before_fast_forward())
    )
    by_name = {guard.name: guard for guards in lists for guard in guards}
    return list(by_name.values())
