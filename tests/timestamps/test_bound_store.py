"""The embedded timestamp service over a stored bound: Java's arithmetic, one writer only, and nothing on a guess."""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlasdb_recovery.atlas.timestamp_bound import BOUND_POSITION, OLD_POSITION, encode
from atlasdb_recovery.cassandra import cell_statements
from atlasdb_recovery.cassandra.ports import CasOutcome, Cell, Cluster, Consistency, Keyspace, OutcomeUnknown, Table
from atlasdb_recovery.timestamps.bound_store import ATTEMPTS, EmbeddedTimestamps
from atlasdb_recovery.timestamps.service import (
    HIGHEST_TIMESTAMP,
    AnotherTimestampService,
    FastForwarded,
    TimestampService,
    TimestampServiceRefused,
    TimestampServiceUnavailable,
)

BUFFER = 1_000_000
Position = tuple[bytes, bytes, int]


class StoredBound:
    """The `_timestamp` table of one keyspace, linearizable. `faults` are taken in turn by the conditional writes."""

    def __init__(self, cells: dict[Position, bytes] | None = None, tables: tuple[str, ...] = ("_timestamp",)) -> None:
        self.cells = dict(cells or {})
        self.tables = tables
        self.faults: list[Callable[[Position, bytes], None]] = []
        self.before_each: Callable[[], None] = lambda: None
        self.after_reads: dict[int, Callable[[], None]] = {}
        self.reads = 0
        self.writes = 0
        self.hidden = False

    async def keyspace(self, name: str) -> Keyspace | None:
        tables = {table: Table(table, "id", "") for table in self.tables}
        return Keyspace(name, {}, True, "", tables) if self.tables else None

    async def read_partition(
        self, keyspace: str, table: str, key: bytes, *, consistency: Consistency, node: str | None = None
    ) -> tuple[Cell, ...]:
        assert table == "_timestamp"
        assert consistency in {Consistency.SERIAL, Consistency.ALL}
        await asyncio.sleep(0)
        found = tuple(Cell(*position, value) for position, value in sorted(self.cells.items()) if position[0] == key)
        self.reads += 1
        self.after_reads.get(self.reads, lambda: None)()
        return found

    async def put_unless_exists(self, keyspace: str, table: str, position: Position, value: bytes) -> CasOutcome:
        return self._write(position, None, value)

    async def check_and_set(
        self, keyspace: str, table: str, position: Position, expected: bytes, value: bytes
    ) -> CasOutcome:
        return self._write(position, expected, value)

    def _write(self, position: Position, expected: bytes | None, value: bytes) -> CasOutcome:
        self.writes += 1
        self.before_each()
        if self.faults:
            self.faults.pop(0)(position, value)
        current = self.cells.get(position)
        if current != expected:
            return CasOutcome(False, current)
        if not self.hidden:
            self.cells[position] = value
        return CasOutcome(True, None)

    def unknown_and_applied(self, position: Position, value: bytes) -> None:
        self.cells[position] = value
        raise OutcomeUnknown("timed out")

    def unknown_and_not_applied(self, position: Position, value: bytes) -> None:
        raise OutcomeUnknown("timed out")

    @property
    def bound(self) -> int:
        return int.from_bytes(self.cells[BOUND_POSITION])

    @bound.setter
    def bound(self, value: int) -> None:
        self.cells[BOUND_POSITION] = encode(value)


def stored(bound: int) -> StoredBound:
    return StoredBound({BOUND_POSITION: encode(bound)})


async def nobody() -> None:
    """No client is connected."""


def service(store: StoredBound) -> EmbeddedTimestamps:
    return EmbeddedTimestamps(cast(Cluster, store), "inventory", nobody)


async def test_it_is_a_timestamp_service_for_offline_use() -> None:
    timestamps: TimestampService = service(stored(5))
    assert not timestamps.serves_live
    assert "inventory" in timestamps.description
    assert await timestamps.bound() == 5


async def test_an_empty_row_begins_where_java_begins() -> None:
    store = StoredBound()
    assert await service(store).bound() is None
    assert store.writes == 0
    assert await service(store).fresh_timestamp() == 10_001
    assert store.cells == {BOUND_POSITION: bytes.fromhex("00000000000f6951")}


async def test_a_fresh_timestamp_is_the_bound_plus_one_and_the_bound_is_above_it() -> None:
    store = stored(1_010_001)
    timestamps = service(store)
    assert await timestamps.fresh_timestamp() == 1_010_002
    assert store.bound == 2_010_002
    assert await timestamps.fresh_timestamp() == 2_010_003


@pytest.mark.parametrize("target", [1, 9_999, 10_000, 10_001, 2_500_000, HIGHEST_TIMESTAMP - 10_000_000])
@pytest.mark.parametrize("bound", [None, 5, 10_000, 2_000_000, 2_500_000, 9_000_000])
async def test_what_a_fast_forward_is_said_to_write_is_what_it_writes(bound: int | None, target: int) -> None:
    store = StoredBound() if bound is None else stored(bound)
    sent: list[str] = []
    written = store._write

    def noted(position: Position, expected: bytes | None, value: bytes) -> CasOutcome:
        if expected is None:
            statement = cell_statements.put_cell_unless_exists("inventory", "_timestamp")
            sent.append(cell_statements.written_out(statement, *position, value))
        else:
            statement = cell_statements.update_cell_if("inventory", "_timestamp")
            sent.append(cell_statements.written_out(statement, value, *position, expected))
        return written(position, expected, value)

    store._write = noted  # type: ignore[method-assign]
    timestamps = service(store)
    said = timestamps.writes_to_fast_forward(target, await timestamps.bound())
    await timestamps.fast_forward(target)
    assert said == tuple(sent)


def traced() -> list[tuple[str, int, int]]:
    """What the real AtlasDB did: the command's name in the trace, and the bound before and after it."""
    lines = (Path(__file__).parent / "ff-trace.txt").read_text().splitlines()
    bounds = [(line.split()[1].rstrip(":"), json.loads(line.partition(": ")[2])[0]["long"]) for line in lines]
    return [(name, before, after) for (_, before), (name, after) in zip(bounds, bounds[1:], strict=False)]


async def test_fetch_agrees_with_the_real_atlasdb() -> None:
    fetches = [(before, after) for name, before, after in traced() if name in {"after-41-fetch", "after-43-fetch"}]
    assert len(fetches) == 2
    for before, after in fetches:
        store = stored(before)
        assert await service(store).fresh_timestamp() == before + 1
        assert store.bound == after


async def test_fast_forward_agrees_with_the_real_atlasdb() -> None:
    forwards = [
        (int(name.rpartition("-")[2]), before, after) for name, before, after in traced() if name.count("-ff-") == 1
    ]
    assert [target for target, _, _ in forwards] == [50_000_000, 10, 60_000_000, 60_999_999]
    for target, before, after in forwards:
        store = stored(before)
        done = await service(store).fast_forward(target)
        if target > before:
            assert store.bound == after == target + BUFFER
            assert done == FastForwarded(target=target, before=before, reached=after, changed=True)
        else:
            assert store.bound == before, "Java's own start raises it besides; a fast-forward to the past does not"
            assert done == FastForwarded(target=target, before=before, reached=before, changed=False)


async def test_a_fast_forward_whose_bound_falls_back_is_no_success() -> None:
    store = stored(5)
    before_it_is_read_back = 3
    store.after_reads[before_it_is_read_back] = partial(setattr, store, "bound", 99)
    with pytest.raises(TimestampServiceRefused, match=r"to 100 the stored bound reads 99.*Do not start the service"):
        await service(store).fast_forward(100)


@pytest.mark.parametrize("target", [1, 4, 5])
async def test_a_fast_forward_to_the_past_writes_nothing(target: int) -> None:
    store = stored(5)
    done = await service(store).fast_forward(target)
    assert (store.bound, store.writes, done.changed, done.reached) == (5, 0, False, 5)


async def test_a_fast_forward_of_an_empty_row() -> None:
    store = StoredBound()
    done = await service(store).fast_forward(50_000)
    assert (store.bound, done) == (
        50_000 + BUFFER,
        FastForwarded(target=50_000, before=None, reached=50_000 + BUFFER, changed=True),
    )


@pytest.mark.parametrize("target", [0, -1, -(2**63), HIGHEST_TIMESTAMP, HIGHEST_TIMESTAMP - 9_999_999, 2**63, 2**80])
async def test_targets_that_would_end_the_clock_are_refused(target: int) -> None:
    store = stored(5)
    with pytest.raises(TimestampServiceRefused, match=f"Nothing was changed: {target} ") as caught:
        await service(store).fast_forward(target)
    assert "Give the number in the backup's fast-forward.timestamp" in str(caught.value)
    assert (store.bound, store.writes) == (5, 0)


async def test_the_highest_target() -> None:
    store = stored(5)
    target = HIGHEST_TIMESTAMP - 10_000_000
    assert (await service(store).fast_forward(target)).reached == target + BUFFER


async def test_an_exhausted_service_hands_out_nothing() -> None:
    near = HIGHEST_TIMESTAMP - BUFFER
    store = stored(near)
    with pytest.raises(TimestampServiceRefused, match="This timestamp service is exhausted"):
        await service(store).fresh_timestamp()
    assert (store.bound, store.writes) == (near, 0)
    store = stored(near - 1)
    assert await service(store).fresh_timestamp() == near
    assert store.bound == HIGHEST_TIMESTAMP


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({BOUND_POSITION: b"\0", OLD_POSITION: encode(77)}, "migration to TimeLock"),
        ({BOUND_POSITION: b"\0"}, "migration to TimeLock"),
        ({BOUND_POSITION: encode(5), OLD_POSITION: encode(77)}, "which service is the authority"),
        ({BOUND_POSITION: b"1234567"}, "7 bytes"),
        ({BOUND_POSITION: b"123456789"}, "9 bytes"),
        ({BOUND_POSITION: b""}, "0 bytes"),
        ({BOUND_POSITION: b"\xff" * 8}, "not a number"),
        ({OLD_POSITION: b""}, "has cells but no bound"),
        ({(b"ts", b"rt", -1): encode(5)}, "has cells but no bound"),
    ],
)
async def test_a_migrated_or_damaged_bound_is_never_written(cells: dict[Position, bytes], said: str) -> None:
    store = StoredBound(cells)
    for ask in (service(store).bound, service(store).fresh_timestamp, lambda: service(store).fast_forward(10**9)):
        with pytest.raises(TimestampServiceRefused, match=said) as caught:
            await ask()
        assert "Nothing was changed" in str(caught.value)
    assert (store.cells, store.writes) == (cells, 0)


async def test_a_migrated_bound_that_came_back_is_usable() -> None:
    store = StoredBound({BOUND_POSITION: encode(5), OLD_POSITION: b""})
    assert await service(store).fresh_timestamp() == 6


@pytest.mark.parametrize("tables", [(), ("orders",)])
async def test_without_the_table_there_is_nothing_to_ask(tables: tuple[str, ...]) -> None:
    store = StoredBound(tables=tables)
    with pytest.raises(TimestampServiceRefused, match=r"There is no (keyspace|table) inventory.*Restore the key value"):
        await service(store).fresh_timestamp()
    assert store.writes == 0


async def test_a_connected_client_stops_it_before_each_conditional_write() -> None:
    async def somebody() -> None:
        raise TimestampServiceRefused("10.0.0.9 is connected")

    for store in (stored(5), StoredBound()):
        timestamps = EmbeddedTimestamps(cast(Cluster, store), "inventory", somebody)
        with pytest.raises(TimestampServiceRefused, match=r"10\.0\.0\.9 is connected"):
            await timestamps.fresh_timestamp()
        with pytest.raises(TimestampServiceRefused, match=r"10\.0\.0\.9 is connected"):
            await timestamps.fast_forward(10**9)
        assert store.writes == 0
    assert (await EmbeddedTimestamps(cast(Cluster, stored(5)), "x", somebody).fast_forward(5)).changed is False


async def test_it_looks_again_before_every_conditional_write() -> None:
    store, looked = StoredBound(), []

    async def looks() -> None:
        looked.append(store.writes)

    store.faults = [store.unknown_and_not_applied, store.unknown_and_not_applied]
    await EmbeddedTimestamps(cast(Cluster, store), "inventory", looks).fresh_timestamp()
    assert looked == [0, 1, 2, 3]


async def test_another_writer_is_noticed_and_nothing_is_handed_out() -> None:
    for target in (None, 10**9):
        store = stored(5)
        store.before_each = partial(setattr, store, "bound", 1_000_006)
        with pytest.raises(AnotherTimestampService, match=r"another timestamp service is running.*Stop every instance"):
            await (service(store).fresh_timestamp() if target is None else service(store).fast_forward(target))
        assert store.bound == 1_000_006


async def test_another_writer_of_the_first_bound_is_noticed() -> None:
    store = StoredBound()
    store.before_each = partial(setattr, store, "bound", 10_000)
    with pytest.raises(AnotherTimestampService):
        await service(store).fresh_timestamp()


async def test_applied_but_not_visible_is_no_success() -> None:
    store = stored(5)
    store.hidden = True
    for ask in (service(store).fresh_timestamp, lambda: service(store).fast_forward(10**9)):
        with pytest.raises(TimestampServiceRefused, match="write time in the future"):
            await ask()
    assert store.bound == 5


async def test_an_unknown_outcome_is_read_again_and_built_upon_from_above() -> None:
    store = stored(5)
    store.faults = [store.unknown_and_applied]
    assert await service(store).fresh_timestamp() == 1_000_007, "a rival may have handed out 6"
    assert store.bound == 2_000_007


async def test_an_unknown_outcome_that_was_not_applied() -> None:
    store = stored(5)
    store.faults = [store.unknown_and_not_applied]
    assert await service(store).fresh_timestamp() == 6
    assert (store.bound, store.writes) == (1_000_006, 2)


async def test_an_unknown_outcome_that_surfaces_late_is_not_taken_for_a_rival() -> None:
    store = stored(5)

    def surfaces(position: Position, value: bytes) -> None:
        store.bound = 1_000_006

    store.faults = [store.unknown_and_not_applied, surfaces]
    assert await service(store).fresh_timestamp() == 1_000_007


async def test_a_rival_behind_an_unknown_outcome_is_noticed() -> None:
    store = stored(5)

    def overtaken(position: Position, value: bytes) -> None:
        store.bound = 7_000_000
        raise OutcomeUnknown("timed out")

    store.faults = [overtaken]
    with pytest.raises(AnotherTimestampService):
        await service(store).fresh_timestamp()
    assert (store.bound, store.writes) == (7_000_000, 1)


@pytest.mark.parametrize("is_applied", [True, False])
async def test_a_fast_forward_with_an_unknown_outcome(is_applied: bool) -> None:
    store = stored(5)
    store.faults = [store.unknown_and_applied if is_applied else store.unknown_and_not_applied]
    done = await service(store).fast_forward(100)
    assert done == FastForwarded(target=100, before=5, reached=100 + BUFFER, changed=True)
    assert store.writes == (1 if is_applied else 2)


@pytest.mark.parametrize("is_applied", [True, False])
async def test_the_first_bound_with_an_unknown_outcome(is_applied: bool) -> None:
    store = StoredBound()
    store.faults = [store.unknown_and_applied if is_applied else store.unknown_and_not_applied]
    assert await service(store).fresh_timestamp() == 10_001


async def test_a_first_bound_that_surfaces_late_is_not_taken_for_a_rival() -> None:
    store = StoredBound()

    def surfaces(position: Position, value: bytes) -> None:
        store.bound = 10_000

    store.faults = [store.unknown_and_not_applied, surfaces]
    assert await service(store).fresh_timestamp() == 10_001


async def test_it_gives_up_after_a_few_unknown_outcomes() -> None:
    for store in (stored(5), StoredBound()):
        store.faults = [store.unknown_and_not_applied] * 100
        with pytest.raises(TimestampServiceUnavailable, match="Nothing was handed out"):
            await service(store).fresh_timestamp()
        assert store.writes == ATTEMPTS


async def test_calls_at_the_same_time_take_turns() -> None:
    timestamps = service(stored(5))
    fresh = await asyncio.gather(*(timestamps.fresh_timestamp() for _ in range(5)))
    assert len(set(fresh)) == 5
    assert all(later - earlier == BUFFER + 1 for earlier, later in zip(sorted(fresh), sorted(fresh)[1:], strict=False))


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["fresh", "forward"]), st.integers(1, 10**8), st.lists(st.booleans(), max_size=3)),
        max_size=12,
    )
)
def test_never_twice_and_never_back_whatever_times_out(steps: list[tuple[str, int, list[bool]]]) -> None:
    async def history() -> None:
        store = StoredBound()
        highest = 0
        for kind, target, faults in steps:
            store.faults = [store.unknown_and_applied if fault else store.unknown_and_not_applied for fault in faults]
            if kind == "fresh":
                fresh = await service(store).fresh_timestamp()
                assert fresh > highest
                highest = fresh
            else:
                reached = (await service(store).fast_forward(target)).reached
                assert reached >= target
                highest = max(highest, target)
            assert store.bound >= highest

    asyncio.run(history())
