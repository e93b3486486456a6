"""The removal as it goes on: exported, removed, scanned again, and what is left in the end."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.removal.description import narrowed_to
from atlasdb_recovery.procedure.session import SessionState
from tui.look import Look
from tui.removal_words import extent, from_start
from tui.session_view import StepView
from tui.widgets.banner import elapsed
from tui.widgets.steady_text import SteadyText

BAR = 12
NOT_ON_RECORD = "its end is not on record; the scan afterwards found none left"
PENDING, RUNNING, DONE, FAILED, INTERRUPTED = "pending", "running", "verified", "failed", "interrupted"


class RemovalStages(SteadyText):
    """Hidden until there is something to tell."""

    DEFAULT_CSS = """
    RemovalStages { height: auto; display: none; }
    RemovalStages.-shown { display: block; }
    """

    def __init__(self, look: Look) -> None:
        super().__init__(grows=True)
        self._look = look

    def redraw(self, step: StepView, state: SessionState, *, is_working: bool) -> None:
        shown = stages_text(step, state, self._look, is_working=is_working)
        self.set_class(bool(shown.plain), "-shown")
        self.show(shown)


def stages_text(step: StepView, state: SessionState, look: Look, *, is_working: bool) -> Text:
    """Empty before the first scan. `is_working`: the engine is at this step and waits for nobody."""
    status = state.step(step.step.name).status
    shown = Text("")
    if step.began is not None or status == DONE:
        shown = _stages(step, state, look, status)
    scan = step.paces.get(("cells read", "scan"))
    if is_working and scan is not None and status != DONE:
        shown.append("\n" if shown.plain else "")
        shown.append(f"{look.glyphs.running} looking  ", style="bold")
        shown.append(f"{scan.describe()} at ALL; nothing is changed by that")
    return shown


def _stages(step: StepView, state: SessionState, look: Look, status: str) -> Text:
    count = int(step.plan.facts.get("count", 0)) if step.plan is not None else 0
    is_over = status == DONE
    export, removed = state.fact(facts.EXPORT), state.fact(facts.REMOVED)
    is_exported = export is not None and _is_of(step, export)
    is_removed = is_exported and removed is not None and removed.get("export") == export.get("path")
    at_it = INTERRUPTED if step.is_interrupted else FAILED if status == FAILED else RUNNING
    marks = _marks(is_over or is_exported, is_over or is_removed, is_over, at_it=at_it)
    rows = [
        (marks[0], "exported", _exported(step, count, export if is_exported else None, is_over=is_over)),
        (marks[1], "removed", _removed(step, count, look, is_done=is_removed, is_over=is_over)),
        (marks[2], "rescanned", _rescanned(step, state, look, is_done=is_over)),
        (marks[3], "proof", _left(state, is_over=is_over)),
    ]
    if is_over and not count:
        rows = rows[2:]
    shown = Text(f"{step.lasted} {elapsed(step.seconds or 0)}")
    for mark, label, words in rows:
        shown.append(
            f"\n{look.glyphs.of(mark)} {label:10}", style="bold" if mark in {RUNNING, FAILED, INTERRUPTED} else ""
        )
        shown.append(words, style="dim" if mark == PENDING else "bold" if label == "proof" else "")
    return shown


def _is_of(step: StepView, export: Mapping[str, Any]) -> bool:
    """Whether this export is that of the plan; an interrupted removal leaves an older one behind."""
    return step.plan is None or export.get("path") == step.plan.facts.get("export")


def _marks(*done: bool, at_it: str) -> list[str]:
    """One after the other: what is done, then what is at work, has failed or was interrupted, then what waits."""
    marks: list[str] = []
    for is_done in (*done, done[-1]):
        if is_done:
            marks.append(DONE)
        else:
            marks.append(PENDING if at_it in marks else at_it)
    return marks


def _exported(step: StepView, count: int, export: Mapping[str, Any] | None, *, is_over: bool) -> str:
    if export is not None:
        return f"{export.get('count', 0):,} rows as they were, fsynced: {export.get('path')}"
    if is_over:
        return NOT_ON_RECORD
    pace = step.paces.get(("transactions exported", "export"))
    return "the rows as they are, before any is touched" if pace is None else f"{step.far(pace)} of {count:,}"


def _removed(step: StepView, count: int, look: Look, *, is_done: bool, is_over: bool) -> str:
    if is_done:
        return f"{count:,} of {count:,}, each read back at ALL"
    if is_over:
        return NOT_ON_RECORD
    return _going(step, ("transactions removed", "remove"), look) or f"{count:,}, each read back"


def _rescanned(step: StepView, state: SessionState, look: Look, *, is_done: bool) -> str:
    """What is proven is as wide as its evidence says, whatever was planned: settings may change before a resume."""
    if is_done:
        return extent(narrowed_to(state.step(step.step.name).evidence))
    planned = {} if step.plan is None else step.plan.facts
    return _going(step, ("cells read", "rescan"), look) or extent(from_start(planned))


def _left(state: SessionState, *, is_over: bool) -> str:
    if not is_over:
        return "that none is left"
    return f"0 transactions committed after B = {state.fact(facts.BACKUP_TIMESTAMP)} are left"


def _going(step: StepView, counted: tuple[str, str], look: Look) -> str:
    pace = step.paces.get(counted)
    if pace is None:
        return ""
    fraction = pace.fraction or 0.0
    full = round(BAR * fraction)
    return f"{look.glyphs.full * full}{look.glyphs.empty * (BAR - full)} {step.far(pace)}"
