"""Timestamps in their order, from low to high: where the service is, where it has to be, what lies below it.

A stored bound can be read, and is written; of TimeLock, or of a running service, only fresh timestamps are seen.
"""

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
    done = state.fact(names.FAST_FORWARDED)
    rungs = _rungs(facts, state)
    shown = Text()
    width = max(len(f"{rung.at:,}") for rung in rungs)
    for rung in sorted(rungs, key=lambda one: (one.at, one.label == "F")):
        style = "bold" if rung.label.startswith(("F", "bound", "fresh")) else ""
        shown.append(f"{rung.at:>{width},}  ", style=style)
        shown.append(f"{rung.label:{LABEL}} ", style=style)
        shown.append(f"{rung.words}\n", style="dim")
    if done is not None:
        return shown
    if facts["bound"] is None:
        none = "There is no stored bound: none was restored." if _bound_is_seen(facts) else "It has no timestamps yet."
        shown.append(f"{none}\n", style="bold")
    if facts.get("is_far"):
        far = facts["target"] - (facts["bound"] or 0)
        limit = "the bound" if _bound_is_seen(facts) else "the timestamps handed out now"
        shown.append(
            f"{look.glyphs.warned} F lies {far:,} above {limit}: a likely typing error. You will be asked first.\n",
            style="bold",
        )
    return shown


def _rungs(facts: Mapping[str, Any], state: SessionState) -> list[Rung]:
    is_seen, done = _bound_is_seen(facts), state.fact(names.FAST_FORWARDED)
    rungs = [Rung(facts["target"], "F", "the bound must reach it" if is_seen else "fresh ones must be above it")]
    if (backup := state.fact(names.BACKUP_TIMESTAMP)) is not None:
        rungs.append(Rung(backup, "B", "later commits are removed"))
    if highest := (state.fact(names.FINDINGS) or {}).get("highest"):
        rungs.append(Rung(highest, "highest", "start or commit in the tables"))
    if done is not None:
        rungs.append(
            Rung(done["reached"], "bound", "read back")
            if _bound_is_seen(done)
            else Rung(done["reached"], "fresh", "handed out afterwards" if done["changed"] else "handed out")
        )
    elif facts["bound"] is not None:
        rungs.append(
            Rung(facts["bound"], "bound now", "as restored")
            if is_seen
            else Rung(facts["bound"], "fresh now", "handed out for this look")
        )
    return rungs


def writes_text(facts: Mapping[str, Any], state: SessionState, look: Look) -> Text:
    """What will be written or asked for, and afterwards what was."""
    done = state.fact(names.FAST_FORWARDED)
    if done is not None:
        said = _bound_raised(done) if _bound_is_seen(done) else _timestamps_raised(done)
        return Text(f"{look.glyphs.done} {said}", style="bold")
    is_seen = _bound_is_seen(facts)
    service = facts.get("service", "the timestamp service")
    shown = Text.assemble(("Will be written to " if is_seen else "Will be asked of ", "bold"), f"{service}\n")
    if not facts.get("writes"):
        return shown.append(f"nothing: {'the bound is at or' if is_seen else 'its timestamps are'} above F already")
    for line in facts["writes"]:
        shown.append(f"{line}\n")
    checked = (
        "Only if the bound is still as read, at SERIAL, then read back."
        if is_seen
        else "Only if a fresh timestamp is not above F already; then another must be."
    )
    shown.append(checked, style="dim")
    return shown


def _bound_is_seen(facts: Mapping[str, Any]) -> bool:
    """Of a plan or of what was done; every bound was, in sessions from before this was on record."""
    return bool(facts.get("bound_is_seen", True))


def _bound_raised(done: Mapping[str, Any]) -> str:
    if not done["changed"]:
        return f"nothing had to be written: the bound is {done['reached']:,}"
    before = "nothing" if done["before"] is None else f"{done['before']:,}"
    return f"the bound was {before}, is {done['reached']:,}: read back"


def _timestamps_raised(done: Mapping[str, Any]) -> str:
    if not done["changed"]:
        return f"nothing had to be asked for: a fresh timestamp was {done['reached']:,}"
    before = "there was none before" if done["before"] is None else f"a fresh timestamp was {done['before']:,} before"
    return f"{before}, and {done['reached']:,} afterwards"
