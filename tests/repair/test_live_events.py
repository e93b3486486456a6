"""What the engine tells while a repair runs: ranges, bytes, silence; and that telling disturbs nothing."""

from collections import Counter

from atlasdb_recovery.events import LinePrinted, Noted, Progressed, RangesRepaired, RepairJudged, ServerAsked
from atlasdb_recovery.practice.simulated import CommandFault, Dialect, RepairFault
from atlasdb_recovery.procedure.node_repair import NEVER_ENDED
from atlasdb_recovery.procedure.runner import Outcome
from tests.repair.bench import FIRST, SECOND, RepairBench, WatchingFrontEnd


async def test_every_range_is_told_as_it_ends_and_folds_to_what_the_verdicts_prove(bench: RepairBench) -> None:
    front_end = WatchingFrontEnd()
    assert await bench.repaired(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    assert bench.live is not None
    for node in bench.simulated.addresses:
        told = [text for event in front_end.seen(RangesRepaired, node=node) for text in event.ranges]
        assert Counter(told) == Counter(await bench.primary(node))
        assert bench.live.state.ranges[node].done == await bench.primary(node)
        assert bench.live.state.ranges[node].failed == set()
        judged = front_end.seen(RepairJudged, node=node)[-1]
        assert set(judged.ranges) == set(judged.repaired_ranges) == await bench.primary(node)


async def test_each_range_is_told_right_after_its_line(bench: RepairBench) -> None:
    front_end = WatchingFrontEnd()
    await bench.repaired(front_end)
    events = [event for event in front_end.events if isinstance(event, LinePrinted | RangesRepaired)]
    for line, ranges in zip(events, events[1:], strict=False):
        if isinstance(ranges, RangesRepaired):
            assert isinstance(line, LinePrinted)
            assert all(text in line.text for text in ranges.ranges)


async def test_ranges_of_a_failed_session_are_told_as_failed(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(FIRST, RepairFault(failed_session=1))
    front_end = WatchingFrontEnd()
    assert await bench.repaired(front_end) is Outcome.FAILED
    told = front_end.seen(RangesRepaired, node=FIRST)
    failed = {text for event in told for text in event.failed}
    done = {text for event in told for text in event.ranges}
    assert failed
    assert done
    assert failed | done == await bench.primary(FIRST)
    assert bench.live is not None
    assert bench.live.state.ranges[FIRST].failed == failed
    assert bench.live.state.ranges[FIRST].done == done


async def test_a_slow_repair_says_how_many_bytes_it_has_validated_and_streamed(bench: RepairBench) -> None:
    for node in bench.simulated.addresses:
        bench.simulated.faults.in_next_repair(node, RepairFault(silent_after=2, silent_for=25))
    front_end = WatchingFrontEnd()
    assert await bench.repaired(front_end) is Outcome.DONE
    validated = front_end.seen(Progressed, unit="bytes validated")
    assert validated
    assert all(event.total is not None and 0 <= event.done <= event.total for event in validated)
    for node in bench.simulated.addresses:
        figures = [(event.done, event.total) for event in validated if event.scope == node]
        assert len(set(figures)) == len(figures), "only what changes is told"
    if bench.simulated.dialect is Dialect.APACHE:
        assert front_end.seen(Progressed, unit="bytes streamed")


async def test_half_a_minute_of_silence_and_the_server_is_asked(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(silent_after=2, silent_for=100))
    front_end = WatchingFrontEnd()
    assert await bench.repaired(front_end) is Outcome.DONE
    asked = front_end.seen(ServerAsked)
    assert {event.node for event in asked} == {SECOND}
    assert all(event.repairing is True for event in asked)
    assert all("pool Repair#1" in event.answer for event in asked)
    silences = [event.silent_seconds for event in asked]
    assert silences == sorted(silences)
    assert 30 <= silences[0] < 35
    assert len(silences) == 3


async def test_nothing_runs_there_any_more_though_nodetool_lives(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(silent_after=1, silent_for=100, deaf=True))
    front_end = WatchingFrontEnd()
    assert await bench.repaired(front_end) is Outcome.DONE
    first, *_ = front_end.seen(ServerAsked, node=SECOND)
    assert first.repairing is False
    assert "nodetool has not ended" in first.answer
    judged = front_end.seen(RepairJudged, node=SECOND)[-1]
    assert judged.verdict == "repaired"
    assert "the server remembers" in judged.reasons[0]


async def test_a_nodetool_that_never_hears_of_the_end_is_ended_and_the_server_decides(bench: RepairBench) -> None:
    """Seen on Palantir's fork when a replica died: nodetool waits for ever, and nothing repairs any more."""
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(silent_after=1, silent_for=1e9, deaf=True))
    front_end = WatchingFrontEnd()
    assert await bench.repaired(front_end) is Outcome.DONE
    told = [event.text for event in front_end.events if isinstance(event, Noted) and "it is ended" in event.text]
    assert len(told) == 1
    assert told[0].startswith(f"{SECOND}: nodetool has said nothing for ")
    during = [event for event in front_end.seen(ServerAsked, node=SECOND) if event.silent_seconds]
    assert [event.repairing for event in during] == [False] * 3
    assert "the server remembers" in front_end.seen(RepairJudged, node=SECOND)[-1].reasons[0]
    assert NEVER_ENDED in front_end.seen(RepairJudged, node=SECOND)[-1].reasons


async def test_a_server_that_cannot_be_asked_is_unknown_and_the_repair_goes_on(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(silent_after=2, silent_for=50))
    unanswered = [CommandFault(("tpstats",), address=SECOND, exit_code=1, stderr=("Connection refused \x1b[31m",))]
    front_end = WatchingFrontEnd()

    def when_begun(event: object) -> None:
        if isinstance(event, RangesRepaired) and event.node == SECOND and unanswered:
            bench.simulated.faults.commands.append(unanswered.pop())

    front_end.on_event = when_begun
    assert await bench.repaired(front_end) is Outcome.DONE
    (asked,) = front_end.seen(ServerAsked, node=SECOND)
    assert asked.repairing is None
    assert "Connection refused" in asked.answer
    assert asked.answer.isprintable()
    assert front_end.seen(RepairJudged, node=SECOND)[-1].verdict == "repaired"


async def test_figures_that_cannot_be_had_disturb_nothing(bench: RepairBench) -> None:
    broken = [CommandFault(("netstats",), exit_code=0, stdout=("what is this?",)) for _ in range(20)]
    bench.simulated.faults.in_next_repair(SECOND, RepairFault(silent_after=2, silent_for=25))
    front_end = WatchingFrontEnd()

    def when_begun(event: object) -> None:
        if isinstance(event, LinePrinted) and event.source == SECOND and "Starting" in event.text:
            bench.simulated.faults.commands.extend(broken)
        elif isinstance(event, RepairJudged):
            bench.simulated.faults.commands.clear()

    front_end.on_event = when_begun
    assert await bench.repaired(front_end) is Outcome.DONE
    assert all(event.verdict == "repaired" for event in front_end.seen(RepairJudged))


async def test_a_node_is_asked_as_seldom_as_it_is_set(bench: RepairBench) -> None:
    """No more than one question under way, and none sooner than that; silence apart."""
    calls: list[float] = []
    run = bench.practice.nodetool.run
    bench.with_repair(ask_every=7.0)
    bench.simulated.faults.in_next_repair(FIRST, RepairFault(silent_after=1, silent_for=16))

    async def counted(address: str, *arguments: str, timeout: float = 60.0) -> object:
        if arguments == ("netstats",) and address == FIRST and bench.simulated.nodes[FIRST].repairs:
            calls.append(bench.simulated.wall.time())
        return await run(address, *arguments, timeout=timeout)

    bench.practice.nodetool.run = counted  # type: ignore[method-assign, assignment]
    front_end = WatchingFrontEnd()
    assert await bench.repaired(front_end) is Outcome.DONE
    assert all(later - earlier >= 7.0 for earlier, later in zip(calls, calls[1:], strict=False)), calls
    assert len(calls) >= (2 if bench.simulated.dialect is Dialect.PALANTIR else 0)
