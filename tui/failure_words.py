"""A step's failure in words: what failed, what to do, and then the evidence."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from atlasdb_recovery.events import StepFailed
from tui.figures import counted
from tui.look import Look

ALL_OF_IT = "d shows all of it"


def failure_text(
    failure: StepFailed, evidence: Sequence[str], look: Look, console: Console, *, width: int, room: int
) -> Text:
    """In `room` rows of `width` cells. What to do is not given up for evidence; a last row says what was left out."""

    def rows(text: str, style: str = "") -> list[Text]:
        return list(Text(text, style=style).wrap(console, width))

    problem = rows(f"{look.glyphs.failed} FAILED: {failure.problem}", "bold")
    remedy = rows(f"  {look.glyphs.arrow} {failure.remedy}", "bold") if failure.remedy else []
    told = [rows(f"    {line}") for line in evidence]
    if len(problem) + len(remedy) + sum(map(len, told)) <= room:
        return Text("\n").join([*problem, *remedy, *(row for each in told for row in each)])
    left = max(room - 1, 2)
    problem = problem[: max(left - len(remedy), left // 3, 1)]
    shown = [*problem, *remedy[: left - len(problem)]]
    while told and len(shown) + len(told[0]) <= left:
        shown += told.pop(0)
    more = f"{counted(len(told), 'more line')} of evidence: " if told else ""
    return Text("\n").join([*shown, Text(f"  {more}{ALL_OF_IT}", style="dim")])


def whole_failure(failure: StepFailed) -> str:
    """All of it, for reading."""
    remedy = f"\n\nWhat to do: {failure.remedy}" if failure.remedy else ""
    evidence = "".join(f"\n  {line}" for line in failure.evidence)
    return f"FAILED: {failure.problem}{remedy}" + (f"\n\nEvidence:{evidence}" if evidence else "")
