"""Which version of a cell wins, against the rule as Cassandra's sources and the measurements state it."""

from hypothesis import given
from hypothesis import strategies as st

from atlasdb_recovery.practice.simulated.storage import TableStore, Version, deleted, written

POSITION = (b"key", b"t", -1)
versions = st.builds(written, st.integers(0, 3), st.binary(max_size=2)) | st.builds(deleted, st.integers(0, 3))


def test_the_later_write_time_wins_then_the_tombstone_then_the_larger_value() -> None:
    assert max(written(2, b"a"), written(1, b"z")) == written(2, b"a")
    assert max(written(2, b"a"), deleted(1)) == written(2, b"a")
    assert max(written(2, b"z"), deleted(2)) == deleted(2)
    assert max(written(2, b"\x05\x01"), written(2, b"\x01")) == written(2, b"\x05\x01")
    assert max(written(2, b"\xff"), written(2, b"\x7f\xff")) == written(2, b"\xff")
    signed = [written(2, value, signed=True) for value in (b"\xff", b"\x7f\xff", b"\x7f")]
    assert max(signed) == signed[1]


@given(st.lists(versions), st.randoms())
def test_replicas_agree_whatever_the_order_of_arrival(arrived: list[Version], shuffled: object) -> None:
    stores = TableStore(), TableStore()
    for version in arrived:
        stores[0].apply(POSITION, version)
    for version in sorted(arrived, key=lambda _: shuffled.random()):  # type: ignore[attr-defined]
        stores[1].apply(POSITION, version)
        stores[1].apply(POSITION, version)
    assert stores[0].cells == stores[1].cells


@given(
    st.sets(st.tuples(st.binary(min_size=1, max_size=2), st.just(b"t"), st.integers(-2, 2))), st.binary(), st.binary()
)
def test_between_is_above_the_start_and_up_to_the_end(
    positions: set[tuple[bytes, bytes, int]], after: bytes, until: bytes
) -> None:
    store = TableStore()
    for position in positions:
        store.apply(position, written(1, b"v"))
    wanted = sorted(position for position in positions if after < position[0] <= until)
    assert store.between(after, until) == wanted
    assert store.between(after, None) == sorted(position for position in positions if after < position[0])
    for position in wanted:
        assert store.between(after, until, beyond=position) == [p for p in wanted if p > position]
        assert list(store.partition(position[0])) == sorted(p for p in positions if p[0] == position[0])
