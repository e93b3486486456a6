"""Ranges proven by a repair that failed, or that nobody saw end, against what the replicas held afterwards."""

import random

import pytest

from atlasdb_recovery.cassandra.repair import Judgement, RepairProgress, Verdict, confirmed_by_server, judge
from atlasdb_recovery.cassandra.repair_ranges import Range, range_of
from tests.cassandra.repair_transcripts import Run, runs
from tests.cassandra.test_repair_mutations import HARMFUL, HARMLESS, as_lines, good, interleaved, texts

BY_NAME = {run.name: run for run in runs()}
RF2 = "5.0.6/35e-rf2-replica-killed-mid"
VNODES = "5.0.6-murmur3-vnodes16/23h-vnodes-rf2-replica-killed-mid"
FORK = "2.2.18-palantir/13-replica-killed-mid"
MIXED = (RF2, VNODES, FORK)
"""Some sessions finished, others failed."""
RANGES_THAT_AGREE = {("aa", "00")}
"""Of the first, afterwards, by reads of each node; and of the second, how many do not."""
RANGES_THAT_DIFFER = 17


def told(run: Run) -> RepairProgress:
    progress = RepairProgress()
    for line in run.lines:
        progress.add(line)
    return progress


def announced(run: Run) -> frozenset[Range]:
    """The ranges that the command was to repair, from its own sessions."""
    progress = told(run)
    return progress.ranges_done | progress.ranges_failed


def judged(run: Run) -> Judgement:
    return judge(run.command, run.lines, exit_code=run.exit_code, expected=announced(run))


def test_of_a_failed_repair_exactly_the_ranges_on_which_replicas_agree_are_proven() -> None:
    """Read from each node afterwards: of two ranges one agrees; of thirty ranges thirteen do."""
    rf2, vnodes = BY_NAME[RF2], BY_NAME[VNODES]
    assert judged(rf2).verdict is Verdict.NOT_REPAIRED
    assert judged(rf2).ranges_proven == RANGES_THAT_AGREE
    assert judged(vnodes).verdict is Verdict.NOT_REPAIRED
    assert len(announced(vnodes)) == 30
    assert len(judged(vnodes).ranges_proven) == 30 - RANGES_THAT_DIFFER
    assert judged(vnodes).ranges_proven.isdisjoint(judged(vnodes).ranges_failed)
    assert judged(BY_NAME[FORK]).ranges_proven == {("00", "55")}


@pytest.mark.parametrize("name", [RF2, VNODES])
def test_the_server_remembers_the_same_ranges(name: str) -> None:
    run = BY_NAME[name]
    (record,) = run.records
    assert {range_of(text) for text in record.successful_ranges or ()} == judged(run).ranges_proven


@pytest.mark.parametrize("run", [pytest.param(run, id=run.name) for run in runs()])
def test_nothing_is_proven_by_less_than_a_full_repair_of_all_replicas(run: Run) -> None:
    judgement = judged(run)
    if not run.is_full or not announced(run):
        assert judgement.ranges_proven == frozenset()
    elif judgement.verdict is Verdict.REPAIRED:
        assert judgement.ranges_proven == announced(run)
    if run.truth == "not-repaired" and not run.loses_its_table:
        assert run.name in MIXED or judgement.ranges_proven == frozenset()


@pytest.mark.parametrize("name", MIXED)
def test_another_number_of_ranges_than_expected_proves_none(name: str) -> None:
    run = BY_NAME[name]
    for expected in (judged(run).ranges_proven, announced(run) | {("77", "78")}):
        assert judge(run.command, run.lines, expected=expected).ranges_proven == frozenset()
    assert judge("nodetool repair -full other _transactions", run.lines, expected=announced(run)).ranges_proven == set()
    assert judge(None, run.lines, expected=announced(run)).ranges_proven == frozenset()
    without_start = [line for line in run.lines if "Starting repair" not in line.text]
    assert judge(run.command, without_start, expected=announced(run)).ranges_proven == frozenset()


@pytest.mark.parametrize("name", MIXED)
def test_damage_never_proves_a_range_that_failed(name: str) -> None:
    run = BY_NAME[name]
    proven, expected = judged(run).ranges_proven, announced(run)
    still = 0
    for seed in range(3_000):
        rng = random.Random(seed)
        lines = texts(run)
        for mutation in rng.choices((*HARMLESS, *HARMFUL), k=rng.randint(1, 3)):
            lines = mutation(rng, lines)
        found = judge(run.command, as_lines(lines), expected=expected).ranges_proven
        assert found <= proven, (seed, name)
        still += bool(found)
    assert still > 300


@pytest.mark.parametrize("name", MIXED)
def test_the_sessions_of_another_repair_prove_nothing_for_this_one(name: str) -> None:
    run = BY_NAME[name]
    proven, expected = judged(run).ranges_proven, announced(run)
    for seed in range(3_000):
        rng = random.Random(seed)
        other = rng.choice(good())
        extra = texts(other)
        if rng.random() < 0.7:
            extra = rng.choice((*HARMLESS, *HARMFUL))(rng, extra)
        own = texts(run)
        if rng.random() < 0.5:
            own = [line for line in own if "failed with error" not in line]
        found = judge(run.command, as_lines(interleaved(rng, own, extra)), expected=expected).ranges_proven
        assert found <= proven, (seed, name, other.name)


@pytest.mark.parametrize("name", [RF2, VNODES])
def test_where_nodetool_died_the_server_proves_the_ranges_it_remembers(name: str) -> None:
    """Its first line alone was seen; the repair failed later."""
    run = BY_NAME[name]
    first = [line for line in run.lines if "Starting repair command" in line.text]
    unseen = judge(run.command, first, exit_code=-9, expected=announced(run))
    assert (unseen.verdict, unseen.ranges_proven) == (Verdict.UNKNOWN, frozenset())
    decided = confirmed_by_server(unseen, run.records, "rf2", ("_transactions",), announced(run))
    assert decided.verdict is Verdict.NOT_REPAIRED
    assert decided.ranges_proven == judged(run).ranges_proven
    other_tables = confirmed_by_server(unseen, run.records, "rf2", ("_transactions", "t"), announced(run))
    assert other_tables.ranges_proven == frozenset()
