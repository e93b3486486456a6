"""The repair, node by node: each attempt's verdict, and the token ranges proven repaired."""

import msgspec

from atlasdb_recovery.events import RepairJudged
from atlasdb_recovery.journal.report.story import Story

ROW, TOP, LEFT, WIDTH = 34, 30, 170, 900
CELL, CELL_GAP, MOST_CELLS = 9.0, 2.0, 36
BADGE = 24
SIGNS = {"repaired": ("good", "✓"), "not-repaired": ("bad", "✗")}
UNKNOWN = ("open", "?")


class Badge(msgspec.Struct, frozen=True):
    """One attempt."""

    x: int
    tone: str
    sign: str
    title: str


class Cell(msgspec.Struct, frozen=True):
    """One token range, or all of them where there are too many to tell apart."""

    x: float
    width: float
    title: str


class NodeRow(msgspec.Struct, frozen=True):
    y: int
    node: str
    badges: tuple[Badge, ...]
    cells: tuple[Cell, ...]
    words: str


class RepairPicture(msgspec.Struct, frozen=True):
    rows: tuple[NodeRow, ...]
    cells_at: int
    words_at: int
    height: int
    width: int = WIDTH


def repair_picture(story: Story) -> RepairPicture | None:
    """None if no repair was judged."""
    if not story.repairs:
        return None
    attempts = min(max(map(len, story.repairs.values())), 6)
    cells_at = LEFT + max(attempts, 3) * (BADGE + 4) + 14
    most = max(len(judged[-1].repaired_ranges) for judged in story.repairs.values())
    rows = tuple(
        _row(node, judged, TOP + ROW * number, most)
        for number, (node, judged) in enumerate(sorted(story.repairs.items()))
    )
    widest = int(max((cell.x + cell.width for row in rows for cell in row.cells), default=0.0))
    return RepairPicture(rows, cells_at, cells_at + widest + 14, TOP + ROW * len(rows) + 4)


def _row(node: str, judged: list[RepairJudged], y: int, most: int) -> NodeRow:
    last = judged[-1]
    proven = last.repaired_ranges
    ranges = f"{len(proven):,} token range{'' if len(proven) == 1 else 's'}"
    tries = f"{len(judged)} attempt{'' if len(judged) == 1 else 's'}"
    return NodeRow(y, node, _badges(judged), _cells(proven, most), f"{last.verdict} · {ranges} · {tries}")


def _badges(judged: list[RepairJudged]) -> tuple[Badge, ...]:
    badges = []
    for number, one in enumerate(judged[-6:]):
        tone, sign = SIGNS.get(one.verdict, UNKNOWN)
        title = f"attempt {one.attempt}: {one.verdict}. {'; '.join(one.reasons)}"
        badges.append(Badge(LEFT + number * (BADGE + 4), tone, sign, title))
    return tuple(badges)


def _cells(ranges: tuple[str, ...], most: int) -> tuple[Cell, ...]:
    if most <= MOST_CELLS:
        return tuple(Cell(i * (CELL + CELL_GAP), CELL, text) for i, text in enumerate(ranges))
    whole = MOST_CELLS * (CELL + CELL_GAP)
    return (Cell(0.0, whole * len(ranges) / most, f"{len(ranges):,} ranges"),) if ranges else ()
