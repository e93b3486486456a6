"""A scan from the immutable timestamp on finds what a full one finds: over histories that TimeLock allows."""

import asyncio
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.atlas.coordination import SchemaMap, SchemaRange
from atlasdb_recovery.atlas.ticket_cells import PARTITIONING_QUANTUM, cell_of_ticket, partition_of_key
from atlasdb_recovery.atlas.transactions import SET_ONCE_WRITE_TIME, TRANSACTIONS2, State
from atlasdb_recovery.cassandra.ports import Cell
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated.timelock.namespaces import Bound, LedNamespace
from atlasdb_recovery.procedure.removal.finder import Finder
from atlasdb_recovery.procedure.removal.findings import Findings
from atlasdb_recovery.procedure.removal.pieces import pieces_from
from tests.procedure.removal.tables import KEYSPACE, Tables

SCHEMAS = SchemaMap(
    (
        SchemaRange(1, PARTITIONING_QUANTUM, 1),
        SchemaRange(PARTITIONING_QUANTUM, 6 * PARTITIONING_QUANTUM, 2),
        SchemaRange(6 * PARTITIONING_QUANTUM, None, 3),
    ),
    100 * PARTITIONING_QUANTUM,
)


@dataclass
class Open:
    """A transaction: it holds its lock from before its start until it has ended or lost it."""

    token: str
    start: int
    commit: int | None = None
    """Fetched, and the lock seen held after that: only then may it still be written, however late."""


@dataclass
class History:
    """What a service on one TimeLock does, and a backup in the middle of it (`SnapshotTransaction.commitWrites`)."""

    chooser: random.Random
    checks_its_lock: bool = True
    timelock: LedNamespace = field(default_factory=lambda: LedNamespace(Bound(), lambda: 0.0))
    open: list[Open] = field(default_factory=list)
    written: dict[int, int | None] = field(default_factory=dict)
    begun: int = 0

    def step(self) -> None:
        choice = self.chooser.random()
        if choice < 0.3 or not self.open:
            self.begin()
        elif choice < 0.37:
            self.timelock.fast_forward(self.timelock.fresh()[0] + self.chooser.randrange(2 * PARTITIONING_QUANTUM))
        elif choice < 0.42:
            self.timelock.unlock([self.chooser.choice(self.open).token])  # a lease that ran out: a long pause
        elif choice < 0.45:
            self.timelock.lose_locks()  # another server leads
        else:
            self.advance(self.chooser.choice(self.open))

    def begin(self) -> None:
        self.begun += 1
        token = f"transaction {self.begun}"
        self.timelock.lock_immutable(token)
        self.open.append(Open(token, self.timelock.fresh()[0]))

    def advance(self, one: Open) -> None:
        if one.commit is None:
            commit = self.timelock.fresh()[0]
            if self.checks_its_lock and not self.timelock.refresh([one.token]):
                self.end(one, None if self.chooser.random() < 0.5 else 0)
            else:
                one.commit = commit
            return
        self.end(one, one.commit)

    def end(self, one: Open, commit: int | None) -> None:
        """0: it leaves nothing behind. None: it is rolled back by whoever reads it."""
        if commit != 0:
            self.written[one.start] = commit
        self.timelock.unlock([one.token])
        self.open.remove(one)

    def backup(self) -> tuple[int, int]:
        """I, then B."""
        immutable = self.timelock.lock_immutable("the backup")
        return immutable, self.timelock.fresh()[0]


async def tables_of(history: History) -> Tables:
    tables = await Tables.made(Dialect.APACHE)
    for start, commit in history.written.items():
        schema = SCHEMAS.schema_at(start)
        assert schema is not None
        state = State.STAGING if schema == 3 and start % 5 == 0 else State.COMMITTED
        position = transactions.locate(schema, start)
        value = transactions.value_of(schema, start, commit, state)
        cell = Cell(*position, value, SET_ONCE_WRITE_TIME if schema == 3 else 1)
        await tables.put(transactions.table_of(schema), cell)
    return tables


async def scanned(tables: Tables, after: int, from_start: int) -> Findings:
    finder = Finder(tables.cluster, tables.scope(after, SCHEMAS, from_start=from_start), let_server_filter=False)
    async for _ in finder.pages():
        pass
    return finder.findings


def told(findings: Findings) -> tuple[object, ...]:
    """What a removal acts upon."""
    return (
        findings.digest, findings.by_schema, findings.first_commit, findings.last_commit, findings.straddling,
        findings.staging, findings.samples, findings.straddlers, findings.unknown_schema, findings.odd,
    )  # fmt: skip


def history_of(seed: int, before: int, after: int, *, checks_its_lock: bool = True) -> tuple[History, int, int]:
    history = History(random.Random(seed), checks_its_lock)
    for _ in range(before):
        history.step()
    immutable, backup = history.backup()
    for _ in range(after):
        history.step()
    return history, immutable, backup


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), before=st.integers(0, 120), after=st.integers(0, 80))
def test_it_finds_what_a_full_scan_finds(seed: int, before: int, after: int) -> None:
    """Transactions straddle I and B, are paused beyond their lease between any two steps, and lose it by elections."""

    async def run() -> None:
        history, immutable, backup = history_of(seed, before, after)
        tables = await tables_of(history)
        full, narrowed = await scanned(tables, backup, 1), await scanned(tables, backup, immutable)
        assert told(narrowed) == told(full)
        assert narrowed.cells_scanned <= full.cells_scanned
        beyond = {start for start, commit in history.written.items() if commit is not None and commit > backup}
        assert full.count == len(beyond)
        assert all(start > immutable for start in beyond)

    asyncio.run(run())


async def test_histories_have_what_the_proof_is_about() -> None:
    """Straddlers of B that the narrowed scan must find, of every schema, and whole partitions that it leaves out."""
    straddling, left_out, schemas = 0, 0, set[int]()
    for seed in range(30):
        history, immutable, backup = history_of(seed, 100, 60)
        tables = await tables_of(history)
        full, narrowed = await scanned(tables, backup, 1), await scanned(tables, backup, immutable)
        straddling += narrowed.straddling
        left_out += full.cells_scanned - narrowed.cells_scanned
        schemas |= set(narrowed.by_schema)
    assert straddling > 10
    assert left_out > 100
    assert schemas == {2, 3}


async def test_a_service_that_does_not_see_that_its_lock_is_lost_would_be_missed() -> None:
    """What the proof rests upon: AtlasDB looks at its lock after it fetched the commit timestamp."""
    differs = 0
    for seed in range(60):
        history, immutable, backup = history_of(seed, 100, 60, checks_its_lock=False)
        tables = await tables_of(history)
        differs += told(await scanned(tables, backup, 1)) != told(await scanned(tables, backup, immutable))
    assert differs


@given(start=st.integers(0, 2**63 - 1))
def test_a_row_is_of_one_partition(start: int) -> None:
    assert partition_of_key(cell_of_ticket(start)[0]) == start // PARTITIONING_QUANTUM


@pytest.mark.parametrize("dialect", Dialect, ids=str)
async def test_rows_of_earlier_partitions_are_left_out_and_everything_else_is_read(dialect: Dialect) -> None:
    tables = await Tables.made(dialect)
    starts = [partition * PARTITIONING_QUANTUM + turn for partition in (1, 2, 3, 40) for turn in range(17)]
    for start in starts:
        position = transactions.locate(2, start)
        await tables.put(TRANSACTIONS2, Cell(*position, transactions.value_of(2, start, start + 1), 1))
    await tables.put(TRANSACTIONS2, Cell(b"odd", b"\x00", -1, b"", 1))
    findings = await scanned(tables, 1, 3 * PARTITIONING_QUANTUM + 5)
    assert findings.scanned == {TRANSACTIONS2: 2 * 17 + 1}
    assert findings.odd_count == 1
    keys = {cell_of_ticket(start)[0] for start in starts}
    assert {partition_of_key(key) for key in keys} == {1, 2, 3, 40}
    assert partition_of_key(b"odd") is None
    pieces = await pieces_from(tables.cluster, KEYSPACE, TRANSACTIONS2, 50 * PARTITIONING_QUANTUM)
    assert len(pieces) == 1  # where the odd row lies


async def test_schema_1_begins_at_its_key() -> None:
    tables = await Tables.made()
    for start in (5, 127, 128, 16_383, 16_384, 70_000):
        await tables.commit(start, 80_000)
    for lowest, count in ((1, 6), (5, 6), (6, 5), (127, 5), (128, 4), (129, 3), (16_384, 2), (70_000, 1), (70_001, 0)):
        assert (await scanned(tables, 75_000, lowest)).count == count, lowest
