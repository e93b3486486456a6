"""The `_timestamp` row: Java's vectors, the real row, the states of a migration to TimeLock, damage."""

import pytest

from atlasdb_recovery.atlas import timestamp_bound
from atlasdb_recovery.atlas.timestamp_bound import BoundInvalidated, MalformedBound
from tests import vectors
from tests.atlas.numbers import COUNTS, timestamps

BOUND = bytes.fromhex("00000000000f6951")


def bound_of(**columns: bytes) -> int | None:
    return timestamp_bound.bound_of((name.encode(), -1, value) for name, value in columns.items())


def test_every_vector_is_encoded_decoded_and_judged_like_java() -> None:
    computed = vectors.lines("timestamp")
    assert len(computed) == 338
    for line in computed:
        if line["kind"] == "bound":
            assert timestamp_bound.encode(line["bound"]).hex() == line["value"]
            row, column1, column2 = timestamp_bound.BOUND_POSITION
            assert (row.hex(), column1.hex(), column2) == (line["key"], line["column1"], line["column2"])
        if "value" in line:
            value = bytes.fromhex(line["value"])
            if line["valid"]:
                assert bound_of(ts=value) == int(line["decoded"])
            else:
                with pytest.raises(BoundInvalidated if line["kind"] == "invalidated" else MalformedBound):
                    bound_of(ts=value)


def test_the_real_row_is_read() -> None:
    (cell,) = vectors.document("real-atlasdb-rows")["tables"]["_timestamp"]
    assert (bytes.fromhex(cell["key"]), bytes.fromhex(cell["column1"])) == timestamp_bound.BOUND_POSITION[:2]
    assert bound_of(ts=bytes.fromhex(cell["value"])) == 11010374


def test_no_cell_is_no_bound_yet() -> None:
    assert timestamp_bound.bound_of([]) is None
    assert bound_of(tr=BOUND) is None
    assert bound_of(oldTs=b"") is None


def test_constants_are_javas() -> None:
    assert timestamp_bound.encode(timestamp_bound.INITIAL_BOUND).hex() == "0000000000002710"
    assert timestamp_bound.ALLOCATION_BUFFER == 1_000_000
    assert timestamp_bound.OLD_POSITION[1].hex() == "6f6c645473"


def test_a_migrated_keyspace_is_refused_and_its_old_bound_named() -> None:
    with pytest.raises(BoundInvalidated, match=r"TimeLock \(oldTs = 1010001\); timestamps come from TimeLock"):
        bound_of(ts=b"\x00", oldTs=BOUND)
    with pytest.raises(BoundInvalidated, match="TimeLock; timestamps"):
        bound_of(ts=b"\x00")


def test_a_keyspace_that_came_back_from_timelock_has_its_bound() -> None:
    assert bound_of(ts=BOUND, oldTs=b"") == 1010001


@pytest.mark.parametrize("columns", [{"ts": BOUND, "oldTs": BOUND}, {"oldTs": BOUND}])
def test_a_bound_beside_one_that_was_put_aside_is_refused(columns: dict[str, bytes]) -> None:
    with pytest.raises(MalformedBound, match="which service is the authority"):
        bound_of(**columns)


@pytest.mark.parametrize("value", ["", "01", "0000", "00000000000f69", "00000000000f695100", "ffffffffffffffff"])
def test_anything_but_eight_bytes_of_a_non_negative_number_is_refused(value: str) -> None:
    with pytest.raises(MalformedBound, match="not a number of 8 bytes"):
        bound_of(ts=bytes.fromhex(value))


@pytest.mark.parametrize("column2", [0, -2])
@pytest.mark.parametrize("column1", [b"ts", b"oldTs"])
def test_another_version_of_the_cell_is_refused(column1: bytes, column2: int) -> None:
    with pytest.raises(MalformedBound, match=f"column2 {column2}"):
        timestamp_bound.bound_of([(b"ts", -1, BOUND), (column1, column2, BOUND)])


@pytest.mark.parametrize("bound", [-1, 2**63])
def test_a_bound_has_63_bits(bound: int) -> None:
    with pytest.raises(ValueError, match="not between 0 and"):
        timestamp_bound.encode(bound)


@pytest.mark.parametrize("count", COUNTS)
def test_round_trip_and_order_over_generated_bounds(count: int) -> None:
    bounds = sorted(timestamps(count, seed=12))
    encoded = [timestamp_bound.encode(bound) for bound in bounds]
    assert [bound_of(ts=value) for value in encoded] == bounds
    assert encoded == sorted(encoded)
