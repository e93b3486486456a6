"""What the repair's board says in words: of the whole ring, and all that is known of one node."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from atlasdb_recovery.events import StepFailed
from tui.figures import age, counted, rate, share, size
from tui.glyphs import Glyphs
from tui.node_columns import said
from tui.repair_board import NodeRow, NodeStatus, RepairBoard
from tui.ring_map import RangeState
from tui.widgets.token_ring import LEGEND

BAR = 20


def summary(board: RepairBoard, now: float, glyphs: Glyphs, *, failure: StepFailed | None) -> list[Text]:
    """Four lines: progress; what failed, apart from it; the nodes; how to read the ring. `failure`: the step's."""
    counts = Counter(row.status(now) for row in board.rows.values())
    return [
        _progress(board, now, glyphs),
        _failures(board, counts, now, glyphs),
        _nodes(board, counts) if failure is None else _left(board),
        Text(LEGEND, style="dim"),
    ]


def _progress(board: RepairBoard, now: float, glyphs: Glyphs) -> Text:
    done = sum(row.done for row in board.rows.values())
    total = sum(row.expected or 0 for row in board.rows.values())
    full = BAR * done // total if total else 0
    speed = sum(row.rate(now) or 0.0 for row in board.rows.values())
    shown = Text(f"{glyphs.full * full}{glyphs.empty * (BAR - full)} ", style="bold")
    shown.append(f"{done:,} of {total:,} ranges  {share(done, total)}", style="bold")
    if speed:
        shown.append(f"  {rate(speed)}, about {age((total - done) / speed)} left")
    return shown


def _nodes(board: RepairBoard, counts: Counter[NodeStatus]) -> Text:
    at_work = counts[NodeStatus.RUNNING] + counts[NodeStatus.PROVING]
    to_look_at = len(board.rows) - at_work - counts[NodeStatus.WAITING] - counts[NodeStatus.REPAIRED]
    shown = Text(f"{counted(len(board.rows), 'node')}: {counts[NodeStatus.REPAIRED]} repaired, {at_work} at work, ")
    shown.append(f"{counts[NodeStatus.WAITING]} waiting")
    return shown.append(f", {to_look_at} to look at", style="bold") if to_look_at else shown


def _left(board: RepairBoard) -> Text:
    """What another attempt would do."""
    left = [(row.expected or 0) - row.done for row in board.rows.values() if row.state is not NodeStatus.REPAIRED]
    what = f"{counted(sum(left), 'range')} on {counted(len(left), 'node')}"
    return Text(f"Next repairs only what is not proven: {what}", style="bold")


def _failures(board: RepairBoard, counts: Counter[NodeStatus], now: float, glyphs: Glyphs) -> Text:
    told = []
    where = sum(1 for row in board.rows.values() if row.failed)
    if ranges := board.ring.count(RangeState.FAILED) or sum(row.failed for row in board.rows.values()):
        told.append(f"{counted(ranges, 'range')} FAILED on {counted(where, 'node')}")
    if unproven := counts[NodeStatus.UNKNOWN] + counts[NodeStatus.STOPPED]:
        told.append(f"{counted(unproven, 'node')} unproven or stopped")
    if counts[NodeStatus.INTERRUPTED]:
        told.append(f"{counted(counts[NodeStatus.INTERRUPTED], 'node')} interrupted")
    if counts[NodeStatus.SILENT]:
        longest = max(row.silence(now) or 0.0 for row in board.rows.values())
        told.append(f"{counts[NodeStatus.SILENT]} silent for {age(longest)}")
    if not told:
        return Text(f"{glyphs.done} no failure so far", style="dim")
    return Text(f"{glyphs.warned} {'; '.join(told)}", style="bold")


def detail(row: NodeRow, position: str, now: float) -> list[Text]:
    """Three lines on one node."""
    status = row.status(now)
    first = Text.assemble((f"{row.node}  {status}", "bold"), f"  {position}")
    if row.attempt:
        first.append(f"  attempt {row.attempt}")
    expected = "?" if row.expected is None else f"{row.expected:,}"
    first.append(f"  {row.done:,} of {expected} ranges, {row.failed} failed")
    return [first, Text(said(row, now) or "no line yet"), Text(_figures(row, now), style="dim")]


def _figures(row: NodeRow, now: float) -> str:
    told = []
    if row.heard is not None:
        told.append(f"last line {age(now - row.heard)} ago")
    for word, amount in (("validated", row.validated), ("streamed", row.streamed)):
        if amount is not None:
            done, total = amount
            told.append(f"{word} {size(done)}" + ("" if total is None else f" of {size(total)}"))
    if row.answered is not None:
        told.append(f"server asked {age(now - row.answered)} ago")
    return "; ".join(told) or ("begun" if row.attempt else "not begun")


def all_of(row: NodeRow, now: float, command: Sequence[str]) -> Text:
    """Everything, for reading."""
    text = Text("\n").join(detail(row, "", now))
    if command:
        text.append(f"\n\n{' '.join(command)}")
    if row.exit_code is not None:
        text.append(f"\n\nnodetool ended with {row.exit_code}, which proves nothing")
    if row.answered is not None:
        text.append(f"\n\nThe server, asked {age(now - row.answered)} ago: {row.answer}")
    if row.goes_on:
        text.append(f"\n\nStopped. {row.goes_on}")
    if row.judged is not None:
        text.append(f"\n\nAttempt {row.judged.attempt} was judged {row.judged.verdict}:", style="bold")
        for reason in row.judged.reasons:
            text.append(f"\n  {reason}")
        for span in row.judged.failed:
            text.append(f"\n  failed: {span}")
    if row.last_line:
        text.append(f"\n\nlast line: {row.last_line}")
    return text
