"""The repair's screen under an operator's keys, fed with events instead of a cluster."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from atlasdb_recovery.events import StepFailed
from atlasdb_recovery.procedure.front_end import Choice
from screens.dialogs.raw_lines import RawLinesDialog
from screens.repair import RepairScreen
from tests.screens.conftest import StillClock, screen_lines
from tests.screens.repair_feed import STEP, RepairApp, RepairFeed
from tui.look import Look

SIZES = [pytest.param((80, 24), id="80x24"), pytest.param((160, 50), id="160x50")]


@pytest.fixture
def feed(still_clock: StillClock) -> RepairFeed:
    """Four nodes: one repaired, one failed, one at work, one that waits."""
    feed = RepairFeed(4, 16)
    feed.begin()
    done, failed, running, _ = feed.nodes
    for node in (done, failed, running):
        feed.start(node)
        feed.line(node, f"Starting repair command #1 of {node}", at=0.25)
    feed.repair(done, 16)
    feed.end(done)
    feed.judge(done, "repaired", "16 ranges in finished sessions")
    feed.repair(failed, 5, failed=2)
    feed.end(failed, 1)
    feed.judge(failed, "not-repaired", "Endpoint 10.0.0.3 died", failed=feed.ranges[failed][5:7])
    feed.repair(running, 4)
    return feed


@asynccontextmanager
async def shown(
    feed: RepairFeed, size: tuple[int, int] = (80, 24), *, read_only: bool = False, look: Look | None = None
) -> AsyncIterator[tuple[RepairScreen, Pilot[None]]]:
    app = RepairApp(feed.bridge, look or Look.chosen(environment={}), read_only=read_only)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, RepairScreen)
        yield app.screen, pilot


def text(pilot: Pilot[None]) -> str:
    return "\n".join(screen_lines(pilot.app))


def words(pilot: Pilot[None]) -> str:
    """The same without borders and line ends."""
    return " ".join(text(pilot).replace("│", " ").split())


def rows(screen: RepairScreen) -> list[str]:
    """Last part of each address, from top to bottom."""
    return [row.node.rpartition(".")[2] for row in screen.table.rows]


async def settled(screen: RepairScreen, pilot: Pilot[None]) -> None:
    """What was fed is on the screen."""
    screen.redraw()
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_failed_nodes_stand_on_top_apart_from_progress(feed: RepairFeed, size: tuple[int, int]) -> None:
    async with shown(feed, size) as (screen, pilot):
        assert rows(screen) == ["2", "3", "4", "1"]
        seen = text(pilot)
        assert "25 of 64 ranges  39%" in seen
        assert "2 ranges FAILED on 1 node" in seen
        assert "4 nodes: 1 repaired, 1 at work, 1 waiting, 1 to look at" in seen
        assert "Endpoint 10.0.0.3 died" in seen


@pytest.mark.parametrize("size", SIZES)
async def test_silence_is_shown_as_silence(feed: RepairFeed, still_clock: StillClock, size: tuple[int, int]) -> None:
    async with shown(feed, size) as (screen, pilot):
        assert "silent" not in text(pilot)
        still_clock.now += 42
        await settled(screen, pilot)
        assert "1 silent for 0:42" in text(pilot)
        await pilot.press("down")
        assert "nothing heard for 0:42" in text(pilot)
        feed.ask(feed.nodes[2], "pool Repair#1: 1 active", repairing=True)
        await settled(screen, pilot)
        assert "server asked: still at it: pool Repair#1: 1 active" in text(pilot)


async def test_sorting_goes_round_and_the_cursor_stays_on_its_node(feed: RepairFeed) -> None:
    async with shown(feed) as (screen, pilot):
        await pilot.press("down")
        assert screen.table.chosen is not None
        assert screen.table.chosen.node == feed.nodes[2]
        orders = []
        for _ in range(4):
            await pilot.press("s")
            orders.append((screen.order, rows(screen)))
            assert screen.table.chosen.node == feed.nodes[2]
        assert orders == [
            ("address", ["1", "2", "3", "4"]),
            ("least done", ["4", "3", "2", "1"]),
            ("longest silent", ["1", "2", "3", "4"]),
            ("failed first", ["2", "3", "4", "1"]),
        ]


async def test_an_untouched_cursor_stays_on_top_where_the_failures_come(feed: RepairFeed) -> None:
    async with shown(feed) as (screen, pilot):
        worse = feed.nodes[2]
        feed.judge(worse, "not-repaired", "it died too", failed=feed.ranges[worse][4:16])
        await settled(screen, pilot)
        assert screen.table.cursor == 0
        assert screen.table.chosen is not None
        assert screen.table.chosen.node == worse


async def test_a_filter_by_address_or_state_and_the_way_out_of_it(feed: RepairFeed) -> None:
    async with shown(feed) as (screen, pilot):
        await pilot.press("slash", *"fail")
        assert rows(screen) == ["2"]
        await pilot.press("enter", "s")
        assert (rows(screen), screen.order) == (["2"], "address")
        await pilot.press("escape")
        assert rows(screen) == ["1", "2", "3", "4"]
        await pilot.press("slash", *"no such", "enter")
        assert rows(screen) == []
        assert "no node here" in text(pilot)
        await pilot.press("enter", "x")
        assert isinstance(pilot.app.screen, RepairScreen)


async def test_raw_lines_one_key_away_with_arrival_times_and_searchable(feed: RepairFeed) -> None:
    node = feed.nodes[2]
    for at in range(300):
        feed.line(node, f"Repair session {at:03} finished", at=float(at), stream="err" if at == 250 else "out")
    async with shown(feed) as (screen, pilot):
        await pilot.press("down", "enter")
        await pilot.pause()
        dialog = pilot.app.screen
        assert isinstance(dialog, RawLinesDialog)
        assert "4:59.0   Repair session 299 finished" in text(pilot)
        assert f"{node}: 302 lines" in text(pilot)
        await pilot.press("slash", *"SESSION 25", "enter")
        await pilot.pause()
        assert "10 of 302 lines" in text(pilot)
        assert "4:10.0 E Repair session 250 finished" in text(pilot)
        await pilot.press("escape")
        assert dialog.lines.row_count == 302
        await pilot.press("escape")
        assert pilot.app.screen is screen


async def test_raw_lines_follow_until_the_operator_looks_back(feed: RepairFeed) -> None:
    node = feed.nodes[2]
    async with shown(feed) as (_, pilot):
        await pilot.press("down", "enter")
        dialog = pilot.app.screen
        assert isinstance(dialog, RawLinesDialog)
        feed.line(node, "one more")
        dialog.read()
        assert dialog.lines.chosen is not None
        assert dialog.lines.chosen.text == "one more"
        await pilot.press("home")
        feed.line(node, "and another")
        dialog.read()
        assert dialog.lines.chosen.text.startswith("nodetool -h")


async def test_stopping_asks_first_and_says_what_goes_on(feed: RepairFeed) -> None:
    with feed.controls.offering(feed.nodes[1:]) as stops:
        async with shown(feed) as (_, pilot):
            await pilot.press("down", "x")
            await pilot.pause()
            assert "Stop the repair of 10.0.0.3?" in text(pilot)
            assert "Cassandra goes on with this repair to its end" in words(pilot)
            await pilot.press("enter")
            assert not any(stop.is_set() for stop in stops.values())
            await pilot.press("x")
            await pilot.pause()
            await pilot.press("down", "enter")
            await pilot.pause()
            assert [node for node, stop in stops.items() if stop.is_set()] == [feed.nodes[2]]


async def test_stopping_all_of_them(feed: RepairFeed) -> None:
    with feed.controls.offering(feed.nodes[2:]) as stops:
        async with shown(feed) as (screen, pilot):
            await pilot.press("X")
            await pilot.pause()
            assert "all 2 nodes that are not done" in text(pilot)
            await pilot.press("down", "enter")
            await pilot.pause()
            assert all(stop.is_set() for stop in stops.values())
            await settled(screen, pilot)
            assert "4 nodes: 1 repaired, 1 at work, 0 waiting, 2 to look at" in text(pilot)
            assert screen.check_action("stop_all", ()) is None


async def test_what_is_not_at_work_cannot_be_stopped(feed: RepairFeed) -> None:
    with feed.controls.offering(feed.nodes[2:]):
        async with shown(feed) as (screen, pilot):
            assert screen.check_action("stop_node", ()) is None
            await pilot.press("x")
            assert pilot.app.screen is screen
            await pilot.press("down")
            assert screen.check_action("stop_node", ()) is True


async def test_read_only_stops_nothing(feed: RepairFeed) -> None:
    with feed.controls.offering(feed.nodes) as stops:
        async with shown(feed, read_only=True) as (screen, pilot):
            await pilot.press("down", "x", "X")
            assert pilot.app.screen is screen
            assert not any(stop.is_set() for stop in stops.values())
            assert screen.check_action("raw_lines", ()) is True


async def test_after_a_failure_next_repairs_only_what_is_not_proven(feed: RepairFeed) -> None:
    failure = StepFailed(step=STEP, problem="the repair is not proven on 10.0.0.2", remedy="mend it, then retry")
    feed.feed(failure)
    step = feed.bridge.view.steps[STEP].step
    decided = asyncio.create_task(feed.bridge.after_failure(step, failure))
    async with shown(feed, (160, 50)) as (_, pilot):
        seen = text(pilot)
        assert "FAILED: the repair is not proven on 10.0.0.2" in seen
        assert "Next repairs only what is not proven: 39 ranges on 3 nodes" in seen
        await pilot.press("n")
        assert await decided is Choice.RETRY


async def test_details_of_a_node_hold_the_failure_as_a_whole(feed: RepairFeed) -> None:
    remedy = "Bring back the nodes that did not answer, look for a full disk, " * 5 + "then retry."
    feed.fail("the repair is not proven on 10.0.0.2", remedy)
    async with shown(feed) as (_, pilot):
        assert "then retry." not in words(pilot)
        assert "d shows all of it" in words(pilot)
        await pilot.press("d")
        await pilot.pause()
        await pilot.press("end")
        await pilot.pause()
        assert "then retry." in words(pilot)


async def test_the_plan_and_the_guards_one_key_away(feed: RepairFeed) -> None:
    async with shown(feed) as (screen, pilot):
        assert "will:" not in text(pilot)
        await pilot.press("v")
        await pilot.pause()
        assert "will: repair _transactions, _transactions2 of" in text(pilot)
        await pilot.press("v")
        assert screen.focused is screen.table


async def test_all_that_is_known_of_a_node(feed: RepairFeed) -> None:
    async with shown(feed) as (_, pilot):
        await pilot.press("d")
        await pilot.pause()
        seen = words(pilot)
        assert "nodetool ended with 1, which proves nothing" in seen
        assert "Attempt 1 was judged not-repaired: Endpoint 10.0.0.3 died" in seen
        assert f"failed: {feed.ranges[feed.nodes[1]][5]}" in seen


async def test_without_the_ring_there_is_room_for_more_nodes(feed: RepairFeed) -> None:
    async with shown(feed) as (screen, pilot):
        before = screen.table.size.height
        await pilot.press("g")
        await pilot.pause()
        assert screen.table.size.height == before + 3
        assert "25 of 64 ranges" in text(pilot)


async def test_it_lives_through_every_size(feed: RepairFeed) -> None:
    async with shown(feed) as (screen, pilot):
        for size in ((160, 50), (60, 15), (20, 8), (1, 1), (300, 90), (80, 24)):
            await pilot.resize_terminal(*size)
            await settled(screen, pilot)
            lines = screen_lines(pilot.app)
            assert len(lines) == size[1]
        assert "25 of 64 ranges  39%" in text(pilot)


async def test_ascii_is_ascii(feed: RepairFeed) -> None:
    look = Look.chosen(ascii_only=True, environment={})
    async with shown(feed, look=look) as (screen, pilot):
        assert text(pilot).isascii()
        await pilot.press("enter")
        await pilot.pause()
        assert pilot.app.screen is not screen
        assert text(pilot).isascii()


async def test_colour_is_not_the_only_carrier(feed: RepairFeed) -> None:
    """Each state has its letter in the ring and its word in the table."""
    look = Look.chosen(no_color=True, environment={})
    async with shown(feed, look=look) as (_, pilot):
        lines = screen_lines(pilot.app)
        track = lines[2]
        assert set(track.strip()) == set("DFURW")
        seen = "\n".join(lines)
        for word in ("failed", "running", "waiting", "repaired"):
            assert word in seen
