"""The operator stops nodes: their nodetool ends, Cassandra goes on, and that is said."""

import asyncio
from collections.abc import Callable

from atlasdb_recovery.cassandra.unattended_repair import what_goes_on
from atlasdb_recovery.events import (
    CommandStarted,
    Event,
    LinePrinted,
    RangesRepaired,
    RepairJudged,
    RepairStopped,
    ServerAsked,
    StepFailed,
)
from atlasdb_recovery.practice.simulated import Dialect, RepairFault
from atlasdb_recovery.procedure.controls import Controls
from atlasdb_recovery.procedure.runner import Outcome
from tests.repair.bench import FIFTH, FIRST, FOURTH, SECOND, THIRD, RepairBench, WatchingFrontEnd

KEPT_BUSY = RepairFault(silent_after=2, silent_for=1e6)
"""nodetool hangs after its first session line; stopped, the server goes on for 20 seconds."""


def at_first_range(node: str, act: Callable[[], object]) -> Callable[[Event], None]:
    """Do it once, when the first of the node's ranges is told."""
    done: list[bool] = []

    def on_event(event: Event) -> None:
        if isinstance(event, RangesRepaired) and event.node == node and not done:
            done.append(True)
            act()

    return on_event


async def test_a_stopped_node_ends_and_the_others_go_on(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(SECOND, KEPT_BUSY)
    front_end = WatchingFrontEnd(on_event=at_first_range(SECOND, lambda: bench.stop(SECOND)))
    assert await bench.repaired(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    (stopped,) = front_end.seen(RepairStopped)
    assert stopped.node == SECOND
    assert stopped.goes_on == what_goes_on(bench.simulated.dialect.release_version)
    unknown, repaired = front_end.seen(RepairJudged, node=SECOND)
    assert unknown.verdict == "unknown"
    assert "stopped by the operator" in unknown.reasons
    assert set(unknown.proven) < await bench.primary(SECOND)
    assert repaired.verdict == "repaired"
    assert "the server remembers a full repair" in repaired.reasons[0]
    verdicts = {event.node: event.verdict for event in front_end.seen(RepairJudged)}
    assert verdicts == dict.fromkeys(bench.simulated.addresses, "repaired")
    assert bench.replicas_differ_in() == set()


async def test_nothing_else_begins_while_cassandra_is_still_at_the_stopped_repair(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(SECOND, KEPT_BUSY)
    running: list[tuple[str, bool]] = []
    stop = at_first_range(SECOND, lambda: bench.stop(SECOND))

    def on_event(event: Event) -> None:
        stop(event)
        if isinstance(event, CommandStarted) and "repair" in event.command:
            running.append((event.source, bool(bench.simulated.nodes[SECOND].repairs)))

    assert await bench.repaired(WatchingFrontEnd(on_event=on_event)) is Outcome.DONE
    assert [source for source, _ in running] == [FIRST, SECOND, THIRD, FOURTH, FIFTH]
    assert not any(is_running for source, is_running in running if source != SECOND)


async def test_the_last_node_stopped_fails_the_step_and_the_retry_repairs_what_is_left(bench: RepairBench) -> None:
    long = RepairFault(silent_after=2, silent_for=1e6, goes_on_for=300.0)
    bench.simulated.faults.in_next_repair(FIFTH, long)
    front_end = WatchingFrontEnd(retries=1, on_event=at_first_range(FIFTH, lambda: bench.stop(FIFTH)))
    assert await bench.repaired(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    (failed,) = front_end.seen(StepFailed)
    assert failed.problem == f"the repair is not proven on {FIFTH}"
    stopped, repaired = front_end.seen(RepairJudged, node=FIFTH)
    assert stopped.verdict == "unknown"
    assert repaired.verdict == "repaired"
    (waiting, *_) = [event for event in front_end.seen(ServerAsked, node=FIFTH) if event.repairing is False]
    commands = [event for event in front_end.seen(CommandStarted, source=FIFTH) if "repair" in event.command]
    assert len(commands) == 1 + len(await bench.primary(FIFTH) - set(stopped.proven))
    assert front_end.events.index(waiting) < front_end.events.index(commands[1])
    assert bench.replicas_differ_in() == set()


async def test_stopping_all_is_stopping_each(bench: RepairBench) -> None:
    bench.simulated.faults.in_next_repair(SECOND, KEPT_BUSY)
    told: list[tuple[str, ...]] = []
    front_end = WatchingFrontEnd(on_event=at_first_range(SECOND, lambda: told.append(bench.stop_all())))
    assert await bench.repaired(front_end) is Outcome.FAILED
    assert told == [(SECOND, THIRD, FOURTH, FIFTH)]
    (failed,) = front_end.seen(StepFailed)
    assert failed.problem == f"the repair is not proven on {SECOND}"
    assert failed.evidence[-1] == f"not begun: {THIRD}, {FOURTH}, {FIFTH}"
    assert [event.node for event in front_end.seen(RepairStopped)] == [SECOND]
    assert {event.node for event in front_end.seen(RepairJudged)} == {FIRST, SECOND}


async def test_stopped_before_its_turn_a_node_is_left_out_and_the_rest_is_done(bench: RepairBench) -> None:
    front_end = WatchingFrontEnd(on_event=at_first_range(FIRST, lambda: bench.stop(THIRD)))
    assert await bench.repaired(front_end) is Outcome.FAILED
    assert {event.node for event in front_end.seen(RepairJudged)} == {FIRST, SECOND, FOURTH, FIFTH}
    (failed,) = front_end.seen(StepFailed)
    assert failed.evidence == (f"not begun: {THIRD}",)
    assert not front_end.seen(RepairStopped)


async def test_stopped_while_the_server_is_waited_for_it_is_unknown_at_once(bench: RepairBench) -> None:
    """nodetool died by itself, and the server goes on: the operator need not wait for it."""
    bench.simulated.faults.in_next_repair(FIFTH, RepairFault(killed_after=2, goes_on_for=10_000))
    done: list[bool] = []

    def on_event(event: Event) -> None:
        if isinstance(event, ServerAsked) and event.node == FIFTH and not done:
            done.append(bench.stop(FIFTH))

    began = bench.simulated.wall.time()
    front_end = WatchingFrontEnd(on_event=on_event)
    assert await bench.repaired(front_end) is Outcome.FAILED
    assert done == [True]
    assert front_end.seen(RepairJudged, node=FIFTH)[-1].verdict == "unknown"
    assert bench.simulated.wall.time() - began < 10_000


async def test_the_nodetool_of_a_stopped_node_is_closed_before_its_verdict(bench: RepairBench) -> None:
    """Its stream is closed, as a child process would be ended and waited for; no line comes after that."""
    bench.simulated.faults.in_next_repair(SECOND, KEPT_BUSY)
    front_end = WatchingFrontEnd(on_event=at_first_range(SECOND, lambda: bench.stop(SECOND)))
    await bench.repaired(front_end)
    stopped = front_end.events.index(front_end.seen(RepairStopped)[0])
    assert not [
        event for event in front_end.events[stopped:] if isinstance(event, LinePrinted) and event.source == SECOND
    ]


async def test_what_is_offered_is_what_can_still_be_stopped(bench: RepairBench) -> None:
    offered: list[tuple[str, ...]] = []

    def on_event(event: Event) -> None:
        if isinstance(event, RepairJudged):
            assert bench.live is not None
            offered.append(bench.live.controls.stoppable)

    assert await bench.repaired(WatchingFrontEnd(on_event=on_event)) is Outcome.DONE
    assert [len(nodes) for nodes in offered] == [4, 3, 2, 1, 0]
    assert bench.live is not None
    assert bench.live.controls.stoppable == ()
    assert bench.stop(FIRST) is False
    assert bench.stop_all() == ()


def test_controls_outside_of_a_step_stop_nothing() -> None:
    controls = Controls()
    assert controls.stop("127.0.0.1") is False
    with controls.offering(["a", "b"]) as stops:
        assert controls.stop("a") is True
        assert controls.stop("a") is False
        assert (stops["a"].is_set(), stops["b"].is_set()) == (True, False)
        controls.ended("b")
        assert controls.stop_all() == ()
        assert isinstance(stops["b"], asyncio.Event)


def test_what_goes_on_by_version() -> None:
    texts = {release: what_goes_on(release) for release in ("2.2.18-1.108.0", "4.0.19", "4.1.10", "5.0.6", "?")}
    assert all("Cassandra goes on" in text and "netstats" in text for text in texts.values())
    assert "forceterminaterepairsessions" in texts["2.2.18-1.108.0"]
    assert "up to a minute" in texts["4.0.19"]
    assert "system_views.repairs" not in texts["4.0.19"]
    assert "up to a minute" in texts["4.1.10"]
    assert "system_views.repairs" in texts["4.1.10"]
    assert "up to a minute" not in texts["5.0.6"]
    assert Dialect.APACHE.release_version in texts
