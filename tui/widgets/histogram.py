"""Commits around B as a picture: how many lie how far below it and stay, and how far beyond it and go."""

from collections.abc import Mapping
from math import log1p
from typing import NamedTuple

from rich.text import Text
from textual.app import RenderResult
from textual.widget import Widget

from tui.look import Look

EIGHTHS = " ▁▂▃▄▅▆▇█"
THIRDS = " .:#"
"""The same in ASCII."""
LOWEST = 4
"""Rows without which it is no picture: counts, one row of bars, the axis, its labels."""


class Sides(NamedTuple):
    """Bars from the middle outwards, and how far the outermost bucket reaches."""

    below: list[int]
    beyond: list[int]
    reach_below: int
    reach_beyond: int


def sides(histogram: Mapping[str, int], columns: int) -> Sides:
    """At most so many bars on each side; neighbours are added up where there are more buckets.

    `histogram` is that of `Findings`: bucket k counts the commits at a distance of [2^(|k|-1), 2^|k|) from B; those at
    or below B have k < 0, and -1 is B itself.
    """
    counts = {int(bucket): count for bucket, count in histogram.items()}
    below = [counts.get(-k, 0) for k in range(1, max((-k for k in counts if k < 0), default=0) + 1)]
    beyond = [counts.get(k, 0) for k in range(1, max((k for k in counts if k > 0), default=0) + 1)]
    merged = max(1, -(-max(len(below), len(beyond)) // max(columns, 1)))
    return Sides(
        [sum(below[at : at + merged]) for at in range(0, len(below), merged)],
        [sum(beyond[at : at + merged]) for at in range(0, len(beyond), merged)],
        2 ** len(below) - 2 if below else 0,
        2 ** len(beyond) - 1 if beyond else 0,
    )


class Histogram(Widget):
    """B in the middle; each bar doubles the distance. Heights are logarithmic: one single commit is still seen."""

    DEFAULT_CSS = "Histogram { height: 7; min-height: 4; } .-tall Histogram { height: 14; }"

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._histogram: Mapping[str, int] = {}

    def redraw(self, histogram: Mapping[str, int]) -> None:
        if histogram != self._histogram:
            self._histogram = dict(histogram)
            self.refresh()

    def render(self) -> RenderResult:
        return picture(self._histogram, self._look, self.size.width, self.size.height)


def picture(histogram: Mapping[str, int], look: Look, width: int, height: int) -> Text:
    """Lines of at most `width` cells, `height` of them."""
    half = (width - 1) // 2
    if half < 8 or height < LOWEST:
        return Text("")
    shown = sides(histogram, half)
    rows = height - 3
    left = [_bar(count, shown, rows, look) for count in reversed(shown.below)]
    right = [_bar(count, shown, rows, look) for count in shown.beyond]
    lines = [_counts(shown, look, half)]
    for row in range(rows):
        kept = "".join(bar[row] for bar in left).rjust(half)
        gone = "".join(bar[row] for bar in right)
        lines.append(Text.assemble((kept, "dim"), "|" if look.is_ascii else "│", (gone, "bold")))
    rule = look.glyphs.rule
    lines.append(Text(f"{rule * half}B{rule * half}"))
    lines.append(_reach(shown, half))
    return Text("\n").join(lines)


def _counts(shown: Sides, look: Look, half: int) -> Text:
    arrow = look.glyphs.arrow
    stay, go = f"{sum(shown.below):,} at or below B stay", f"{sum(shown.beyond):,} beyond B go {arrow}"
    return Text.assemble((stay[:half].rjust(half), "dim"), " ", (go[:half], "bold"))


def _reach(shown: Sides, half: int) -> Text:
    below = f"B - {shown.reach_below:,}" if shown.below else ""
    beyond = f"B + {shown.reach_beyond:,}" if shown.beyond else ""
    return Text(f"{below[:half]:<{half}} {beyond[:half]:>{half}}", style="dim")


def _bar(count: int, shown: Sides, rows: int, look: Look) -> str:
    """One bar from its top row down."""
    steps = THIRDS if look.is_ascii else EIGHTHS
    finest = len(steps) - 1
    highest = max((*shown.below, *shown.beyond, 1))
    height = max(round(log1p(count) / log1p(highest) * rows * finest), 1 if count else 0)
    return "".join(steps[min(max(height - finest * (rows - 1 - row), 0), finest)] for row in range(rows))
