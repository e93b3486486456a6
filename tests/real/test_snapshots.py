"""Store method `snapshot` on real servers: every row and write time comes back on every node, differences included."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.events import CommandStarted, Event
from atlasdb_recovery.practice.practice_keyspace import unrepaired_reads
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_practice import RealPractice, connected
from atlasdb_recovery.procedure.store_methods import StoreContext
from atlasdb_recovery.procedure.store_methods.snapshot import SnapshotStore
from atlasdb_recovery.settings import StoreSettings

KEYSPACE = "atlas"
TRANSACTIONS = "_transactions"
EMPTY = "name_space__of_a_table_with_no_rows_at_all_in"
TABLES = (TRANSACTIONS, "foo__bar", EMPTY)
SCHEMA_3_WRITE_TIME = 9223372036854775797

Rows = Mapping[tuple[str, str], list[Cell]]


@pytest.fixture
async def practice(real: RealCluster) -> AsyncIterator[RealPractice]:
    async with connected(real) as practice:
        yield practice
        await practice.cluster.change_schema(f"DROP KEYSPACE {KEYSPACE}")


@pytest.mark.deep
async def test_rows_and_write_times_come_back_on_every_node(practice: RealPractice, tmp_path: Path) -> None:
    await write_rows_that_disagree(practice)
    before = await rows_by_node(practice)
    assert before[practice.addresses[0], TRANSACTIONS] != before[practice.addresses[2], TRANSACTIONS]
    store = SnapshotStore()
    backup = tmp_path / "backup"
    await happened(store.backup(context(practice, backup, "b")))
    assert "nothing is missing" in (await store.verify_copy(context(practice, backup, "b")))[0]
    old = await practice.cluster.keyspace(KEYSPACE)
    await practice.cluster.change_schema(f"DROP KEYSPACE {KEYSPACE}")
    await interrupted(store.restore(context(practice, backup, "r")), practice.addresses[1])
    await happened(store.restore(context(practice, backup, "r")))
    assert await rows_by_node(practice) == before
    new = await practice.cluster.keyspace(KEYSPACE)
    assert old is not None
    assert new is not None
    assert new.tables.keys() == old.tables.keys() == set(TABLES)
    assert not {table.id for table in new.tables.values()} & {table.id for table in old.tables.values()}
    await store.verify_copy(context(practice, backup, "r"))


def context(practice: RealPractice, backup: Path, session: str) -> StoreContext:
    return StoreContext(
        cluster=practice.cluster,
        nodetool=practice.nodetool,
        keyspace=KEYSPACE,
        backup_dir=backup,
        session=session,
        settings=StoreSettings(method="snapshot", data_directories=dict(practice.data_directories)),
    )


async def write_rows_that_disagree(practice: RealPractice) -> None:
    replication = ", ".join(f"'{name}': '{value}'" for name, value in practice.replication.items())
    await practice.cluster.change_schema(f"CREATE KEYSPACE {KEYSPACE} WITH replication = {{{replication}}}")
    for table in TABLES:
        await practice.cluster.change_schema(
            f'CREATE TABLE {KEYSPACE}."{table}" (key blob, column1 blob, column2 bigint, value blob, '
            f"PRIMARY KEY (key, column1, column2)) WITH COMPACT STORAGE{unrepaired_reads(practice.real.version)}"
        )
    for at in range(200):
        await put(practice, TRANSACTIONS, at, 1_000_000 + at, Consistency.ALL)
    for address in practice.addresses:
        await practice.nodetool.run(address, "flush", KEYSPACE)
    for at in range(50):
        await put(practice, "foo__bar", at, SCHEMA_3_WRITE_TIME, Consistency.ALL)

    async def meanwhile() -> None:
        for at in range(150, 250):
            await put(practice, TRANSACTIONS, at, 2_000_000 + at, Consistency.QUORUM)

    await practice.without_node(practice.addresses[2], meanwhile)


async def put(practice: RealPractice, table: str, at: int, write_time: int, consistency: Consistency) -> None:
    cell = Cell(at.to_bytes(2, "little"), b"t", at, f"{write_time}".encode(), write_time)
    await practice.cluster.put(KEYSPACE, table, cell, consistency=consistency)


async def rows_by_node(practice: RealPractice) -> Rows:
    return {
        (address, table): [
            cell
            for part in await practice.cluster.ranges(KEYSPACE)
            async for page in practice.cluster.scan(
                KEYSPACE, table, part.start, part.end, consistency=Consistency.ONE, page_size=1000, node=address
            )
            for cell in page
        ]
        for address in practice.addresses
        for table in TABLES
    }


async def happened(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]


async def interrupted(events: AsyncIterator[Event], address: str) -> None:
    """Stopped while this node loads its first table."""
    async for event in events:
        if isinstance(event, CommandStarted) and event.source == address and {"import", "refresh"} & set(event.command):
            break
    await events.aclose()  # type: ignore[attr-defined]
