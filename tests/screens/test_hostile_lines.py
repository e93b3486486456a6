"""Whatever nodes print, the repair's screen and its raw lines stay as they are drawn: every line as wide as the
terminal, nothing in it that a terminal would obey."""

from collections.abc import Iterator

import pytest
from textual.pilot import Pilot

from atlasdb_recovery.foreign import plain
from screens.repair import RepairScreen
from tests.screens.conftest import screen_lines
from tests.screens.hostile import assert_intact, hostile_texts
from tests.screens.repair_feed import RepairApp, RepairFeed
from tui.look import Look

SIZE = (80, 24)
EACH_TIME = 12


@pytest.fixture
def feed() -> RepairFeed:
    feed = RepairFeed(EACH_TIME, 4)
    feed.begin()
    for node in feed.nodes:
        feed.start(node)
    return feed


async def shown_lines(pilot: Pilot[None], feed: RepairFeed, lines: list[str]) -> None:
    """Each is the last line of a node, one is the reason of a failure, and all are among one node's raw lines."""
    for node, line in zip(feed.nodes, lines, strict=False):
        feed.line(node, plain(line))
        feed.line(feed.nodes[0], plain(line), stream="err")
    feed.ask(feed.nodes[1], plain(lines[0]), repairing=None)
    feed.judge(feed.nodes[2], "not-repaired", plain(lines[-1]))
    assert isinstance(pilot.app.screen, RepairScreen)
    pilot.app.screen.redraw()
    await pilot.pause()
    assert plain(lines[-1])[:8].rstrip() in "\n".join(screen_lines(pilot.app))
    assert_intact(pilot.app)


def long_lines() -> Iterator[list[str]]:
    yield ["x" * 1_000_000, "修" * 1_000_000, "\x1b[31m" * 200_000, "[" * 1_000_000, " " * 1_000_000]


async def test_a_thousand_hostile_lines_leave_the_screen_as_it_is(feed: RepairFeed) -> None:
    """In one application: a screen is dear, and what one line did must not be mended by a new screen."""
    generated = [*long_lines(), *hostile_texts(90, EACH_TIME)]
    assert sum(map(len, generated)) >= 1_000
    app = RepairApp(feed.bridge, Look.chosen(environment={}))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        for lines in generated:
            await shown_lines(pilot, feed, lines)
        await pilot.press("d")
        await pilot.pause()
        assert_intact(pilot.app)
        await pilot.press("escape", "end", "enter")
        await pilot.pause()
        for _ in range(12):
            await pilot.press("pageup")
            assert_intact(pilot.app)
