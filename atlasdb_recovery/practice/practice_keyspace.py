"""The keyspace a practice service keeps its data in: AtlasDB's internal tables and two user tables."""

from collections.abc import Mapping

from atlasdb_recovery.atlas.names import COORDINATION, METADATA, PUNCH, TIMESTAMP, TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.cassandra.ports import Cell, Cluster, Consistency

USER_TABLES = ("shop__accounts", "shop__ledger")
INTERNAL_TABLES = (
    TRANSACTIONS,
    TRANSACTIONS2,
    COORDINATION,
    TIMESTAMP,
    METADATA,
    PUNCH,
    "sweep__sweepProgressPerShard",
)
QUALIFIED = {"shop__accounts": "shop.accounts", "shop__ledger": "shop.ledger"}


def unrepaired_reads(version: str) -> str:
    """Table options, AtlasDB's own, under which a read at ONE is of that one node and mends nothing.

    Before 4.0 one read in ten compared all replicas by default.
    """
    options = " AND speculative_retry = 'NONE'"
    if int(version.partition(".")[0]) < 4:
        options += " AND read_repair_chance = 0.0 AND dclocal_read_repair_chance = 0.0"
    return options


def table_statement(keyspace: str, table: str, version: str) -> str:
    """What `CassandraTableCreator` creates on servers of this version, without the deterministic id."""
    return (
        f'CREATE TABLE "{keyspace}"."{table}" (key blob, column1 blob, column2 bigint, value blob, '
        "PRIMARY KEY (key, column1, column2)) WITH COMPACT STORAGE "
        "AND CLUSTERING ORDER BY (column1 ASC, column2 ASC) AND gc_grace_seconds = 3600" + unrepaired_reads(version)
    )


def keyspace_statement(keyspace: str, replication: Mapping[str, str]) -> str:
    options = ", ".join(f"'{key}': '{value}'" for key, value in replication.items())
    return f'CREATE KEYSPACE "{keyspace}" WITH replication = {{{options}}} AND durable_writes = true'


async def create(cluster: Cluster, keyspace: str, replication: Mapping[str, str]) -> None:
    """Keyspace and tables, and the user tables' names in `_metadata`."""
    await cluster.change_schema(keyspace_statement(keyspace, replication))
    version = (await cluster.identity()).nodes[0].release_version
    for table in (*INTERNAL_TABLES, *USER_TABLES):
        await cluster.change_schema(table_statement(keyspace, table, version))
    for number, table in enumerate(USER_TABLES, 1):
        named = Cell(QUALIFIED[table].encode(), b"m", ~number, b"\x0a\x00", number)
        await cluster.put(keyspace, METADATA, named, consistency=Consistency.ALL)
