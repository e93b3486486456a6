"""Scans of token ranges whose pages time out: every cell once, in token order, or an error; never less."""

import random

import pytest

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.cassandra.ports import Cell
from atlasdb_recovery.cassandra.range_scan import RangeScan
from atlasdb_recovery.cassandra.request_errors import TimedOut
from tests.cassandra.table_server import TableServer

BETWEEN = (b"\x40", b"\xc0")


def some_cells(source: random.Random) -> list[Cell]:
    """Keys of different lengths, close to each other now and then; up to some hundred cells in one partition."""
    found = set()
    for _ in range(source.randint(0, 12)):
        key = source.choice((b"", b"\x55", b"\x55\x00")) + source.randbytes(source.randint(1, 4))
        for number in range(source.choice((1, 1, 1, 2, 9, 150))):
            column1 = source.choice((b"t", bytes([number]), number.to_bytes(2)))
            found.add((key, column1, source.choice((-1, -1, number))))
    return [Cell(*position, source.randbytes(1), 5) for position in sorted(found)]


def some_token(source: random.Random, cells: list[Cell]) -> str:
    near = [cell.key.hex() for cell in cells] + ["", "00", "55", "5500", "aa", "ff"]
    return source.choice([*near, source.randbytes(2).hex()])


async def scanned(server: TableServer, start: str, end: str, between: tuple[bytes, bytes] | None) -> list[Cell]:
    scan = RangeScan("ks", "t", "byte-ordered", between, server.ask)
    pages = [page async for page in scan.pages(start, end)]
    assert all(pages)
    return [cell for page in pages for cell in page]


def expected(cells: list[Cell], start: str, end: str, between: tuple[bytes, bytes] | None) -> list[Cell]:
    low, high = bytes.fromhex(start), bytes.fromhex(end)
    if end == "" or low < high:
        inside = [cell for cell in cells if cell.key > low and (not high or cell.key <= high)]
    elif start == "":
        inside = [cell for cell in cells if cell.key <= high]
    else:
        inside = [cell for cell in cells if cell.key <= high] + [cell for cell in cells if cell.key > low]
    return [cell for cell in inside if between is None or between[0] < cell.value < between[1]]


@pytest.mark.parametrize("seed", range(600))
async def test_every_cell_once_in_token_order_whatever_times_out(seed: int) -> None:
    source = random.Random(seed)
    cells = some_cells(source)
    gone = frozenset(at for at in range(len(cells)) if source.random() < source.choice((0.0, 0.0, 0.5, 0.95)))
    between = source.choice((None, BETWEEN))
    page_size = source.choice((1, 2, 7, 100))
    server = TableServer(cells, gone=gone, page_size=page_size, cost=source.choice((page_size + 3, 40, 1_000)))
    server.fails_at = {source.randint(1, 30) for _ in range(source.choice((0, 0, 1, 4)))}
    start, end = some_token(source, cells), some_token(source, cells)
    live = [cell for at, cell in enumerate(cells) if at not in gone]
    try:
        found = await scanned(server, start, end, between)
    except TimedOut:
        return  # a page that cannot be had is an error, never an end
    assert found == expected(live, start, end, between)


async def test_rows_deleted_side_by_side_are_passed_over_piece_by_piece() -> None:
    """As after a removal: the server gives up on a page that would have to read too many tombstones."""
    starts = range(1_000_000, 1_400_000, 7)
    cells = [Cell(*transactions.locate(1, start), b"\x01", 5) for start in starts]
    gone = frozenset(range(500, len(cells) - 500))
    server = TableServer(cells, gone=gone, page_size=100, cost=1_000)
    assert await scanned(server, "", "", None) == [*cells[:500], *cells[-500:]]
    assert server.asked < 600


async def test_cells_deleted_side_by_side_in_one_partition_are_passed_over_too() -> None:
    cells = sorted(Cell(*transactions.locate(2, 16 * number), b"\x01", 5) for number in range(1, 20_000))
    gone = frozenset(range(500, len(cells) - 500))
    server = TableServer(cells, gone=gone, page_size=100, cost=1_000)
    assert await scanned(server, "", "", None) == [*cells[:500], *cells[-500:]]
    assert server.asked < 600


async def test_a_server_that_never_answers_is_an_error() -> None:
    server = TableServer([Cell(b"\x01", b"t", -1, b"v", 1)], page_size=10, cost=0)
    with pytest.raises(TimedOut):
        await scanned(server, "", "", None)
    assert server.asked < 100


async def test_a_ring_of_numbers_is_not_halved() -> None:
    server = TableServer([Cell(b"\x01", b"t", -1, b"v", 1)], page_size=10, cost=0)
    scan = RangeScan("ks", "t", "murmur3", BETWEEN, server.ask)
    with pytest.raises(TimedOut):
        _ = [page async for page in scan.pages("", "")]
    assert server.asked == 1
