"""AtlasDB's table names as Cassandra knows them (`AtlasDbConstants`, `AbstractKeyValueService.internalTableName`)."""

import hashlib
import uuid

TRANSACTIONS = "_transactions"
TRANSACTIONS2 = "_transactions2"
COORDINATION = "_coordination"
TIMESTAMP = "_timestamp"
METADATA = "_metadata"
PUNCH = "_punch"

SWEEP_PROGRESS = (
    "sweep__sweepProgressPerShard",
    "sweep__sweepProgressPerBucket",
    "sweep__sweepAssignedBuckets",
    "sweep__sweepIdToName",
    "sweep__sweepNameToId",
    "sweep__tableClears",
    "_sweep_progress3",
    "_sweep_progress2",
    "_sweep_progress1_5",
    "sweep__progress",
)
"""How far sweep has deleted old versions: targeted sweep's tables (`TargetedSweepTables`), then background sweep's,
the newest first. A keyspace has some of them."""
SWEEP_TIMESTAMPS = ("sweep__sweepProgressPerShard",)
"""Those whose every value is a VarLong timestamp (or, under shard -1, the number of shards): `SweepShardProgress`."""
SWEEP_UNTOLD = (
    "sweep__sweepProgressPerBucket",
    "_sweep_progress3",
    "_sweep_progress2",
    "_sweep_progress1_5",
    "sweep__progress",
)
"""Those that hold how far sweep has come in other forms, which are not read here."""

_SWEEP_NAMESPACE = "sweep__"
_LEGACY_NAMESPACE = "met."


def internal_table_name(qualified: str) -> str:
    """The Cassandra table of a qualified Atlas table name: `ns.table` is `ns__table`; names with `_` in front stay.

    Only the first dot is a separator; the legacy namespace `met` leaves no trace (`TableReference`).
    """
    name = qualified.removeprefix(_LEGACY_NAMESPACE)
    return name if name.startswith("_") else name.replace(".", "__", 1)


def is_internal(table: str) -> bool:
    """Whether this Cassandra table is AtlasDB's own, not the service's."""
    return table.startswith(("_", _SWEEP_NAMESPACE))


def deterministic_table_id(keyspace: str, table: str) -> str:
    """The id AtlasDB gives a table it creates: Java's name UUID (MD5) of `keyspace.table` (`CassandraTableOptions`)."""
    digest = hashlib.md5(f"{keyspace}.{table}".encode(), usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest, version=3))
