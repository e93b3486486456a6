"""The command that a node's own nodetool understands, and which nodes may run it together."""

import random

import pytest

from atlasdb_recovery.cassandra.ports import NodetoolFailed
from atlasdb_recovery.cassandra.repair_command import UnknownRepairDialect, arguments
from atlasdb_recovery.cassandra.repair_options import asked_by
from atlasdb_recovery.cassandra.repair_schedule import disjoint_batches
from tests.cassandra.repair_transcripts import help_text


@pytest.mark.parametrize("server", ["4.1.10", "5.0.6"])
def test_the_pages_own_line_where_nodetool_has_it(server: str) -> None:
    line = " ".join(arguments("atlas", ("_transactions", "_transactions2"), help_text(server)))
    assert line == "repair --partitioner-range --full -- atlas _transactions _transactions2"
    assert asked_by(line).full


def test_the_fork_is_full_without_saying_so() -> None:
    line = " ".join(arguments("atlas", ("_transactions",), help_text("2.2.18-palantir")))
    assert line == "repair --partitioner-range -- atlas _transactions"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nodetool: Failed to connect to '10.0.0.1:7199'",
        help_text("2.2.18-palantir").replace("(-inc | --incremental)", "(-x | --some)"),
        help_text("4.1.10").replace("--partitioner-range", "--primary"),
        help_text("5.0.6").replace("(-full | --full)", ""),
        "Use --full and --partitioner-range, said the message of the day",
    ],
)
def test_a_dialect_that_may_not_repair_fully_is_refused(text: str) -> None:
    with pytest.raises(UnknownRepairDialect, match=r"repair") as refused:
        arguments("atlas", ("_transactions",), text)
    assert isinstance(refused.value, NodetoolFailed)


def _topology(rng: random.Random) -> dict[str, frozenset[str]]:
    """The replicas of each node's primary ranges on a random ring (`SimpleStrategy`, one or several tokens a node)."""
    nodes = [f"10.0.0.{at}" for at in range(rng.randint(1, 12))]
    factor = rng.randint(1, 4)
    ring = [node for node in nodes for _ in range(rng.choice((1, 1, 2)))]
    rng.shuffle(ring)
    replicas: dict[str, set[str]] = {node: set() for node in nodes}
    for at, primary in enumerate(ring):
        onwards = dict.fromkeys(ring[at:] + ring[:at])
        replicas[primary] |= set(list(onwards)[:factor])
    return {node: frozenset(found) for node, found in replicas.items()}


def test_nodes_of_a_batch_share_no_replica() -> None:
    in_company = 0
    for seed in range(10_000):
        rng = random.Random(seed)
        topology = _topology(rng)
        batches = disjoint_batches(topology)
        assert sorted(node for batch in batches for node in batch) == sorted(topology), seed
        for batch in batches:
            replicas = [replica for node in batch for replica in topology[node]]
            assert len(replicas) == len(set(replicas)), seed
            in_company += len(batch) > 1
        assert disjoint_batches(dict(rng.sample(sorted(topology.items()), len(topology)))) == batches, seed
        for at, batch in enumerate(batches[1:], 1):
            earlier = {replica for node in batches[at - 1] for replica in topology[node]}
            assert all(earlier & topology[node] for node in batch), (seed, "could have run in the batch before")
    assert in_company > 1_000


def test_a_node_is_in_its_own_way_even_where_it_replicates_nothing() -> None:
    assert disjoint_batches({"a": frozenset({"b"}), "b": frozenset({"c"}), "d": frozenset()}) == [["a", "d"], ["b"]]
    assert disjoint_batches({}) == []
