"""A retry repairs only what no verdict covers, by commands of its own, and nothing counts that is not proven."""

from pathlib import Path

from atlasdb_recovery.events import CommandStarted, PlanMade, RepairJudged, ServerAsked, StepFailed
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.simulated import Dialect, RepairFault
from atlasdb_recovery.procedure.runner import Outcome
from tests.repair.bench import FIFTH, FIRST, SECOND, RepairBench, WatchingFrontEnd


def repairs_of(front_end: WatchingFrontEnd, node: str) -> list[tuple[str, ...]]:
    """The arguments of the node's repair commands, in order."""
    commands = [event.command for event in front_end.seen(CommandStarted, step="repair", source=node)]
    return [command[command.index("repair") + 1 :] for command in commands]


def subrange(words: tuple[str, ...]) -> str:
    return f"({words[words.index('--start-token') + 1]},{words[words.index('--end-token') + 1]}]"


async def test_only_failed_ranges_are_repaired_again(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(failed_session=0))
    front_end = WatchingFrontEnd(retries=1)
    assert await bench.repaired(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    failed, repaired = front_end.seen(RepairJudged, node=SECOND)
    assert failed.verdict == "not-repaired"
    assert set(failed.proven) | set(failed.failed) == await bench.primary(SECOND)
    assert set(failed.proven).isdisjoint(failed.failed)
    assert f"{len(failed.proven)} of 3 token ranges are proven" in failed.reasons[-1]
    assert (repaired.verdict, repaired.attempt) == ("repaired", 2)
    assert set(repaired.ranges) == await bench.primary(SECOND)
    whole, *again = repairs_of(front_end, SECOND)
    assert "--partitioner-range" in whole
    assert {subrange(words) for words in again} == set(failed.failed)
    assert all("--partitioner-range" not in words for words in again)
    assert all(("--full" in words) == (bench.simulated.dialect is Dialect.APACHE) for words in again)
    assert len(repairs_of(front_end, FIRST)) == 1
    assert bench.replicas_differ_in() == set()


async def test_the_plan_lists_the_exact_commands_of_the_retry_and_says_why(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(failed_session=0))
    front_end = WatchingFrontEnd(retries=1)
    await bench.repaired(front_end)
    first, again = front_end.seen(PlanMade, step="repair")[0], front_end.seen(PlanMade, step="repair")[-1]
    assert first.fingerprint != again.fingerprint
    assert not [line for line in again.lines if FIRST in line]
    about_second = [line for line in again.lines if SECOND in line]
    left = len(front_end.seen(RepairJudged, node=SECOND)[0].failed)
    assert f"{left} of 3 token ranges left to repair, each by a command of its own" in about_second[0]
    assert about_second[0].startswith("# ")
    assert len(about_second) == 1 + left
    ran = [" ".join(event.command) for event in front_end.seen(CommandStarted, step="repair", source=SECOND)][1:]
    assert ran == about_second[1:]


async def test_a_retry_that_fails_too_adds_to_what_is_proven(bench: RepairBench) -> None:
    for _ in range(2):
        bench.simulated.faults.in_next_repair(SECOND, RepairFault(failed_session=0))
    front_end = WatchingFrontEnd(retries=2)
    assert await bench.repaired(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    judged = front_end.seen(RepairJudged, node=SECOND)
    assert [event.attempt for event in judged] == [1, 2, 3]
    proven = [set(event.repaired_ranges) for event in judged]
    assert all(earlier <= later for earlier, later in zip(proven, proven[1:], strict=False))
    assert proven[-1] == await bench.primary(SECOND)
    assert bench.replicas_differ_in() == set()


async def test_a_resumed_session_knows_what_was_proven(bench: RepairBench) -> None:
    journal = MemoryJournal()
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(failed_session=0))
    assert await bench.repaired(WatchingFrontEnd(), journal=journal) is Outcome.FAILED
    front_end = WatchingFrontEnd()
    assert await bench.repaired(front_end, journal=journal) is Outcome.DONE
    assert not repairs_of(front_end, FIRST)
    assert repairs_of(front_end, SECOND)
    assert all("--start-token" in words for words in repairs_of(front_end, SECOND))
    assert bench.replicas_differ_in() == set()


async def test_what_cannot_be_told_to_be_this_repairs_is_not_proven(bench: RepairBench) -> None:
    """The first line, with the options and the number of ranges, was lost."""
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(failed_session=0, lost_start=True))
    front_end = WatchingFrontEnd(retries=1)
    assert await bench.repaired(front_end) is Outcome.DONE
    assert front_end.seen(RepairJudged, node=SECOND)[0].proven == ()
    assert all("--partitioner-range" in words for words in repairs_of(front_end, SECOND))
    assert len(repairs_of(front_end, SECOND)) == 2


async def test_a_coordinator_that_died_leaves_only_what_it_had_told(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(killed_after=2, goes_on_for=1e6))
    front_end = WatchingFrontEnd(retries=1)

    def when_asked(event: object) -> None:
        if isinstance(event, ServerAsked) and bench.simulated.nodes[SECOND].repairs:
            bench.simulated.stop_node(SECOND)
            bench.simulated.start_node(SECOND)

    front_end.on_event = when_asked
    assert await bench.repaired(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    unknown, repaired = front_end.seen(RepairJudged, node=SECOND)
    assert unknown.verdict == "unknown"
    assert 0 < len(unknown.proven) < 3
    assert set(unknown.proven) == set(unknown.ranges)
    assert repaired.verdict == "repaired"
    left = await bench.primary(SECOND) - set(unknown.proven)
    assert len(repairs_of(front_end, SECOND)) == 1 + len(left)
    assert bench.replicas_differ_in() == set()


async def test_a_table_truncated_between_two_attempts_voids_what_was_proven(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(failed_session=0))
    front_end = WatchingFrontEnd(retries=1)
    front_end.on_event = lambda event: (
        bench.simulated.truncate(bench.exercise.keyspace, "_transactions2") if isinstance(event, StepFailed) else None
    )
    assert await bench.repaired(front_end) is Outcome.REFUSED
    assert "TablesUnchanged" in front_end.refusals()
    assert len(repairs_of(front_end, SECOND)) == 1


async def test_a_failure_ends_the_step_with_its_batch(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(failed_session=0))
    front_end = WatchingFrontEnd()
    assert await bench.repaired(front_end) is Outcome.FAILED
    (failed,) = front_end.seen(StepFailed)
    assert failed.problem == f"the repair is not proven on {SECOND}"
    assert failed.evidence[-1].startswith("not begun: ")
    assert FIFTH in failed.evidence[-1]
    assert not repairs_of(front_end, FIFTH)


async def test_nodes_that_share_no_replica_are_repaired_and_retried_together(dialect: Dialect, tmp_path: Path) -> None:
    bench = RepairBench(dialect, tmp_path, nodes=8, tokens=1)
    bench.simulated.repair_blindness = 0.0
    bench.with_repair(parallel=True)
    await bench.back_up_and_lose()
    for node in (FIRST, "127.0.9.4"):
        bench.simulated.faults.in_next_repair(node, RepairFault(failed_session=0))
    front_end = WatchingFrontEnd(retries=1)
    assert await bench.repaired(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    first = front_end.seen(PlanMade, step="repair")[0]
    batches = first.facts["batches"]
    assert len(batches) < 8
    assert any({FIRST, "127.0.9.4"} <= set(batch) for batch in batches)
    begun = [
        event.source
        for event in front_end.events
        if isinstance(event, CommandStarted | RepairJudged)
        if isinstance(event, CommandStarted) and "repair" in event.command
    ]
    together = next(batch for batch in batches if FIRST in batch)
    assert set(begun[: len(together)]) == set(together)
    assert all(len(repairs_of(front_end, node)) == 2 for node in (FIRST, "127.0.9.4"))
    assert bench.replicas_differ_in() == set()


async def test_without_its_first_line_a_whole_repair_is_proven_all_the_same(bench: RepairBench) -> None:
    """nodetool may miss it: the server's first words can overtake the number that they are known by."""
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(lost_start=True))
    front_end = WatchingFrontEnd()
    assert await bench.repaired(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    assert [event.verdict for event in front_end.seen(RepairJudged, node=SECOND)] == ["repaired"]
    assert not front_end.seen(ServerAsked, node=SECOND)
    assert bench.replicas_differ_in() == set()
