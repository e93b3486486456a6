"""Cells of the transactions tables: Java's vectors, what the real AtlasDB wrote, what is refused, generated values."""

import random
from typing import Any

import pytest

from atlasdb_recovery.atlas import coordination, transactions, varlong
from atlasdb_recovery.atlas.transactions import Entry, MalformedCell, State
from tests import vectors
from tests.atlas.numbers import COUNTS, HIGHEST, QUANTUM, timestamps

ENCODINGS = [(1, State.COMMITTED), (2, State.COMMITTED), (3, State.STAGING), (3, State.COMMITTED)]


def decoded(schema: int, start: int, value: str) -> Entry:
    return transactions.decode(
        schema, transactions.table_of(schema), *transactions.locate(schema, start), bytes.fromhex(value)
    )


@pytest.mark.parametrize(("name", "count"), [("t1", 4_646), ("t2", 4_646), ("t3", 9_292)])
def test_every_vector_is_written_and_read_like_java(name: str, count: int) -> None:
    computed = vectors.lines(name)
    assert len(computed) == count
    for line in computed:
        schema, start = line["schema"], line["start"]
        commit = None if line["status"] == "aborted" else line["commit"]
        state = State(line.get("state", "committed"))
        key, column1, column2 = transactions.locate(schema, start)
        value = transactions.value_of(schema, start, commit, state)
        assert (key.hex(), column1.hex(), column2) == (line["key"], line["column1"], line["column2"])
        assert value.hex() == line["value"]
        assert transactions.table_of(schema) == line["table"]
        entry = transactions.decode(schema, line["table"], key, column1, column2, value)
        assert entry == Entry(schema, line["decoded_start"], commit, state)
        assert entry.status == line["decoded_status"]


def test_ranges_are_covered_by_the_rows_java_names() -> None:
    for line in vectors.lines("t2_row_ranges"):
        rows = transactions.rows_covering(line["from_inclusive"], line["to_inclusive"])
        assert [row.hex() for row in rows] == line["rows"]


@pytest.mark.parametrize("ends", [(5, 4), (-1, 4), (1, 2**63)])
def test_what_is_no_range_has_no_rows(ends: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no range of start timestamps"):
        transactions.rows_covering(*ends)


def java_answer(answer: str, schema: int) -> tuple[int | None, State] | None:
    """What a Java decoder said of a value: commit (None: aborted) and state; None if it threw."""
    if answer.startswith("EXC"):
        return None
    state, said = answer.split(" ") if schema == 3 else ("committed", answer)
    commit = None if said == "Aborted{}" else int(said.removeprefix("Committed{commitTimestamp=").removesuffix("}"))
    return commit, State(state)


@pytest.mark.parametrize("schema", [1, 2, 3])
def test_odd_values_are_refused_unless_java_reads_them_and_would_have_written_them(schema: int) -> None:
    """Stricter than Java in this: trailing bytes, over-long VarLongs, commits below the start or beyond 64 bits.

    Java reads all of those, but AtlasDB writes none; whoever reads one has a damaged cell, or the wrong schema.
    """
    accepted = refused = 0
    for line in vectors.lines("odd_values"):
        start, answer = line["start"], java_answer(line[f"t{schema}"], schema)
        try:
            entry = decoded(schema, start, line["value"])
        except MalformedCell:
            refused += 1
            assert not would_have_written(schema, start, answer, line["value"]), line
        else:
            accepted += 1
            assert (entry.commit, entry.state) == answer, line
            assert would_have_written(schema, start, answer, line["value"]), line
    assert accepted > 15
    assert refused > 200


def would_have_written(schema: int, start: int, answer: tuple[int | None, State] | None, value: str) -> bool:
    if answer is None or (answer[0] is not None and not start <= answer[0] <= HIGHEST):
        return False
    return transactions.value_of(schema, start, *answer).hex() == value


def test_the_same_bytes_mean_different_things_by_schema() -> None:
    assert decoded(2, 100, "01").commit == 101
    assert decoded(3, 100, "01") == Entry(3, 100, None, State.COMMITTED)
    assert decoded(2, 100, "00").commit == 100
    assert decoded(3, 100, "00") == Entry(3, 100, None, State.STAGING)


@pytest.mark.parametrize(
    ("schema", "value", "reason"),
    [
        (1, "", "empty"),
        (1, "63", "commit timestamp 99 lies below its start timestamp 100"),
        (1, "00", "commit timestamp 0 lies below"),
        (1, "ff80fffffffffffffffe", "commit timestamp -2 lies below"),
        (1, "ff80ffffffffffffffff00", "left over"),
        (1, "8064", "over-long"),
        (2, "ff80ffffffffffffffff", "commit timestamp 99 lies below"),
        (2, "ff7fffffffffffffff", "above the highest timestamp"),
        (2, "0101", "left over"),
        (3, "", "last byte is the state"),
        (3, "0102", "the value ends in 02"),
        (3, "02", "the value ends in 02"),
        (3, "8001", "truncated"),
        (3, "ff80ffffffffffffffff01", "commit timestamp 99 lies below"),
    ],
)
def test_values_that_atlasdb_does_not_write_are_refused(schema: int, value: str, reason: str) -> None:
    with pytest.raises(MalformedCell, match=reason):
        decoded(schema, 100, value)


@pytest.mark.parametrize(
    ("schema", "place", "reason"),
    [
        (1, ("_transactions", "64", "74", 0), "column2 is 0"),
        (1, ("_transactions", "64", "74", -2), "column2 is -2"),
        (1, ("_transactions", "64", "75", -1), "column1 is 75"),
        (1, ("_transactions", "64", "", -1), "column1 is"),
        (1, ("_transactions", "64", "7474", -1), "column1 is 7474"),
        (1, ("_transactions", "", "74", -1), "empty"),
        (1, ("_transactions", "80", "74", -1), "truncated"),
        (1, ("_transactions", "8064", "74", -1), "over-long"),
        (1, ("_transactions", "ff80ffffffffffffffff", "74", -1), "start timestamp -1, which is negative"),
        (1, ("_transactions2", "2000000000000000", "06", -1), "schema 1 is kept in _transactions,"),
        (2, ("_transactions", "64", "74", -1), "schema 2 is kept in _transactions2,"),
        (2, ("_transactions2", "20000000000000", "06", -1), "the key has 7 bytes"),
        (2, ("_transactions2", "", "06", -1), "the key has 0 bytes"),
        (2, ("_transactions2", "200000000000000000", "06", -1), "the key has 9 bytes"),
        (2, ("_transactions2", "2000000000000000", "d7d784", -1), "column1 is 1562500"),
        (2, ("_transactions2", "2000000000000000", "ff80ffffffffffffffff", -1), "column1 is -1"),
        (2, ("_transactions2", "2000000000000000", "8006", -1), "over-long"),
        (2, ("_transactions2", "2000000000000000", "", -1), "empty"),
        (3, ("_transactions2", "ffffffffffffffff", "06", -1), "above 2\\^63-1"),
        (3, ("_transactions2", "0000000000000001", "00", -1), "above 2\\^63-1"),
        (3, ("_transactions3", "2000000000000000", "06", -1), "not in _transactions3"),
        (4, ("_transactions2", "2000000000000000", "06", -1), "schema 4 is not one of 1, 2 and 3"),
    ],
)
def test_places_that_atlasdb_does_not_use_are_refused(
    schema: int, place: tuple[str, str, str, int], reason: str
) -> None:
    table, key, column1, column2 = place
    cell = (bytes.fromhex(key), bytes.fromhex(column1), column2)
    with pytest.raises(MalformedCell, match=reason):
        transactions.decode(schema, table, *cell, b"\x01")


def test_the_first_start_beyond_64_bits_is_refused_and_the_last_one_within_is_read() -> None:
    key, column1, column2 = transactions.locate(2, HIGHEST)
    assert transactions.start_of("_transactions2", key, column1, column2) == HIGHEST
    next_column = varlong.encode(varlong.decode(column1) + 1)
    with pytest.raises(MalformedCell, match="9223372036854775823, which is above"):
        transactions.start_of("_transactions2", key, next_column, column2)


def test_a_table_that_is_no_transactions_table_has_no_start_timestamps() -> None:
    with pytest.raises(MalformedCell, match="_punch is not a transactions table"):
        transactions.start_of("_punch", b"\x01", b"t", -1)


@pytest.mark.parametrize("start", [-1, 2**63])
@pytest.mark.parametrize("schema", [1, 2, 3])
def test_start_timestamps_have_63_bits(schema: int, start: int) -> None:
    with pytest.raises(ValueError, match="not between 0 and"):
        transactions.locate(schema, start)


@pytest.mark.parametrize(
    ("schema", "start", "commit", "state", "reason"),
    [
        (2, 5, 4, State.COMMITTED, "does not follow"),
        (1, 5, -1, State.COMMITTED, "does not follow"),
        (3, 5, 2**63, State.COMMITTED, "does not follow"),
        (1, 5, 6, State.STAGING, "schema 1 has no staging state"),
        (2, 5, None, State.STAGING, "schema 2 has no staging state"),
        (4, 5, 6, State.COMMITTED, "schema 4 is not one of"),
    ],
)
def test_nothing_is_written_that_atlasdb_never_writes(
    schema: int, start: int, commit: int | None, state: State, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        transactions.value_of(schema, start, commit, state)


def test_abort_values_are_the_final_ones() -> None:
    assert [transactions.abort_value(schema).hex() for schema in (1, 2, 3)] == ["ff80ffffffffffffffff", "", "01"]
    for schema in (1, 2, 3):
        assert decoded(schema, 7, transactions.abort_value(schema).hex()) == Entry(schema, 7, None, State.COMMITTED)


@pytest.mark.parametrize("count", COUNTS)
def test_round_trip_over_generated_transactions(count: int) -> None:
    source = random.Random(2)
    seen: dict[tuple[bytes, bytes], int] = {}
    for start in timestamps(count, seed=3, lowest=1):
        commit = None if source.random() < 0.1 else min(HIGHEST, start + source.getrandbits(source.randrange(64)))
        schema, state = ENCODINGS[source.randrange(4)]
        table, place = transactions.table_of(schema), transactions.locate(schema, start)
        value = transactions.value_of(schema, start, commit, state)
        assert transactions.decode(schema, table, *place, value) == Entry(schema, start, commit, state)
        assert seen.setdefault(place[:2], start) == start


@pytest.mark.parametrize("count", COUNTS)
def test_a_damaged_cell_is_refused_or_is_another_cell_that_atlasdb_could_have_written(count: int) -> None:
    source = random.Random(4)
    for start in timestamps(count, seed=5, lowest=1):
        schema, state = ENCODINGS[source.randrange(4)]
        table, (key, column1, column2) = transactions.table_of(schema), transactions.locate(schema, start)
        value = transactions.value_of(schema, start, min(HIGHEST, start + source.randrange(300)), state)
        parts = [key, column1, value]
        which = source.randrange(3)
        parts[which] = damaged(parts[which], source)
        try:
            entry = transactions.decode(schema, table, parts[0], parts[1], column2, parts[2])
        except MalformedCell:
            continue
        assert transactions.locate(schema, entry.start) == (parts[0], parts[1], column2)
        assert transactions.value_of(schema, entry.start, entry.commit, entry.state) == parts[2]


def damaged(data: bytes, source: random.Random) -> bytes:
    changed = bytearray(data)
    match source.randrange(3):
        case 0 if changed:
            changed[source.randrange(len(changed))] ^= 1 << source.randrange(8)
        case 1 if changed:
            del changed[source.randrange(len(changed)) :]
        case _:
            changed.insert(source.randrange(len(changed) + 1), source.choice((0, 1, 0x7F, 0x80, 0xFF)))
    return bytes(changed)


def test_keys_of_schema_1_sort_by_start_timestamp() -> None:
    starts = sorted(set(timestamps(20_000, seed=6, lowest=1)))
    keys = [transactions.locate(1, start)[0] for start in starts]
    assert keys == sorted(keys)


def test_the_rows_of_a_range_hold_every_start_timestamp_in_it() -> None:
    source = random.Random(7)
    for first in timestamps(2_000, seed=8, lowest=1):
        last = min(HIGHEST, first + source.randrange(3 * QUANTUM))
        rows = transactions.rows_covering(first, last)
        assert len(rows) % 16 == 0
        assert len(set(rows)) == len(rows)
        for start in (first, last, source.randint(first, last)):
            assert transactions.locate(2, start)[0] in rows


def real_cells() -> list[dict[str, Any]]:
    tables = vectors.document("real-atlasdb-rows")["tables"]
    return [cell | {"table": table} for table in ("_transactions", "_transactions2") for cell in tables[table]]


def test_every_transaction_the_real_atlasdb_wrote_reads_as_atlasdb_reported_it() -> None:
    real = vectors.document("real-atlasdb-rows")
    schemas = coordination.read_rows(
        (bytes.fromhex(cell["column1"]), cell["column2"], bytes.fromhex(cell["value"]))
        for cell in real["tables"]["_coordination"]
    )
    read: dict[int, Entry] = {}
    for cell in real_cells():
        place = (bytes.fromhex(cell["key"]), bytes.fromhex(cell["column1"]), cell["column2"])
        schema = schemas.schema_at(transactions.start_of(cell["table"], *place))
        assert schema is not None
        entry = transactions.decode(schema, cell["table"], *place, bytes.fromhex(cell["value"]))
        if schema == 3 and entry.state is State.COMMITTED:
            assert cell["writetime"] == transactions.SET_ONCE_WRITE_TIME
        else:
            assert cell["writetime"] < transactions.SET_ONCE_WRITE_TIME
        read[entry.start] = entry
    reported = [event for event in real["events"] if "start" in event]
    assert len(reported) == 82
    for event in reported:
        entry = read[event["start"]]
        assert entry.commit == event.get("commit", None if event.get("read_back") == -1 else "unexpected")
        assert (entry.state is State.STAGING) == (event["event"] == "staging")
        assert entry.schema == int(event.get("tag", "t3")[1])
