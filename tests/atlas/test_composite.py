"""Thrift's composite column names: Java's vectors and what is no such name."""

import random

import pytest

from atlasdb_recovery.atlas import composite
from tests import vectors
from tests.atlas.numbers import COUNTS, timestamps


def test_every_vector_is_composed_and_taken_apart_like_java() -> None:
    computed = vectors.lines("composite")
    assert len(computed) == 1_660
    for line in computed:
        column1, column2, name = bytes.fromhex(line["column1"]), line["column2"], bytes.fromhex(line["composite"])
        assert composite.encode(column1, column2) == name
        assert composite.decode(name) == (column1, column2)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "0001",
        "000174000008ffffffffffffffff",
        "000174000008ffffffffffffffff01",
        "000174010008ffffffffffffffff00",
        "000174000007ffffffffffffffff00",
        "000274000008ffffffffffffffff00",
        "000174000008ffffffffffffffff0000",
    ],
)
def test_other_bytes_are_no_composite(name: str) -> None:
    with pytest.raises(ValueError, match="composite"):
        composite.decode(bytes.fromhex(name))


@pytest.mark.parametrize(("column1", "column2"), [(bytes(65536), -1), (b"t", 2**63), (b"t", -(2**63) - 1)])
def test_what_does_not_fit_is_not_composed(column1: bytes, column2: int) -> None:
    with pytest.raises(ValueError, match="at most 65535 bytes"):
        composite.encode(column1, column2)


@pytest.mark.parametrize("count", COUNTS)
def test_round_trip_over_generated_names(count: int) -> None:
    source = random.Random(10)
    for timestamp in timestamps(count, seed=11):
        column1 = source.randbytes(source.choice((0, 1, 1, 3, 9, 300)))
        assert composite.decode(composite.encode(column1, ~timestamp)) == (column1, ~timestamp)
