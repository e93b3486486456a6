"""The ordered variable-length integer: Java's vectors, every refusal, round trip and order over generated values."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from atlasdb_recovery.atlas import varlong
from atlasdb_recovery.atlas.varlong import MalformedValue
from tests import vectors
from tests.atlas.numbers import COUNTS, timestamps


def test_every_vector_is_encoded_and_decoded_like_java() -> None:
    computed = vectors.lines("varlong")
    assert len(computed) == 880
    for line in computed:
        assert varlong.encode(line["value"]).hex() == line["varlong"]
        assert varlong.decode(bytes.fromhex(line["varlong"])) == line["value"]
        assert len(varlong.encode(line["value"])) == line["size"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "empty"),
        ("80", "truncated: 1 of 2 bytes"),
        ("c040", "truncated: 2 of 3 bytes"),
        ("ff", "truncated: 1 of 9 bytes"),
        ("ff00", "truncated: 2 of 9 bytes"),
        ("ff80", "truncated: 2 of 10 bytes"),
        ("ff80ffffffffffffff", "truncated: 9 of 10 bytes"),
        ("0100", "left over after the VarLong 01: 1 of them"),
        ("808000ff", "left over after the VarLong 8080: 2 of them"),
        ("ff80ffffffffffffffff00", "left over"),
        ("8000", "over-long: 0 takes fewer"),
        ("807f", "over-long: 127 takes fewer"),
        ("c03fff", "over-long: 16383 takes fewer"),
        ("fe00ffffffffffff", "over-long"),
        ("ff0000ffffffffffff", "over-long"),
        ("ff800000000000000001", "not how AtlasDB writes 1"),
        ("ff81ffffffffffffffff", "not how AtlasDB writes -1"),
        ("ffc0ffffffffffffffff", "claims more than 10 bytes"),
        ("ffff", "claims more than 10 bytes"),
    ],
)
def test_bytes_that_encode_never_yields_are_refused(data: str, reason: str) -> None:
    with pytest.raises(MalformedValue, match=reason):
        varlong.decode(bytes.fromhex(data))


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**64])
def test_more_than_64_bits_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match="does not fit 64 bits"):
        varlong.encode(value)


@pytest.mark.parametrize("count", COUNTS)
def test_round_trip_and_order_over_generated_values(count: int) -> None:
    values = sorted(timestamps(count, seed=1))
    encoded = [varlong.encode(value) for value in values]
    assert [varlong.decode(data) for data in encoded] == values
    assert encoded == sorted(encoded)
    assert [len(data) for data in encoded] == [max(1, -(-value.bit_length() // 7)) for value in values]
    negatives = [varlong.encode(-value - 1) for value in values]
    assert [varlong.decode(data) for data in negatives] == [-value - 1 for value in values]
    assert min(negatives) > max(encoded)


@settings(max_examples=2_000)
@given(st.binary(max_size=12) | st.integers(-(2**63), 2**63 - 1).map(varlong.encode))
@example(b"\xff\x80" + bytes(8))
def test_what_is_decoded_is_what_encode_yields(data: bytes) -> None:
    try:
        value = varlong.decode(data)
    except MalformedValue:
        return
    assert varlong.encode(value) == data
