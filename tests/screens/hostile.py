"""Text that would move a cursor, set a title or a clipboard, follow a link, or leave a line wider than it seems."""

import unicodedata
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Footer

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
DRAWN_WITHIN = 1_000
HIDDEN = {"Cc", "Cf", "Cs", "Mn"}


def hostile_texts(count: int, each: int) -> list[list[str]]:
    """So many lists of so many texts; the first ones hold every known sequence. The same ones every time."""
    found = [[SEQUENCES[(at + n) % len(SEQUENCES)] * 20 for n in range(each)] for at in range(0, len(SEQUENCES), each)]

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(HOSTILE, min_size=each, max_size=each))
    def generate(texts: list[str]) -> None:
        found.append(texts)

    generate()
    return found


async def until_drawn(pilot: Pilot[Any]) -> None:
    """A footer is built anew, a moment after what it depends on."""
    await pilot.pause()
    for _ in range(DRAWN_WITHIN):
        screen = pilot.app.screen
        if not screen.query(Footer) or screen._compositor.render_strips()[-1].text.strip():
            return
        await pilot.pause(0.01)


def assert_intact(app: App[Any]) -> list[str]:
    """Every line is as wide as the screen and has nothing in it that a terminal would obey; the lines."""
    strips = app.screen._compositor.render_strips()
    assert len(strips) == app.size.height
    for strip in strips:
        _assert_whole(strip, app.size.width)
    return [strip.text for strip in strips]


def _assert_whole(strip: Strip, width: int) -> None:
    text = strip.text
    assert cell_len(text) == sum(map(cell_len, text)) == strip.cell_length == width, ascii(text)
    assert all(unicodedata.category(character) not in HIDDEN for character in text), ascii(text)
    for segment in strip:
        assert not segment.control
        assert segment.style is None or not (segment.style.link or "@click" in segment.style.meta), ascii(text)
