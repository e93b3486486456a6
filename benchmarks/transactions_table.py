"""A real cluster with a large `_transactions` table, for the benchmarks."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import RoundRobinPolicy

from atlasdb_recovery.atlas import transactions, varlong
from atlasdb_recovery.cassandra.ports import ClusterUnreachable
from atlasdb_recovery.practice.practice_keyspace import keyspace_statement, table_statement
from atlasdb_recovery.practice.real_practice import RealPractice, real_practice

KEYSPACE = "bench"
FIRST_START = 1_000_000
HITS = 1_000
CHUNK = 50_000


@asynccontextmanager
async def running(version: str) -> AsyncIterator[RealPractice]:
    """Three real nodes for the length of a benchmark."""
    with tempfile.TemporaryDirectory(prefix="atlasdb-recovery-benchmark-") as directory:
        began = time.monotonic()
        async with real_practice(version, Path(directory)) as nodes:
            print(f"{version}: three nodes up after {time.monotonic() - began:.0f} s", flush=True)
            yield nodes


def cut(rows: int) -> int:
    """B: the last `HITS` transactions committed after it."""
    return FIRST_START + 2 * (rows - HITS)


async def fill(nodes: RealPractice, rows: int, *, already: int = 0, padding: int = 0) -> None:
    """Committed schema-1 transactions, two timestamps each, on every replica; flushed. `already` of them are there."""
    if not already:
        await nodes.cluster.change_schema(keyspace_statement(KEYSPACE, nodes.replication))
        await nodes.cluster.change_schema(table_statement(KEYSPACE, transactions.TRANSACTIONS))
    began = time.monotonic()
    await asyncio.to_thread(_insert, list(nodes.addresses), range(already, rows), padding)
    for address in nodes.addresses:
        output = await nodes.nodetool.run(address, "flush", KEYSPACE, timeout=300)
        if output.exit_code != 0:
            raise ClusterUnreachable(output.stderr)
    print(f"{rows - already:,} rows written in {time.monotonic() - began:.0f} s", flush=True)


def _insert(addresses: list[str], indexes: range, padding: int) -> None:
    profile = ExecutionProfile(
        load_balancing_policy=RoundRobinPolicy(), request_timeout=120, consistency_level=ConsistencyLevel.ALL
    )
    with Cluster(addresses, execution_profiles={EXEC_PROFILE_DEFAULT: profile}) as driver:
        session = driver.connect()
        insert = session.prepare(
            f'INSERT INTO {KEYSPACE}."{transactions.TRANSACTIONS}" (key, column1, column2, value) VALUES (?, ?, ?, ?)'
        )
        for low in range(0, len(indexes), CHUNK):
            starts = [FIRST_START + 2 * index for index in indexes[low : low + CHUNK]]
            cells = [(varlong.encode(start), b"t", -1, varlong.encode(start + 1) + b"\0" * padding) for start in starts]
            execute_concurrent_with_args(session, insert, cells, concurrency=400, raise_on_first_error=True)
