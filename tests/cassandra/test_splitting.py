"""Pieces of a ring for scans side by side: together they are the whole ring, and they share what the table holds."""

import random
from collections import Counter

import pytest

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.cassandra.ring import token_value
from atlasdb_recovery.cassandra.splitting import Ends, cut, halfway, split_points
from atlasdb_recovery.practice.simulated import SimulatedCluster
from atlasdb_recovery.procedure.removal.pieces import PIECES, pieces_of
from tests.contract.contract_cluster import TABLE_OPTIONS

TABLES = {1: transactions.TRANSACTIONS, 2: transactions.TRANSACTIONS2}


async def filled(schema: int, starts: list[int]) -> SimulatedCluster:
    cluster = SimulatedCluster()
    await cluster.change_schema(
        "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
    )
    await cluster.change_schema(f'CREATE TABLE ks."{TABLES[schema]}" {TABLE_OPTIONS}')
    for start in starts:
        cell = Cell(*transactions.locate(schema, start), b"\x01", 5)
        await cluster.put("ks", TABLES[schema], cell, consistency=Consistency.ALL)
    return cluster


def assert_covers_the_ring(pieces: list[Ends]) -> None:
    assert pieces[0][0] == pieces[-1][1] == ""
    assert [end for _, end in pieces[:-1]] == [start for start, _ in pieces[1:]]
    edges = [bytes.fromhex(end) for _, end in pieces[:-1]]
    assert edges == sorted(set(edges))


HISTORIES: dict[str, list[int]] = {
    "nothing": [],
    "one": [10_001],
    "few": [10_001, 10_002, 10_007],
    "dense": list(range(10_001, 14_001)),
    "fast-forwarded": [*range(10_001, 12_001), *range(7_000_000_001, 7_000_002_001)],
    "far apart": [2**power + step for power in range(14, 62, 3) for step in range(40)],
    "the ends": [1, 2, 2**63 - 2, 2**63 - 1],
}


@pytest.mark.parametrize("schema", [1, 2])
@pytest.mark.parametrize("name", HISTORIES)
async def test_the_pieces_are_the_whole_ring_and_share_the_rows(schema: int, name: str) -> None:
    starts = HISTORIES[name]
    cluster = await filled(schema, starts)
    pieces = await pieces_of(cluster, "ks", TABLES[schema])
    assert_covers_the_ring(pieces)
    held = Counter[Ends]()
    for start, end in pieces:
        scan = cluster.scan("ks", TABLES[schema], start, end, consistency=Consistency.ALL, page_size=1_000)
        held[start, end] = sum([len(page) async for page in scan])
    assert held.total() == len(starts)
    rows = {transactions.locate(schema, start)[0] for start in starts}
    if len(rows) > PIECES:
        assert max(held.values()) < 4 * len(starts) / PIECES
        assert len(pieces) <= 2 * PIECES


async def test_the_ring_is_cut_at_the_nodes_tokens() -> None:
    cluster = await filled(1, [])
    tokens = {token for node in (await cluster.identity()).nodes for token in node.tokens}
    assert {end for _, end in await pieces_of(cluster, "ks", TABLES[1])} == {*tokens, ""}


async def test_keys_that_are_no_varlongs_do_not_confuse_it() -> None:
    cluster = await filled(1, HISTORIES["dense"])
    for key in (b"\x00", b"\xa7", b"\xa7\x11\x00", b"\xff\xff\xff", b"\xff\x80" + b"\xff" * 8, b"zz" * 20):
        cell = Cell(key, b"t", -1, b"", 5)
        await cluster.put("ks", TABLES[1], cell, consistency=Consistency.ALL)
    assert_covers_the_ring(await pieces_of(cluster, "ks", TABLES[1]))


@pytest.mark.parametrize("partitioner", ["Murmur3Partitioner", "RandomPartitioner"])
async def test_rings_of_numbers_are_cut_evenly(partitioner: str) -> None:
    cluster = await filled(1, [])
    cluster.partitioner = f"org.apache.cassandra.dht.{partitioner}"
    pieces = await split_points(cluster, "ks", TABLES[1], [("", "")], 8)
    assert len(pieces) == 8
    numbers = [int(end) for _, end in pieces[:-1]]
    assert numbers == sorted(numbers)
    assert [end for _, end in pieces[:-1]] == [start for start, _ in pieces[1:]]


@pytest.mark.parametrize("seed", range(200))
def test_a_cut_loses_nothing_and_doubles_nothing(seed: int) -> None:
    source = random.Random(seed)
    tokens = [source.randbytes(source.randint(1, 3)).hex() for _ in range(source.randint(0, 20))]
    edges = sorted({source.randbytes(1).hex() for _ in range(source.randint(1, 4))})
    spans = list(zip(["", *edges], [*edges, ""], strict=True))
    assert_covers_the_ring(cut(spans, tokens, "byte-ordered"))


@pytest.mark.parametrize("seed", range(200))
def test_halfway_lies_strictly_between_or_nowhere(seed: int) -> None:
    source = random.Random(seed)
    low, high = sorted(source.randbytes(source.randint(0, 4)) for _ in range(2))
    if low == high:
        return
    middle = halfway(low.hex(), source.choice((high.hex(), "")))
    if middle is not None:
        assert low < bytes.fromhex(middle)
    within = halfway(low.hex(), high.hex())
    if within is None:
        assert int.from_bytes(high.ljust(5, b"\0")) - int.from_bytes(low.ljust(5, b"\0")) <= 256
    else:
        assert low < bytes.fromhex(within) < high


def test_a_token_with_an_odd_number_of_digits_is_padded_at_the_left() -> None:
    assert token_value("5", "byte-ordered") == b"\x05"
    assert halfway("5", "7") == "0600"
