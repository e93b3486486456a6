"""How the repair looks: every state of a node, at both sizes, without colour, in ASCII, and with its dialogs."""

import pytest
from syrupy.assertion import SnapshotAssertion

from atlasdb_recovery.events import RepairStopped
from tests.screens.conftest import StillClock, settled_picture
from tests.screens.repair_feed import STEP, RepairApp, RepairFeed
from tui.look import Look

GOES_ON = "Cassandra goes on with this repair to its end: nodetool only watched it."
LOOKS = [
    pytest.param((80, 24), {}, id="80x24"),
    pytest.param((160, 50), {}, id="160x50"),
    pytest.param((80, 24), {"ascii_only": True}, id="ascii"),
    pytest.param((80, 24), {"no_color": True}, id="no-color"),
    pytest.param((160, 50), {"light": True}, id="light"),
]


def in_the_middle(clock: StillClock, nodes: int = 9, ranges: int = 32) -> RepairFeed:
    """One node in each state, some at work."""
    feed = RepairFeed(nodes, ranges)
    feed.begin()
    done, failed, silent, stopped, proving, *rest = feed.nodes
    for node in (done, failed, silent, stopped, proving, *rest[:-1]):
        feed.start(node)
        feed.line(node, f"Starting repair command #1 (f00d), repairing keyspace shop on {node}", at=0.4)
    clock.now += 15
    feed.line(silent, f"Repair session f00d-3 for range {feed.ranges[silent][4]} finished (progress: 12%)", at=15.2)
    feed.repair(silent, 5)
    clock.now += 42
    feed.ask(silent, "pool Repair#1: 1 active, 0 pending", repairing=True)
    for at, node in enumerate((done, failed, stopped, proving, *rest[:-1])):
        feed.repair(node, ranges if node is done else (6 + at) % (ranges - 2), failed=2 if node is failed else 0)
        feed.bytes(node, (at * 123_456_789, 1_234_567_890), (at * 9_876_543, 98_765_432))
        feed.line(node, f"Repair session f00d-{at} for range {feed.ranges[node][at % ranges]} finished", at=57.0)
    feed.end(done)
    feed.judge(done, "repaired", f"{ranges} ranges in finished sessions")
    feed.end(failed, 1)
    lost = feed.ranges[failed][7:9]
    feed.judge(failed, "not-repaired", f"Repair session f00d-1 for range {lost[0]} failed: 10.0.0.9 died", failed=lost)
    feed.feed(RepairStopped(step=STEP, node=stopped, goes_on=GOES_ON))
    feed.judge(stopped, "unknown", "stopped by the operator")
    feed.end(proving)
    return feed


@pytest.mark.parametrize(("size", "look"), LOOKS)
async def test_in_the_middle(
    picture: SnapshotAssertion, still_clock: StillClock, size: tuple[int, int], look: dict[str, bool]
) -> None:
    feed = in_the_middle(still_clock)
    async with RepairApp(feed.bridge, Look.chosen(environment={}, **look)).run_test(size=size) as pilot:
        assert await settled_picture(pilot) == picture


async def test_a_large_cluster(picture: SnapshotAssertion, still_clock: StillClock) -> None:
    feed = in_the_middle(still_clock, 300, 256)
    async with RepairApp(feed.bridge, Look.chosen(environment={})).run_test(size=(160, 50)) as pilot:
        assert await settled_picture(pilot) == picture


async def test_raw_lines(picture: SnapshotAssertion, still_clock: StillClock) -> None:
    feed = in_the_middle(still_clock)
    async with RepairApp(feed.bridge, Look.chosen(environment={})).run_test(size=(80, 24)) as pilot:
        await settled_picture(pilot)
        await pilot.press("enter")
        while "began" not in await settled_picture(pilot):  # the lines come a moment after the screen
            await pilot.pause(0.05)
        assert await settled_picture(pilot) == picture


async def test_the_question_before_stopping(picture: SnapshotAssertion, still_clock: StillClock) -> None:
    feed = in_the_middle(still_clock)
    with feed.controls.offering(feed.nodes):
        async with RepairApp(feed.bridge, Look.chosen(environment={})).run_test(size=(80, 24)) as pilot:
            await settled_picture(pilot)
            await pilot.press("down", "x")
            assert await settled_picture(pilot) == picture
