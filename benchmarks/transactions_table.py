"""A real cluster with a large `_transactions` table, for the benchmarks."""

import asyncio
import re
import shutil
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, ResponseFuture
from cassandra.policies import WhiteListRoundRobinPolicy
from cassandra.query import BatchStatement, BatchType

from atlasdb_recovery.atlas import transactions, varlong
from atlasdb_recovery.cassandra.ports import ClusterUnreachable
from atlasdb_recovery.practice.practice_keyspace import keyspace_statement, table_statement
from atlasdb_recovery.practice.real_practice import RealPractice, real_practice

KEYSPACE = "bench"
FIRST_START = 1_000_000
HITS = 1_000
BATCH = 50
IN_FLIGHT = 20


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


async def fill(nodes: RealPractice, rows: int, *, padding: int = 0) -> None:
    """Committed schema-1 transactions, two timestamps each, on every replica.

    They are written to one node, the only replica at first, and its files are copied to the others: three times less
    work for the machine, and no mutation that a busy replica drops.
    """
    began = time.monotonic()
    await nodes.cluster.change_schema(keyspace_statement(KEYSPACE, {**nodes.replication, "datacenter1": "1"}))
    await nodes.cluster.change_schema(table_statement(KEYSPACE, transactions.TRANSACTIONS, nodes.real.version))
    owner = await _owner_of_all(nodes, rows)
    await asyncio.to_thread(_insert, owner, rows, padding)
    replication = ", ".join(f"'{key}': '{value}'" for key, value in nodes.replication.items())
    await nodes.cluster.change_schema(f'ALTER KEYSPACE "{KEYSPACE}" WITH replication = {{{replication}}}')
    await _spread(nodes, owner)
    print(f"{rows:,} rows written in {time.monotonic() - began:.0f} s", flush=True)


async def _owner_of_all(nodes: RealPractice, rows: int) -> str:
    """The node in whose primary range every key lies."""
    first, last = (varlong.encode(start) for start in (FIRST_START, FIRST_START + 2 * rows))
    above = max((token for node in (await nodes.cluster.identity()).nodes for token in node.tokens), key=bytes.fromhex)
    if not bytes.fromhex(above) < first < last:
        raise ValueError(f"keys from {first.hex()} to {last.hex()} do not all lie above the highest token, {above}")
    ranges = await nodes.cluster.ranges(KEYSPACE)
    return next(one.replicas[0] for one in ranges if one.start == above)


def _insert(owner: str, rows: int, padding: int) -> None:
    profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy([owner]), request_timeout=120)
    with Cluster([owner], execution_profiles={EXEC_PROFILE_DEFAULT: profile}) as driver:
        session = driver.connect()
        insert = session.prepare(
            f'INSERT INTO {KEYSPACE}."{transactions.TRANSACTIONS}" (key, column1, column2, value) VALUES (?, ?, ?, ?)'
        )
        waiting: deque[ResponseFuture] = deque()
        for low in range(0, rows, BATCH):
            batch = BatchStatement(BatchType.UNLOGGED)
            for index in range(low, min(low + BATCH, rows)):
                start = FIRST_START + 2 * index
                value = varlong.encode(start + 1) + b"\0" * padding
                batch.add(insert, (varlong.encode(start), b"t", -1, value))
            waiting.append(session.execute_async(batch))
            if len(waiting) >= IN_FLIGHT:
                waiting.popleft().result()
        for response in waiting:
            response.result()


async def _spread(nodes: RealPractice, owner: str) -> None:
    """The owner's files, refreshed into the others, which have none yet."""
    await _succeeds(nodes, owner, "snapshot", "-t", KEYSPACE, KEYSPACE)
    table = f"{KEYSPACE}/{transactions.TRANSACTIONS}-*"
    source = next(nodes.data_directories[owner].glob(f"{table}/snapshots/{KEYSPACE}"))
    for address in set(nodes.addresses) - {owner}:
        target = next(nodes.data_directories[address].glob(table))
        for file in source.iterdir():
            if re.match(r"\w\w-\d+-", file.name):
                shutil.copy(file, target / file.name)
        await _succeeds(nodes, address, "refresh", KEYSPACE, transactions.TRANSACTIONS)


async def _succeeds(nodes: RealPractice, address: str, *arguments: str) -> None:
    output = await nodes.nodetool.run(address, *arguments, timeout=300)
    if output.exit_code != 0:
        raise ClusterUnreachable(output.stderr or output.stdout)
