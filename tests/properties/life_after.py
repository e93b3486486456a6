"""A service that starts on a restored keyspace: what never committed can be rolled back, and new writes are right."""

from atlasdb_recovery.atlas import coordination, transactions
from atlasdb_recovery.atlas.names import COORDINATION
from atlasdb_recovery.atlas.schema_ranges import SchemaMap
from atlasdb_recovery.cassandra.ports import Consistency
from atlasdb_recovery.practice import oracle
from atlasdb_recovery.practice.atlas_writer import AtlasWriter
from atlasdb_recovery.practice.oracle import Verdict
from atlasdb_recovery.practice.practice_timestamps import PracticeTimestamps
from atlasdb_recovery.practice.simulated import SimulatedCluster
from atlasdb_recovery.practice.truth import Transaction, Truth

STAGES = 40
FOR_EVER = 2**62


async def stored_schemas(cluster: SimulatedCluster, keyspace: str) -> SchemaMap:
    """As a service that starts finds them in `_coordination`."""
    cells = await cluster.read_partition(keyspace, COORDINATION, coordination.ROW, consistency=Consistency.QUORUM)
    return coordination.read_rows((cell.column1, cell.column2, cell.value) for cell in cells)


async def roll_back(
    cluster: SimulatedCluster, keyspace: str, past: Truth, schemas: SchemaMap, committed: set[int]
) -> list[int]:
    """As readers do with what did not commit: put-unless-exists of the abort. Starts at which that does not hold."""
    stuck = []
    for transaction in past.transactions:
        if transaction.start in committed:
            continue
        schema = schemas.schema_at(transaction.start)
        assert schema is not None
        table, position = transactions.table_of(schema), transactions.locate(schema, transaction.start)
        await cluster.put_unless_exists(keyspace, table, position, transactions.abort_value(schema))
        read = await cluster.read(keyspace, table, position, consistency=Consistency.QUORUM)
        if read is None or transactions.decode(schema, table, *position, read.value).commit is not None:
            stuck.append(transaction.start)
    return stuck


async def verdict_on_new_writes(
    cluster: SimulatedCluster, keyspace: str, kept: list[Transaction], seed: int
) -> Verdict:
    """The oracle's, after a while: what was `kept` by the restore, and everything written since."""
    timestamps = PracticeTimestamps(cluster, keyspace)
    await timestamps.start()
    writer = AtlasWriter(cluster, keyspace, timestamps, seed=seed)
    writer.schema_map = await stored_schemas(cluster, keyspace)
    await writer.run(STAGES)
    await writer.finish()
    whole = Truth()
    for transaction in (*kept, *writer.truth.transactions):
        whole.begun(transaction)
    read_at = await timestamps.fresh_timestamp()
    return await oracle.judge(cluster, keyspace, whole, writer.schema_map, FOR_EVER, read_at)
