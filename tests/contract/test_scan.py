"""Scans: every cell once, in order, in pages; the server's filter; one node's own rows."""

from collections.abc import Sequence

import pytest

from atlasdb_recovery.cassandra.ports import Cell, Consistency, TokenRange
from tests.contract.contract_cluster import ContractCluster, make_keyspace

CELLS = sorted(
    Cell(bytes([first, second]), bytes([column]), column, bytes([second, column + 1]), 1000 + first)
    for first in (0x00, 0x01, 0x54, 0x55, 0x56, 0xA9, 0xAA, 0xAB, 0xFF)
    for second in (0x00, 0x7F, 0xFF)
    for column in (0, 1)
)


@pytest.fixture(scope="module")
async def filled(contract: ContractCluster) -> str:
    await make_keyspace(contract, "scanned", "t")
    for cell in CELLS:
        await contract.cluster.put("scanned", "t", cell, consistency=Consistency.ALL)
    return "scanned"


async def pages(
    contract: ContractCluster,
    keyspace: str,
    start: str,
    end: str,
    *,
    page_size: int = 1000,
    consistency: Consistency = Consistency.ALL,
    value_between: tuple[bytes, bytes] | None = None,
    node: str | None = None,
) -> list[Sequence[Cell]]:
    scan = contract.cluster.scan(
        keyspace,
        "t",
        start,
        end,
        consistency=consistency,
        page_size=page_size,
        value_between=value_between,
        node=node,
    )
    return [page async for page in scan]


def cells_of(found: Sequence[Sequence[Cell]]) -> list[Cell]:
    return [cell for page in found for cell in page]


@pytest.mark.parametrize("page_size", [1, 7, 1000])
async def test_every_cell_once_in_token_order_in_pages(contract: ContractCluster, filled: str, page_size: int) -> None:
    found = await pages(contract, filled, "", "", page_size=page_size)
    assert cells_of(found) == CELLS
    assert all(1 <= len(page) <= page_size for page in found)


async def test_the_ranges_cover_the_ring_once(contract: ContractCluster, filled: str) -> None:
    ranges = await contract.cluster.ranges(filled)
    assert all(len(set(one.replicas)) == 3 for one in ranges)
    assert len({one.replicas[0] for one in ranges}) == len(ranges) == 3
    assert [one.start for one in ranges[1:]] == [one.end for one in ranges[:-1]]
    assert ranges[0].start == ranges[-1].end
    found = [cell for one in ranges for cell in cells_of(await pages(contract, filled, one.start, one.end))]
    assert sorted(found) == CELLS


async def test_the_primary_owns_the_ranges_end(contract: ContractCluster, filled: str) -> None:
    tokens = {node.address: node.tokens for node in (await contract.cluster.identity()).nodes}
    for one in await contract.cluster.ranges(filled):
        assert tokens[one.replicas[0]] == (one.end,)


@pytest.mark.parametrize(
    ("start", "end"), [("00", "55"), ("0000", "5500"), ("aa", ""), ("", "00"), ("54", "aaff"), ("ff", ""), ("ffff", "")]
)
async def test_a_range_is_above_its_start_and_up_to_its_end(
    contract: ContractCluster, filled: str, start: str, end: str
) -> None:
    found = cells_of(await pages(contract, filled, start, end, page_size=5))
    low, high = bytes.fromhex(start), bytes.fromhex(end)
    assert found == [cell for cell in CELLS if cell.key > low and (not high or cell.key <= high)]


async def test_a_range_that_wraps_around_has_both_its_parts(contract: ContractCluster, filled: str) -> None:
    found = cells_of(await pages(contract, filled, "aa00", "5400", page_size=5))
    assert sorted(found) == [cell for cell in CELLS if cell.key > b"\xaa\x00" or cell.key <= b"\x54\x00"]


async def test_the_servers_filter_is_the_clients_filter(contract: ContractCluster, filled: str) -> None:
    filters = await contract.cluster.filters_by_value()
    assert filters == (not contract.dialect.has_thrift)
    if not filters:
        return
    for low, high in [(b"\x00", b"\xff\xff"), (b"\x00\x01", b"\x7f\x02"), (b"\x7f\x01", b"\x7f\x02"), (b"", b"\x00")]:
        found = cells_of(await pages(contract, filled, "", "", page_size=4, value_between=(low, high)))
        assert found == [cell for cell in CELLS if low < cell.value < high]


async def test_ranges_of_a_keyspace_with_fewer_replicas(contract: ContractCluster) -> None:
    await make_keyspace(contract, "scanned2", "t", factor=2)
    ranges: tuple[TokenRange, ...] = await contract.cluster.ranges("scanned2")
    assert [len(one.replicas) for one in ranges] == [2, 2, 2]
    assert {address for one in ranges for address in one.replicas} == set(contract.data_directories)
    await contract.cluster.change_schema("DROP KEYSPACE scanned2")


async def test_deleted_cells_are_not_there(contract: ContractCluster, filled: str) -> None:
    gone = Cell(b"\x20", b"c", 1, b"v", 5)
    await contract.cluster.put(filled, "t", gone, consistency=Consistency.ALL)
    await contract.cluster.delete(filled, "t", gone.position, write_time=5, consistency=Consistency.ALL)
    assert cells_of(await pages(contract, filled, "", "", page_size=5)) == CELLS
