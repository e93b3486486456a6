"""Timestamps in their order, from low to high: where the bound is, where it has to be, what lies below it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from rich.text import Text

from atlasdb_recovery.procedure import facts as names
from atlasdb_recovery.procedure.session import SessionState
from tui.look import Look

LABEL = 10


class Rung(NamedTuple):
    at: int
    label: str
    words: str


def ladder_text(facts: Mapping[str, Any], state: SessionState, look: Look) -> Text:
    """`facts` are those of the fast-forward's plan."""
    target, bound = facts["target"], facts["bound"]
    done = state.fact(names.FAST_FORWARDED)
    rungs = [Rung(target, "F", "the bound must reach it")]
    if (backup := state.fact(names.BACKUP_TIMESTAMP)) is not None:
        rungs.append(Rung(backup, "B", "later commits are removed"))
    if highest := (state.fact(names.FINDINGS) or {}).get("highest"):
        rungs.append(Rung(highest, "highest", "start or commit in the tables"))
    if done is not None:
        rungs.append(Rung(done["reached"], "bound", "read back"))
    elif bound is not None:
        rungs.append(Rung(bound, "bound now", "as restored"))
    shown = Text()
    width = max(len(f"{rung.at:,}") for rung in rungs)
    for rung in sorted(rungs, key=lambda one: (one.at, one.label == "F")):
        style = "bold" if rung.label.startswith(("F", "bound")) else ""
        shown.append(f"{rung.at:>{width},}  ", style=style)
        shown.append(f"{rung.label:{LABEL}} ", style=style)
        shown.append(f"{rung.words}\n", style="dim")
    if bound is None and done is None:
        shown.append("There is no stored bound: none was restored.\n", style="bold")
    if facts.get("is_far") and done is None:
        far = target - (bound or 0)
        shown.append(
            f"{look.glyphs.warned} F lies {far:,} above the bound: a likely typing error. You will be asked first.\n",
            style="bold",
        )
    return shown


def writes_text(facts: Mapping[str, Any], state: SessionState, look: Look) -> Text:
    """What will be written, and afterwards what was."""
    done = state.fact(names.FAST_FORWARDED)
    if done is not None:
        before = "nothing" if done["before"] is None else f"{done['before']:,}"
        said = (
            f"the bound was {before}, is {done['reached']:,}: read back"
            if done["changed"]
            else f"nothing had to be written: the bound is {done['reached']:,}"
        )
        return Text(f"{look.glyphs.done} {said}", style="bold")
    shown = Text.assemble(("Will be written to ", "bold"), f"{facts.get('service', 'the timestamp service')}\n")
    if not facts.get("writes"):
        return shown.append("nothing: the bound is at or above F already")
    for line in facts["writes"]:
        shown.append(f"{line}\n")
    shown.append("Only if the bound is still as read, at SERIAL, then read back.", style="dim")
    return shown
