"""Which nodes replicate which range, against the simulated servers' own reckoning, and against Cassandra's rules."""

import random

import pytest

from atlasdb_recovery.cassandra.placement import placed_ranges
from atlasdb_recovery.cassandra.ports import Node
from atlasdb_recovery.practice.simulated.topology import Place, Ring


def node(place: Place) -> Node:
    tokens = tuple(token.hex() for token in place.tokens)
    return Node(place.address, f"id of {place.address}", place.data_center, place.rack, tokens, "5.0.6", "version")


def some_places(source: random.Random) -> list[Place]:
    each = source.choice((1, 2, 5))
    names = [(f"10.0.0.{number}", source.choice("ew"), source.choice("abc")) for number in range(source.randint(1, 9))]
    tokens = sorted({source.randbytes(source.randint(1, 3)) for _ in range(len(names) * each * 2)})
    source.shuffle(tokens)
    return [
        Place(address, center, rack, tuple(sorted(tokens[at * each : (at + 1) * each])) or (bytes([at]),))
        for at, (address, center, rack) in enumerate(names)
    ]


def some_replication(source: random.Random, places: list[Place]) -> dict[str, str]:
    if source.random() < 0.4:
        return {"class": "org.apache.cassandra.locator.SimpleStrategy", "replication_factor": str(source.randint(1, 5))}
    centers = {place.data_center for place in places}
    return {"class": "NetworkTopologyStrategy"} | {center: str(source.randint(1, 4)) for center in sorted(centers)}


@pytest.mark.parametrize("seed", range(500))
def test_it_agrees_with_the_simulated_servers(seed: int) -> None:
    source = random.Random(seed)
    places = some_places(source)
    replication = some_replication(source, places)
    placed = placed_ranges([node(place) for place in places], replication, "byte-ordered")
    assert placed == Ring(places, replication).ranges()


def test_the_primary_is_the_first_along_the_ring_and_racks_are_used_before_they_are_used_again() -> None:
    racks = {"1": "a", "2": "a", "3": "b", "4": "c"}
    nodes = [node(Place(address, "dc", rack, (bytes([int(address) * 16]),))) for address, rack in racks.items()]
    placed = placed_ranges(nodes, {"class": "NetworkTopologyStrategy", "dc": "3"}, "byte-ordered")
    assert placed is not None
    assert [(one.start, one.end, one.replicas) for one in placed] == [
        ("40", "10", ("1", "3", "4")),
        ("10", "20", ("2", "3", "4")),
        ("20", "30", ("3", "4", "1")),
        ("30", "40", ("4", "1", "3")),
    ]


@pytest.mark.parametrize(
    "replication",
    [
        {"class": "EverywhereStrategy"},
        {"class": "LocalStrategy"},
        {"class": "SimpleStrategy", "replication_factor": "3/1"},
        {"class": "SimpleStrategy"},
        {},
    ],
)
def test_a_strategy_that_is_not_known_is_left_to_the_node(replication: dict[str, str]) -> None:
    assert placed_ranges([node(Place("1", "dc", "a", (b"\x10",)))], replication, "byte-ordered") is None


def test_tokens_are_numbers_where_the_partitioner_makes_them_so() -> None:
    nodes = [Node(a, a, "dc", "a", (token,), "5.0", "v") for a, token in (("1", "-5"), ("2", "10"), ("3", "9"))]
    placed = placed_ranges(nodes, {"class": "SimpleStrategy", "replication_factor": "1"}, "murmur3")
    assert placed is not None
    assert [(one.start, one.end, one.replicas) for one in placed] == [
        ("10", "-5", ("1",)),
        ("-5", "9", ("3",)),
        ("9", "10", ("2",)),
    ]
