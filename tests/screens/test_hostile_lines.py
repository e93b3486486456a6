"""Whatever nodes print, the repair's screen and its raw lines stay as they are drawn: every line as wide as the
terminal, nothing in it that a terminal would obey."""

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.pilot import Pilot

from atlasdb_recovery.foreign import plain
from screens.repair import RepairScreen
from tests.screens.conftest import screen_lines
from tests.screens.repair_feed import RepairApp, RepairFeed
from tui.look import Look

SIZE = (80, 24)
EACH_TIME = 12
SEQUENCES = (
    "\x1b[2J",
    "\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGVsbG8=\x07",
    "\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "\x1bPq#0;2;0;0;0\x1b\\",
    "\x9b31m",
    "\x90",
    "\x07",
    "\r",
    "\x08",
    "\x0b",
    "\n",
    "[bold red]x[/]",
    "[/foo]",
    "[link=http://evil.example]x[/link]",
    "[@click=app.quit]x[/]",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u200d",
    "\ufeff",
    "\ufe0f",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1e9\U0001f1ea",
    "e" + "\u0301" * 40,
    "修復",
    "\ud800",
    "\U000e0001",
    "\u2028",
    "\t",
    "\0",
)
HOSTILE = st.lists(
    st.one_of(st.sampled_from(SEQUENCES), st.text(st.characters(codec=None), max_size=12)), min_size=1, max_size=8
).map("".join)


def intact(pilot: Pilot[None]) -> None:
    lines = screen_lines(pilot.app)
    assert len(lines) == SIZE[1]
    for line in lines:
        assert cell_len(line) == sum(map(cell_len, line)) == SIZE[0], ascii(line)
        assert all(unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Mn"} for character in line), ascii(line)


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
    intact(pilot)


def example_lines() -> Iterator[list[str]]:
    yield [sequence * 20 for sequence in SEQUENCES[:EACH_TIME]]
    yield [sequence * 20 for sequence in SEQUENCES[EACH_TIME : 2 * EACH_TIME]]
    yield ["x" * 1_000_000, "修" * 1_000_000, "\x1b[31m" * 200_000, "[" * 1_000_000, " " * 1_000_000]


async def test_a_thousand_hostile_lines_leave_the_screen_as_it_is(feed: RepairFeed) -> None:
    """Generated all at once: a screen is dear, and what one line did must not be mended by a new screen."""
    generated: list[list[str]] = list(example_lines())

    @settings(
        max_examples=90,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(HOSTILE, min_size=EACH_TIME, max_size=EACH_TIME))
    def generate(lines: list[str]) -> None:
        generated.append(lines)

    generate()
    assert sum(map(len, generated)) >= 1_000
    app = RepairApp(feed.bridge, Look.chosen(environment={}))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        for lines in generated:
            await shown_lines(pilot, feed, lines)
        await pilot.press("d")
        await pilot.pause()
        intact(pilot)
        await pilot.press("escape", "end", "enter")
        await pilot.pause()
        for _ in range(12):
            await pilot.press("pageup")
            intact(pilot)
