"""The fold of a repair's events, node by node."""

import pytest

from atlasdb_recovery.events import RepairStopped
from tests.screens.conftest import StillClock
from tests.screens.repair_feed import STEP, RepairFeed
from tui.repair_board import NodeStatus, RepairBoard
from tui.ring_map import RangeState


@pytest.fixture
def feed(still_clock: StillClock) -> RepairFeed:
    feed = RepairFeed(3, 8)
    feed.begin()
    return feed


@pytest.fixture
def board(feed: RepairFeed) -> RepairBoard:
    return feed.bridge.view.repair


def test_every_planned_node_waits_at_first(feed: RepairFeed, board: RepairBoard) -> None:
    assert [(row.node, row.status(1_000.0)) for row in board.rows.values()] == [
        (node, NodeStatus.WAITING) for node in feed.nodes
    ]
    assert board.ring.count(RangeState.WAITING) == 24


def test_lines_and_ranges_are_signs_of_life(feed: RepairFeed, board: RepairBoard, still_clock: StillClock) -> None:
    node = feed.nodes[0]
    feed.start(node)
    still_clock.now += 10
    feed.line(node, "Repair session 1 finished")
    feed.repair(node, 3)
    row = board.row(node)
    assert (row.done, row.expected, row.last_line) == (3, 8, "Repair session 1 finished")
    assert row.silence(still_clock.now + 5) == 5
    assert board.ring.count(RangeState.DONE) == 3
    assert board.ring.count(RangeState.RUNNING) == 5


def test_half_a_minute_without_a_line_is_silence(feed: RepairFeed, board: RepairBoard, still_clock: StillClock) -> None:
    node = feed.nodes[0]
    feed.start(node)
    row = board.row(node)
    assert row.status(still_clock.now + 29.9) is NodeStatus.RUNNING
    assert row.status(still_clock.now + 30) is NodeStatus.SILENT
    feed.end(node)
    assert row.status(still_clock.now + 300) is NodeStatus.PROVING


def test_the_rate_is_that_of_the_last_minute(feed: RepairFeed, board: RepairBoard, still_clock: StillClock) -> None:
    feed = RepairFeed(1, 100)
    feed.begin()
    node = feed.nodes[0]
    feed.start(node)
    row = feed.bridge.view.repair.row(node)
    assert row.rate(still_clock.now) is None
    for _ in range(40):
        still_clock.now += 5
        feed.repair(node, 2)
    assert row.rate(still_clock.now) == pytest.approx(0.4)
    still_clock.now += 600
    assert row.rate(still_clock.now) == pytest.approx(24 / 660, abs=0.01)


def test_a_failed_node_keeps_what_it_proved(feed: RepairFeed, board: RepairBoard) -> None:
    node = feed.nodes[1]
    feed.start(node)
    feed.repair(node, 4, failed=2)
    feed.judge(node, "not-repaired", "it died", failed=feed.ranges[node][4:6])
    row = board.row(node)
    assert (row.state, row.done, row.failed) == (NodeStatus.FAILED, 4, 2)
    assert board.ring.count(RangeState.DONE) == 4
    assert board.ring.count(RangeState.FAILED) == 2
    assert board.ring.count(RangeState.UNPROVEN) == 2


def test_the_next_attempt_begins_with_what_is_not_proven(feed: RepairFeed, board: RepairBoard) -> None:
    node = feed.nodes[1]
    feed.start(node)
    feed.repair(node, 4, failed=2)
    feed.judge(node, "not-repaired", "it died", failed=feed.ranges[node][4:6])
    feed.begin(attempt=2)
    row = board.row(node)
    assert (row.state, row.failed) == (NodeStatus.WAITING, 0)
    assert board.ring.count(RangeState.FAILED) == 0
    assert board.ring.count(RangeState.DONE) == 4
    feed.start(node)
    assert row.attempt == 2
    feed.judge(node, "repaired", "all of it")
    assert (row.state, row.done) == (NodeStatus.REPAIRED, 8)


def test_a_command_for_each_range_is_one_attempt(feed: RepairFeed, board: RepairBoard) -> None:
    node = feed.nodes[0]
    for _ in range(3):
        feed.start(node)
        feed.repair(node, 1)
        feed.end(node)
    assert board.row(node).attempt == 1


def test_a_stopped_node_stays_stopped(feed: RepairFeed, board: RepairBoard) -> None:
    node = feed.nodes[0]
    feed.start(node)
    feed.feed(RepairStopped(step=STEP, node=node, goes_on="it goes on"))
    feed.judge(node, "unknown", "stopped by the operator")
    row = board.row(node)
    assert (row.state, row.goes_on) == (NodeStatus.STOPPED, "it goes on")


def test_what_the_journal_tells_of_an_earlier_run_counts(feed: RepairFeed) -> None:
    node = feed.nodes[0]
    feed.start(node)
    feed.judge(node, "repaired", "all of it")
    again = RepairFeed(3, 8)
    again.feed(feed.state.repairs[node])
    again.begin(attempt=2)
    board = again.bridge.view.repair
    assert board.row(node).state is NodeStatus.REPAIRED
    assert board.ring.count(RangeState.DONE) == 8
