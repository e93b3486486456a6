"""How a node is repaired when some of its ranges are proven, and how verdicts add up."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlasdb_recovery.cassandra.ports import TokenRange
from atlasdb_recovery.cassandra.repair import Judgement, Verdict
from atlasdb_recovery.cassandra.repair_options import asked_by
from atlasdb_recovery.cassandra.repair_ranges import Range, range_text
from atlasdb_recovery.events import RangesRepaired, RepairJudged
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated.repair_options import help_text
from atlasdb_recovery.procedure.judged_node import judged_node, proven_ranges
from atlasdb_recovery.procedure.planned_repair import SUBRANGES_AT_MOST, PlannedRepair, planned_repair
from atlasdb_recovery.procedure.primary_ranges import primary_ranges, repair_batches
from atlasdb_recovery.procedure.ranges_shown import RangesShown
from atlasdb_recovery.procedure.session import SessionState

TABLES = ("_transactions", "_transactions2")


def ranges(count: int) -> list[Range]:
    tokens = [f"{number:04x}" for number in range(count + 1)]
    return list(zip(tokens, tokens[1:], strict=False))


def plan(dialect: Dialect, expected: Sequence[Range], proven: Sequence[Range]) -> PlannedRepair:
    text = "\n".join(help_text(dialect))
    return planned_repair("127.0.0.1", frozenset(expected), frozenset(proven), text, "atlas", TABLES)


def judgement(verdict: Verdict, proven: Sequence[Range] = (), failed: Sequence[Range] = ()) -> Judgement:
    return Judgement(
        verdict=verdict,
        reasons=(f"it is {verdict}",),
        ranges_done=frozenset(proven),
        ranges_failed=frozenset(failed),
        ranges_expected=None,
        parent_ids=(),
        ranges_proven=frozenset(proven),
    )


@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_first_repair_is_of_the_whole_node(dialect: Dialect) -> None:
    planned = plan(dialect, ranges(3), [])
    (command,) = planned.commands
    asked = asked_by(command)
    assert (asked.primary_range, asked.subrange, asked.narrowed) == (True, None, ())
    assert planned.describe() == ""


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("count", [1, SUBRANGES_AT_MOST])
def test_few_ranges_that_are_left_have_commands_of_their_own(dialect: Dialect, count: int) -> None:
    everything = ranges(100)
    planned = plan(dialect, everything, everything[count:])
    asked = [asked_by(command) for command in planned.commands]
    assert {each.subrange for each in asked} == set(everything[:count])
    for each in asked:
        assert not each.primary_range, "beside a sub-range it would be ignored"
        assert not each.narrowed
        assert each.tables == set(TABLES)
        assert each.full is (True if dialect is Dialect.APACHE else None)
    assert "each by a command of its own" in planned.describe()


@pytest.mark.parametrize("dialect", list(Dialect))
def test_many_ranges_that_are_left_mean_the_whole_node_and_the_plan_says_so(dialect: Dialect) -> None:
    everything = ranges(256)
    planned = plan(dialect, everything, everything[SUBRANGES_AT_MOST + 1 :])
    assert [asked_by(command).primary_range for command in planned.commands] == [True]
    assert f"{SUBRANGES_AT_MOST + 1} of 256 token ranges left" in planned.describe()
    assert "the whole node again" in planned.describe()


def test_the_minimum_token_and_negative_ones_can_be_bounds() -> None:
    for span in (("", "55"), ("aa", ""), ("-8783626660958324273", "-8315051333529851817")):
        planned = plan(Dialect.APACHE, [span, ("1", "2")], [("1", "2")])
        assert asked_by(planned.commands[0]).subrange == span
        assert asked_by(list(planned.commands[0])).tables == set(TABLES)


def test_a_nodetool_without_sub_ranges_repairs_the_whole_node() -> None:
    text = "\n".join(line for line in help_text(Dialect.APACHE) if "token" not in line)
    planned = planned_repair("n", frozenset(ranges(3)), frozenset(ranges(2)), text, "atlas", TABLES)
    assert [asked_by(command).primary_range for command in planned.commands] == [True]


@given(st.data())
def test_a_node_is_repaired_only_when_every_range_is_proven_by_some_verdict(data: st.DataObject) -> None:
    everything = ranges(6)
    some = st.sets(st.sampled_from(everything))
    earlier = data.draw(some)
    outcomes = data.draw(st.lists(st.tuples(st.sampled_from(list(Verdict)), some, some), max_size=4))
    planned = PlannedRepair("n", frozenset(everything), frozenset(earlier), ())
    judged = judged_node(
        "repair",
        planned,
        TABLES,
        [
            (frozenset(everything[:1]), judgement(verdict, sorted(proven), sorted(failed)))
            for verdict, proven, failed in outcomes
        ],
        2,
    )
    union = earlier.union(*(proven for _, proven, _ in outcomes))
    assert (judged.verdict == "repaired") == (union == set(everything))
    assert set(judged.repaired_ranges) == set(map(range_text, union))
    assert set(judged.failed).isdisjoint(judged.repaired_ranges)
    assert proven_ranges(judged, TABLES, frozenset(everything)) == union
    assert proven_ranges(judged, ("another", *TABLES), frozenset(everything)) == frozenset()
    if judged.verdict == "not-repaired":
        assert any(verdict is Verdict.NOT_REPAIRED for verdict, _, _ in outcomes)


def test_a_verdict_of_an_earlier_version_proves_only_if_it_is_repaired() -> None:
    """Its ranges were those of finished sessions, proven or not."""
    for verdict, proven in (("repaired", {("00", "55")}), ("not-repaired", set()), ("unknown", set())):
        old = RepairJudged(node="n", tables=TABLES, verdict=verdict, reasons=(), ranges=("(00,55]",))
        assert proven_ranges(old, TABLES, frozenset({("00", "55"), ("55", "aa")})) == proven


def test_ranges_are_told_once_in_the_spelling_that_is_expected() -> None:
    shown = RangesShown([("0A", "1B"), ("1B", "2c")], [])
    assert shown.take(done=[("0a", "1b"), ("99", "9a")]) == (("(0A,1B]",), ())
    assert shown.take(done=[("0A", "1B")]) == ((), ())
    assert shown.take(failed=[("a", "1b")]) == ((), ("(0A,1B]",))
    assert shown.done == 0
    assert shown.take(done=[("0A", "1B"), ("1b", "2C")]) == (("(0A,1B]", "(1B,2c]"), ())
    assert (shown.done, shown.total) == (2, 2)


def test_what_was_shown_gives_way_to_what_is_proven() -> None:
    state = SessionState()
    state.apply(RangesRepaired(step="repair", node="n", ranges=("(1,2]", "(2,3]"), failed=("(3,4]",)))
    state.apply(RangesRepaired(step="repair", node="n", ranges=("(3,4]",), failed=("(2,3]",)))
    assert (state.ranges["n"].done, state.ranges["n"].failed) == ({"(1,2]", "(3,4]"}, {"(2,3]"})
    judged = RepairJudged(
        step="repair", node="n", tables=TABLES, verdict="unknown", reasons=(), proven=("(1,2]",), failed=("(2,3]",)
    )
    state.apply(judged)
    assert (state.ranges["n"].done, state.ranges["n"].failed) == ({"(1,2]"}, {"(2,3]"})


def test_three_hundred_nodes_with_256_ranges_are_planned_in_two_seconds() -> None:
    """The engine's own part: batches by replicas, and a retry of each node. Processor time, whatever else runs here."""
    nodes = [f"10.0.{number // 100}.{number % 100}" for number in range(300)]
    tokens = [f"{number:06x}" for number in range(300 * 256)]
    ring = tuple(
        TokenRange(start, end, tuple(nodes[(at * 7 + step) % 300] for step in range(3)))
        for at, (start, end) in enumerate(zip(tokens[-1:] + tokens, tokens, strict=False))
    )
    text = "\n".join(help_text(Dialect.APACHE))
    began = time.process_time()
    expected = primary_ranges(ring)
    left = {}
    for node, spans in expected.items():
        planned = planned_repair(node, spans, frozenset(sorted(spans)[10:]), text, "atlas", TABLES)
        left[node] = planned.left
        assert len(planned.commands) == 10
    batches = repair_batches(left, ring, parallel=True)
    assert time.process_time() - began < 2.0
    assert sorted(node for batch in batches for node in batch) == sorted(nodes)
    replicas = {(span.start, span.end): set(span.replicas) for span in ring}
    for batch in batches:
        touched = [set().union(*(replicas[span] for span in left[node])) for node in batch]
        assert sum(map(len, touched)) == len(set().union(*touched))
