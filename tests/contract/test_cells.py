"""Reads and writes: what a removal means (the whole table of measurements), ties, conditional writes, pages."""

import time
from itertools import count

import pytest

from atlasdb_recovery.cassandra.ports import CasOutcome, Cell, Consistency, StatementRefused
from tests.contract.contract_cluster import ContractCluster, make_keyspace

ALL, QUORUM, ONE, SERIAL = Consistency.ALL, Consistency.QUORUM, Consistency.ONE, Consistency.SERIAL
HIGHEST = 2**63 - 1
SET_ONCE = HIGHEST - 10
"""The write time of schema 3's committed cells, …797."""
_keys = count(1)


def position_of_its_own() -> tuple[bytes, bytes, int]:
    return (bytes([0x40]) + next(_keys).to_bytes(4, "big"), b"t", -1)


class Table:
    """The keyspace's one table."""

    def __init__(self, contract: ContractCluster, keyspace: str) -> None:
        self.cluster = contract.cluster
        self.keyspace = keyspace

    async def put(self, position: tuple[bytes, bytes, int], value: bytes, write_time: int) -> None:
        await self.cluster.put(self.keyspace, "t", Cell(*position, value, write_time), consistency=ALL)

    async def delete(self, position: tuple[bytes, bytes, int], write_time: int) -> None:
        await self.cluster.delete(self.keyspace, "t", position, write_time=write_time, consistency=ALL)

    async def read(self, position: tuple[bytes, bytes, int], consistency: Consistency = ALL) -> Cell | None:
        return await self.cluster.read(self.keyspace, "t", position, consistency=consistency)

    async def value(self, position: tuple[bytes, bytes, int]) -> bytes | None:
        cell = await self.read(position)
        return None if cell is None else cell.value

    async def put_unless_exists(self, position: tuple[bytes, bytes, int], value: bytes) -> CasOutcome:
        return await self.cluster.put_unless_exists(self.keyspace, "t", position, value)

    async def check_and_set(self, position: tuple[bytes, bytes, int], expected: bytes, value: bytes) -> CasOutcome:
        return await self.cluster.check_and_set(self.keyspace, "t", position, expected, value)


@pytest.fixture(scope="module")
async def keyspace(contract: ContractCluster) -> str:
    """One for all: every test has positions of its own."""
    await make_keyspace(contract, "cells", "t")
    return "cells"


@pytest.fixture
def table(contract: ContractCluster, keyspace: str) -> Table:
    return Table(contract, keyspace)


async def committed(table: Table, value: bytes = b"\x80\xff") -> Cell:
    """As AtlasDB commits in schemas 1 and 2: its write time is the coordinator's wall clock."""
    position = position_of_its_own()
    assert await table.put_unless_exists(position, value) == CasOutcome(applied=True, current=None)
    cell = await table.read(position)
    assert cell is not None
    assert cell.value == value
    return cell


async def set_once(table: Table, value: bytes = b"\x05\x01") -> Cell:
    """As AtlasDB commits in schema 3."""
    cell = Cell(*position_of_its_own(), value, SET_ONCE)
    await table.put(cell.position, value, SET_ONCE)
    return cell


def time_of(cell: Cell) -> int:
    assert cell.write_time is not None
    return cell.write_time


async def test_what_is_written_is_read_with_its_write_time(table: Table) -> None:
    position = position_of_its_own()
    assert await table.read(position) is None
    await table.put(position, b"v", 17)
    for consistency in (ONE, QUORUM, ALL, SERIAL):
        assert await table.read(position, consistency) == Cell(*position, b"v", 17)


async def test_empty_values_and_negative_columns_are_kept(table: Table) -> None:
    key = position_of_its_own()[0]
    cells = [Cell(key, b"", -(2**63), b"", 1), Cell(key, b"", 5, b"x", 2), Cell(key, b"\xff", -1, b"y", 3)]
    for cell in reversed(cells):
        await table.put(cell.position, cell.value, time_of(cell))
    assert await table.cluster.read_partition(table.keyspace, "t", key, consistency=ALL) == tuple(cells)
    assert await table.cluster.read_partition(table.keyspace, "t", key + b"x", consistency=ALL) == ()


class TestRemovalInSchemas1And2:
    async def test_a_committed_cell_has_the_wall_clock_as_write_time(self, table: Table) -> None:
        written = time_of(await committed(table))
        again = time_of(await committed(table))
        assert written < again < written + 60_000_000

    @pytest.mark.parametrize("write_time", [1, 1_010_002])
    async def test_a_delete_with_a_small_timestamp_does_nothing(self, table: Table, write_time: int) -> None:
        cell = await committed(table)
        await table.delete(cell.position, write_time)
        assert await table.read(cell.position) == cell

    async def test_a_delete_one_below_its_own_write_time_does_nothing(self, table: Table) -> None:
        cell = await committed(table)
        await table.delete(cell.position, time_of(cell) - 1)
        assert await table.read(cell.position) == cell

    @pytest.mark.parametrize("later", [0, 1])
    async def test_a_delete_at_its_own_write_time_removes_it_and_it_can_be_written_again(
        self, table: Table, later: int
    ) -> None:
        cell = await committed(table)
        await table.delete(cell.position, time_of(cell) + later)
        assert await table.read(cell.position) is None
        assert (await table.put_unless_exists(cell.position, b"\x01")).applied
        assert await table.value(cell.position) == b"\x01"

    async def test_a_conditional_write_aborts_it(self, table: Table) -> None:
        cell = await committed(table)
        assert (await table.check_and_set(cell.position, cell.value, b"\x00")).applied
        after = await table.read(cell.position)
        assert after is not None
        assert after.value == b"\x00"
        assert time_of(after) > time_of(cell)

    async def test_a_delete_at_the_highest_write_time_poisons_the_cell(self, table: Table) -> None:
        cell = await committed(table)
        await table.delete(cell.position, HIGHEST)
        assert await table.read(cell.position) is None
        for _ in range(2):
            assert (await table.put_unless_exists(cell.position, b"\x01")).applied
            assert await table.read(cell.position) is None


class TestRemovalInSchema3:
    async def test_a_delete_below_its_write_time_does_nothing(self, table: Table) -> None:
        cell = await set_once(table)
        for write_time in (1, time.time_ns() // 1000, SET_ONCE - 1):
            await table.delete(cell.position, write_time)
            assert await table.read(cell.position) == cell

    async def test_a_conditional_write_says_applied_and_changes_nothing(self, table: Table) -> None:
        cell = await set_once(table)
        assert (await table.check_and_set(cell.position, cell.value, b"\x01")).applied
        for consistency in (QUORUM, ALL, SERIAL):
            assert await table.read(cell.position, consistency) == cell

    async def test_a_plain_write_one_above_is_final(self, table: Table) -> None:
        cell = await set_once(table)
        await table.put(cell.position, b"\x01", SET_ONCE + 1)
        assert await table.read(cell.position) == Cell(*cell.position, b"\x01", SET_ONCE + 1)
        await table.put(cell.position, cell.value, SET_ONCE)
        assert await table.value(cell.position) == b"\x01"

    async def test_a_plain_write_at_the_same_write_time_loses_to_the_larger_value(self, table: Table) -> None:
        cell = await set_once(table)
        await table.put(cell.position, b"\x01", SET_ONCE)
        assert await table.read(cell.position) == cell

    async def test_a_delete_at_its_own_write_time_hides_every_later_conditional_write(self, table: Table) -> None:
        cell = await set_once(table)
        await table.delete(cell.position, SET_ONCE)
        assert await table.read(cell.position) is None
        assert (await table.put_unless_exists(cell.position, b"\x01")).applied
        assert await table.read(cell.position) is None

    async def test_a_staging_cell_is_aborted_by_a_plain_write(self, table: Table) -> None:
        staging = await committed(table, b"\x05\x00")
        await table.put(staging.position, b"\x01", SET_ONCE + 1)
        assert await table.value(staging.position) == b"\x01"


class TestTies:
    @pytest.mark.parametrize(("first", "second"), [(b"\x01", b"\x05\x01"), (b"\x05\x01", b"\x01"), (b"\x7f", b"\xff")])
    async def test_of_two_values_the_larger_wins_and_2_2_takes_bytes_for_signed(
        self, contract: ContractCluster, table: Table, first: bytes, second: bytes
    ) -> None:
        position = position_of_its_own()
        await table.put(position, first, 1000)
        await table.put(position, second, 1000)
        signed = contract.dialect.has_thrift and b"\xff" in (first, second)
        assert await table.value(position) == (min if signed else max)(first, second)

    async def test_a_tombstone_wins_over_a_value_that_comes_later(self, table: Table) -> None:
        position = position_of_its_own()
        await table.delete(position, 1000)
        await table.put(position, b"\xff", 1000)
        assert await table.read(position) is None
        await table.put(position, b"\x01", 1001)
        assert await table.value(position) == b"\x01"


class TestConditionalWrites:
    async def test_what_exists_is_not_put_and_is_told(self, table: Table) -> None:
        cell = await committed(table)
        assert await table.put_unless_exists(cell.position, b"other") == CasOutcome(applied=False, current=cell.value)
        assert await table.read(cell.position) == cell

    async def test_another_value_than_expected_is_told(self, table: Table) -> None:
        cell = await committed(table)
        outcome = await table.check_and_set(cell.position, b"wrong", b"new")
        assert outcome == CasOutcome(applied=False, current=cell.value)
        assert await table.read(cell.position) == cell

    async def test_an_absent_cell_has_no_value_to_expect(self, table: Table) -> None:
        position = position_of_its_own()
        assert await table.check_and_set(position, b"v", b"new") == CasOutcome(applied=False, current=None)
        assert await table.read(position) is None

    async def test_to_the_empty_value_and_the_same_again(self, table: Table) -> None:
        cell = await committed(table, b"\x01")
        for expected in (b"\x01", b""):
            assert (await table.check_and_set(cell.position, expected, b"")).applied
            assert await table.value(cell.position) == b""

    async def test_a_write_time_ahead_of_the_clock_hides_it(self, table: Table) -> None:
        cell = await committed(table)
        ahead = time_of(cell) + 3_600_000_000
        await table.put(cell.position, b"ahead", ahead)
        assert (await table.check_and_set(cell.position, b"ahead", b"new")).applied
        assert await table.read(cell.position) == Cell(*cell.position, b"ahead", ahead)


async def test_trying_to_write_changes_nothing_and_is_refused_where_there_is_no_table(
    contract: ContractCluster, keyspace: str
) -> None:
    table = Table(contract, keyspace)
    position = position_of_its_own()
    await table.put(position, b"v", 5)
    nodes = (await contract.cluster.identity()).nodes
    ids = frozenset({(await contract.cluster.keyspace(keyspace)).tables["t"].id})  # type: ignore[union-attr]
    paxos_before = [await contract.cluster.paxos_rows(node.address, ids) for node in nodes]
    await contract.cluster.try_to_write(keyspace, "t")
    assert await table.read(position) == Cell(*position, b"v", 5)
    assert [await contract.cluster.paxos_rows(node.address, ids) for node in nodes] == paxos_before
    with pytest.raises(StatementRefused, match="Nothing was changed|unconfigured"):
        await contract.cluster.try_to_write(keyspace, "nowhere")
