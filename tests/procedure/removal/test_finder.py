"""Finding every transaction that committed after B: by commit, over the whole table, in every schema."""

import asyncio
import tracemalloc
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.atlas.coordination import EVERYTHING_SCHEMA_1, SchemaMap, SchemaRange
from atlasdb_recovery.atlas.transactions import TRANSACTIONS, TRANSACTIONS2, State
from atlasdb_recovery.cassandra.ports import Cell, NotEnoughReplicas
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated.faults import times_out
from atlasdb_recovery.procedure.removal import finder
from atlasdb_recovery.procedure.removal.findings import Found
from tests.procedure.removal.tables import BOUND, FIRST_OF_2, FIRST_OF_3, MAP, Tables

BOTH_DIALECTS = pytest.mark.parametrize("dialect", Dialect, ids=str)
BOTH_WAYS = pytest.mark.parametrize("let_server_filter", [True, False], ids=["server filters", "filtered here"])


def told(found: list[Found]) -> list[tuple[int, int, int, str]]:
    return [(one.schema, one.start, one.commit, one.state) for one in found]


@BOTH_DIALECTS
async def test_all_three_schemas_in_one_keyspace_are_judged_by_commit(dialect: Dialect) -> None:
    """B in the middle of each schema's own history; straddlers began before it and committed after."""
    for first in (1, FIRST_OF_2, FIRST_OF_3):
        tables = await Tables.made(dialect)
        for start in (1, FIRST_OF_2, FIRST_OF_3):
            await tables.commit(start + 10, start + 20)
            await tables.commit(start + 30, start + 130)
            await tables.commit(start + 110, start + 120)
            await tables.commit(start + 40, None)
        found, findings = await tables.scan(first + 100)
        later = [start for start in (FIRST_OF_2, FIRST_OF_3) if start > first]
        assert told(found) == [
            (MAP.schema_at(first), first + 30, first + 130, "committed"),
            (MAP.schema_at(first), first + 110, first + 120, "committed"),
            *(
                (MAP.schema_at(start), start + begun, start + committed, "committed")
                for start in later
                for begun, committed in ((10, 20), (30, 130), (110, 120))
            ),
        ]
        assert (findings.straddling, findings.unknown_schema, findings.odd_count) == (1, 0, 0)
        assert findings.highest == FIRST_OF_3 + 130
        assert (findings.first_commit, findings.last_commit) == (first + 120, (FIRST_OF_3 if later else first) + 130)


@BOTH_WAYS
async def test_the_cut_is_strict(let_server_filter: bool) -> None:
    tables = await Tables.made()
    for start in (10, FIRST_OF_2 + 10, FIRST_OF_3 + 10):
        await tables.commit(start, start + 5)
        for beyond, count in ((start + 4, 1), (start + 5, 0), (start + 6, 0)):
            found = [
                one for one in await tables.found(beyond, let_server_filter=let_server_filter) if one.start == start
            ]
            assert len(found) == count, (start, beyond)


async def test_an_instantaneous_commit_counts_at_its_start() -> None:
    tables = await Tables.made()
    await tables.commit(50, 50)
    await tables.commit(FIRST_OF_3 + 50, FIRST_OF_3 + 50)
    assert [one.start for one in await tables.found(49)] == [50, FIRST_OF_3 + 50]
    assert [one.start for one in await tables.found(50)] == [FIRST_OF_3 + 50]


async def test_a_staging_commit_counts_as_a_commit_and_aborted_ones_do_not() -> None:
    tables = await Tables.made()
    start = FIRST_OF_3
    await tables.commit(start + 1, start + 9, State.STAGING)
    await tables.commit(start + 2, None, State.STAGING)
    await tables.commit(start + 3, None)
    await tables.commit(FIRST_OF_2 + 4, None)
    await tables.commit(5, None)
    found, findings = await tables.scan(4)
    assert told(found) == [(3, start + 1, start + 9, "staging")]
    assert findings.staging == 1


async def test_the_byte_01_is_a_commit_in_schema_2_and_an_abort_in_schema_3() -> None:
    tables = await Tables.made()
    for start in (FIRST_OF_2 + 5, FIRST_OF_3 + 5):
        await tables.put(TRANSACTIONS2, Cell(*transactions.locate(2, start), b"\x01", 10))
    assert told(await tables.found(FIRST_OF_2)) == [(2, FIRST_OF_2 + 5, FIRST_OF_2 + 6, "committed")]


ODD = [
    (TRANSACTIONS, Cell(b"\x0a", b"t", -1, b"", 1), "the value holds no commit timestamp"),
    (TRANSACTIONS, Cell(b"\x0a", b"t", -1, b"\x8f\xff\x00", 1), "left over"),
    (TRANSACTIONS, Cell(b"\x0a", b"t", -1, b"\x8f", 1), "truncated"),
    (TRANSACTIONS, Cell(b"\x0a", b"t", -1, b"\x00", 1), "lies below its start timestamp"),
    (TRANSACTIONS, Cell(b"\x0a", b"x", -1, b"\x8f\xff", 1), "column1 is 78"),
    (TRANSACTIONS, Cell(b"\x0a", b"t", -2, b"\x8f\xff", 1), "column2 is -2"),
    (TRANSACTIONS, Cell(b"\x00", b"t", -1, b"\x8f\xff", 1), "start 0 is below 1"),
    (TRANSACTIONS, Cell(b"\xff\x80" + b"\xff" * 8, b"t", -1, b"\x8f\xff", 1), "negative"),
    (TRANSACTIONS, Cell(b"\x0a\x0a", b"t", -1, b"\x8f\xff", 1), "name no start timestamp"),
    (TRANSACTIONS, Cell(transactions.locate(1, FIRST_OF_2)[0], b"t", -1, b"\x8f\xff", 1), "belongs to schema 2"),
    (TRANSACTIONS2, Cell(b"\x00" * 7, b"\x00", -1, b"\x01", 1), "the key has 7 bytes"),
    (TRANSACTIONS2, Cell(*transactions.locate(2, 77), b"\x01", 1), "belongs to schema 1"),
    (TRANSACTIONS2, Cell(b"\x00" * 8, b"\xd7\xd7\x84", -1, b"\x01", 1), "column1 is 1562500"),
    (TRANSACTIONS2, Cell(*transactions.locate(2, FIRST_OF_2 + 5), b"\x00\x01", 1), "left over"),
    (TRANSACTIONS2, Cell(*transactions.locate(3, FIRST_OF_3 + 5), b"", 1), "its last byte is the state"),
    (TRANSACTIONS2, Cell(*transactions.locate(3, FIRST_OF_3 + 5), b"\x01\x02", 1), "the value ends in 02"),
]


@pytest.mark.parametrize(("table", "cell", "reason"), ODD, ids=lambda value: value if isinstance(value, str) else "")
async def test_an_odd_cell_is_told_in_hex_and_found_is_only_what_is_not_odd(
    table: str, cell: Cell, reason: str
) -> None:
    tables = await Tables.made()
    await tables.commit(20, 2_000)
    await tables.put(table, cell)
    found, findings = await tables.scan(100)
    assert told(found) == [(1, 20, 2_000, "committed")]
    (odd,) = findings.odd
    assert (odd.table, odd.key, odd.column1, odd.column2) == (table, cell.key.hex(), cell.column1.hex(), cell.column2)
    assert odd.value == cell.value.hex()
    assert reason in odd.reason
    for shown in (f"key 0x{cell.key.hex()}", f"value 0x{cell.value.hex()}", reason):
        assert shown in odd.words


async def test_a_start_beyond_the_map_is_of_unknown_schema_and_counts_for_f() -> None:
    tables = await Tables.made()
    start = BOUND + 1
    await tables.put(TRANSACTIONS2, Cell(*transactions.locate(2, start), b"\x01", 1))
    found, findings = await tables.scan(5)
    assert (found, findings.unknown_schema, findings.unknown_sample, findings.highest) == ([], 1, start, start)


async def test_without_a_map_nothing_in_transactions2_is_judged() -> None:
    """`01` would be a commit in schema 2 and an abort in schema 3: it is never guessed."""
    tables = await Tables.made()
    await tables.commit(20, 2_000)
    await tables.put(TRANSACTIONS2, Cell(*transactions.locate(2, FIRST_OF_2 + 5), b"\x01", 1))
    found, findings = await tables.scan(100, EVERYTHING_SCHEMA_1)
    assert told(found) == [(1, 20, 2_000, "committed")]
    assert findings.unknown_schema == 1


async def test_the_highest_timestamp_counts_starts_of_aborted_and_odd_ones_too() -> None:
    tables = await Tables.made()
    await tables.commit(FIRST_OF_2 + 70, None)
    assert (await tables.scan(5))[1].highest == FIRST_OF_2 + 70
    await tables.put(TRANSACTIONS2, Cell(*transactions.locate(3, FIRST_OF_3 + 90), b"\x07", 1))
    assert (await tables.scan(5))[1].highest == FIRST_OF_3 + 90


async def test_a_replica_that_alone_has_a_commit_is_heard() -> None:
    tables = await Tables.made()
    for address in tables.cluster.addresses[:2]:
        tables.cluster.lose_writes(address)
    with pytest.raises(NotEnoughReplicas):
        await tables.put(TRANSACTIONS, Cell(*transactions.locate(1, 20), transactions.value_of(1, 20, 900), 5))
    for address in tables.cluster.addresses[:2]:
        tables.cluster.lose_writes(address, lose=False)
    assert [one.start for one in await tables.found(100)] == [20]


@BOTH_DIALECTS
async def test_a_scan_that_cannot_be_read_whole_finds_nothing(dialect: Dialect) -> None:
    tables = await Tables.made(dialect)
    await tables.commit(20, 900)
    tables.cluster.faults.before("scan", times_out, passes=1)
    with pytest.raises(NotEnoughReplicas):
        await tables.found(100)
    tables.cluster.stop_node(tables.cluster.addresses[1])
    with pytest.raises(NotEnoughReplicas):
        await tables.found(100)


@dataclass(frozen=True)
class Written:
    """One cell of a random keyspace: what it commits to, if it is one that AtlasDB writes."""

    table: str
    cell: Cell
    schema: int | None = None
    start: int = 0
    commit: int | None = None


STARTS = st.one_of(
    st.integers(1, 400), st.integers(FIRST_OF_2, FIRST_OF_2 + 400), st.integers(FIRST_OF_3, FIRST_OF_3 + 400)
)


@st.composite
def atlasdb_cells(draw: st.DrawFn) -> Written:
    start = draw(STARTS)
    schema = MAP.schema_at(start) or 1
    state = draw(st.sampled_from(State)) if schema == 3 else State.COMMITTED
    commit = draw(st.one_of(st.none(), st.integers(0, 300).map(lambda distance: start + distance)))
    value = transactions.value_of(schema, start, commit, state)
    cell = Cell(*transactions.locate(schema, start), value, draw(st.integers(1, 2**60)))
    return Written(transactions.table_of(schema), cell, schema, start, commit)


@st.composite
def other_cells(draw: st.DrawFn) -> Written:
    """Bytes that anything may have written, often near what AtlasDB writes."""
    table = draw(st.sampled_from([TRANSACTIONS, TRANSACTIONS2]))
    near = transactions.locate(1 if table == TRANSACTIONS else 2, draw(STARTS))
    key = draw(st.one_of(st.just(near[0]), st.binary(min_size=1, max_size=9)))
    column1 = draw(st.one_of(st.just(near[1]), st.binary(max_size=3)))
    value = draw(st.binary(max_size=11))
    return Written(table, Cell(key, column1, draw(st.sampled_from([-1, 0])), value, draw(st.integers(1, 2**60))))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(atlasdb_cells(), other_cells()), max_size=40), STARTS)
def test_the_servers_filter_and_ours_find_the_same_and_that_is_what_was_committed_later(
    written: list[Written], after: int
) -> None:
    asyncio.run(both_ways_find_the_same(written, after))


async def both_ways_find_the_same(written: list[Written], after: int) -> None:
    tables = await Tables.made(Dialect.APACHE)
    last = {
        (one.table, one.cell.position): one
        for one in sorted(written, key=lambda one: (one.cell.write_time or 0, one.cell.value))
    }
    for one in written:
        await tables.put(one.table, one.cell)
    unfiltered, findings = await tables.scan(after)
    filtered, by_server = await tables.scan(after, let_server_filter=True)
    assert findings.digest == by_server.digest
    assert told(filtered) == told(unfiltered)
    committed = {
        (one.schema, one.start, one.commit)
        for one in last.values()
        if one.schema is not None and one.commit is not None and one.commit > after
    }
    assert committed <= {(one.schema, one.start, one.commit) for one in unfiltered}
    valid = {(one.table, one.cell.position) for one in last.values() if one.schema is not None}
    extra = [one for one in unfiltered if (one.table, one.cell.position) not in valid]
    assert all(one.commit > after for one in extra), "random bytes that happen to be a commit"


async def test_the_digest_tells_any_change_of_any_cell() -> None:
    tables = await Tables.made()
    cell = await tables.commit(20, 900)
    digests = {(await tables.scan(100))[1].digest}
    for changed in (
        Cell(*cell.position, transactions.value_of(1, 20, 901), (cell.write_time or 0) + 1),
        Cell(*cell.position, transactions.value_of(1, 20, 901), (cell.write_time or 0) + 2),
    ):
        await tables.put(TRANSACTIONS, changed)
        digests.add((await tables.scan(100))[1].digest)
    await tables.commit(21, 900)
    digests.add((await tables.scan(100))[1].digest)
    assert len(digests) == 4


def test_a_map_can_only_hold_schemas_1_to_3() -> None:
    with pytest.raises(ValueError, match="transactions schema 4, and only 1, 2 and 3 are known"):
        SchemaMap((SchemaRange(1, None, 4),), None)


async def test_a_scan_takes_the_same_memory_however_much_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "PAGE_SIZE", 50)
    peaks = []
    for count in (1_000, 6_000):
        tables = await Tables.made()
        for start in range(1, count + 1):
            await tables.put(
                TRANSACTIONS, Cell(*transactions.locate(1, start), transactions.value_of(1, start, start + 9), 5)
            )
        scan = finder.Finder(tables.cluster, tables.scope(1), let_server_filter=False)
        assert sum([len(page) async for page in scan.pages()]) == count, "warm: the cluster has its rows in order"
        scan = finder.Finder(tables.cluster, tables.scope(1), let_server_filter=False)
        tracemalloc.start()
        async for _ in scan.pages():
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0] + 100_000, peaks
