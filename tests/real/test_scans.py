"""Scans of real tables whose pages time out, and of what lies deleted side by side."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import RoundRobinPolicy
from cassandra.query import BatchStatement, BatchType

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.atlas.ticket_cells import PARTITIONING_QUANTUM
from atlasdb_recovery.atlas.transactions import TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.cassandra.cluster import DriverCluster
from atlasdb_recovery.cassandra.connection import Page
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.cassandra.request_errors import TimedOut
from atlasdb_recovery.practice.practice_keyspace import keyspace_statement, table_statement
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_practice import RealPractice, connected
from atlasdb_recovery.procedure.removal.pieces import pieces_from, pieces_of

KEYSPACE = "scans"
SCHEMAS = {TRANSACTIONS: 1, TRANSACTIONS2: 2}
WRITE_TIME = 1_000_000
BATCH = 100


@pytest.fixture
async def practice(real: RealCluster) -> AsyncIterator[RealPractice]:
    async with connected(real) as practice:
        await practice.cluster.change_schema(keyspace_statement(KEYSPACE, practice.replication))
        for table in SCHEMAS:
            await practice.cluster.change_schema(table_statement(KEYSPACE, table, real.version))
        yield practice
        await practice.cluster.change_schema(f"DROP KEYSPACE {KEYSPACE}")


def cells_of(table: str, starts: Sequence[int]) -> list[Cell]:
    return sorted(Cell(*transactions.locate(SCHEMAS[table], start), b"\x01", WRITE_TIME) for start in starts)


async def scanned(practice: RealPractice, table: str, *, page_size: int, **options: Any) -> list[Cell]:
    scan = practice.cluster.scan(KEYSPACE, table, "", "", consistency=Consistency.ALL, page_size=page_size, **options)
    return [cell async for page in scan for cell in page]


@pytest.mark.parametrize("table", SCHEMAS)
async def test_pages_that_time_out_lose_nothing_and_double_nothing(
    practice: RealPractice, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In schema 2 all of these lie in two partitions: then the rest of one is read by slices of its columns."""
    cells = cells_of(table, range(16, 16 * 400, 8))
    await asyncio.to_thread(written, practice, table, cells)
    assert isinstance(practice.cluster, DriverCluster)
    filters = await practice.cluster.filters_by_value()
    connection, asked = practice.cluster._connection, 0
    repeatable = connection.repeatable

    async def every_third_times_out(*arguments: Any, **options: Any) -> Page:
        nonlocal asked
        asked += 1
        if asked % 3 == 0:
            raise TimedOut("the third")
        return await repeatable(*arguments, **options)

    monkeypatch.setattr(connection, "repeatable", every_third_times_out)
    assert await scanned(practice, table, page_size=70) == cells
    assert asked > 15
    if filters:
        assert await scanned(practice, table, page_size=70, value_between=(b"\x00", b"\x02")) == cells


@pytest.mark.parametrize("table", SCHEMAS)
async def test_from_a_start_on_earlier_rows_are_left_out_and_no_later_one(practice: RealPractice, table: str) -> None:
    starts = [partition * PARTITIONING_QUANTUM + turn for partition in range(4) for turn in range(16, 320)]
    cells = cells_of(table, starts)
    await asyncio.to_thread(written, practice, table, cells)
    lowest = 2 * PARTITIONING_QUANTUM + 100
    first = lowest if table == TRANSACTIONS else 2 * PARTITIONING_QUANTUM
    assert await read(practice, table, await pieces_from(practice.cluster, KEYSPACE, table, lowest)) == cells_of(
        table, [start for start in starts if start >= first]
    )


@pytest.mark.deep
@pytest.mark.parametrize("table", SCHEMAS)
async def test_what_lies_deleted_side_by_side_is_passed_over(practice: RealPractice, table: str) -> None:
    """More of it than the servers scan over for one page (`tombstone_failure_threshold`)."""
    cells = cells_of(table, range(1_000_000, 1_000_000 + 16 * 130_000, 16))
    await asyncio.to_thread(written, practice, table, cells)
    await asyncio.to_thread(deleted, practice, table, cells[3_000:-3_000])
    left = [*cells[:3_000], *cells[-3_000:]]
    assert await scanned(practice, table, page_size=5_000) == left
    assert await read(practice, table, await pieces_of(practice.cluster, KEYSPACE, table)) == left


async def read(practice: RealPractice, table: str, pieces: Sequence[tuple[str, str]]) -> list[Cell]:
    found = []
    for start, end in pieces:
        scan = practice.cluster.scan(KEYSPACE, table, start, end, consistency=Consistency.ALL, page_size=5_000)
        found += [cell async for page in scan for cell in page]
    return found


def written(practice: RealPractice, table: str, cells: Sequence[Cell]) -> None:
    statement = f'INSERT INTO {KEYSPACE}."{table}" (key, column1, column2, value) VALUES (?, ?, ?, ?) USING TIMESTAMP ?'
    in_batches(practice, statement, [(*cell.position, cell.value, WRITE_TIME) for cell in cells])


def deleted(practice: RealPractice, table: str, cells: Sequence[Cell]) -> None:
    statement = f'DELETE FROM {KEYSPACE}."{table}" USING TIMESTAMP ? WHERE key = ? AND column1 = ? AND column2 = ?'
    in_batches(practice, statement, [(WRITE_TIME, *cell.position) for cell in cells])


def in_batches(practice: RealPractice, cql: str, values: Sequence[tuple[Any, ...]]) -> None:
    profile = ExecutionProfile(
        load_balancing_policy=RoundRobinPolicy(), request_timeout=120, consistency_level=ConsistencyLevel.ALL
    )
    with Cluster(
        list(practice.addresses), port=practice.real.native_port, execution_profiles={EXEC_PROFILE_DEFAULT: profile}
    ) as driver:
        session = driver.connect()
        statement = session.prepare(cql)
        for low in range(0, len(values), BATCH):
            batch = BatchStatement(BatchType.UNLOGGED)
            for each in values[low : low + BATCH]:
                batch.add(statement, each)
            session.execute(batch)
