"""A plan that is not the one before: said plainly, with the old and the new counts."""

from typing import Any

from atlasdb_recovery.events import PlanMade
from tui.session_view import StepView


def plan_change(step: StepView) -> tuple[str, ...]:
    """In sentences; () where the plan is the first, or still the same."""
    old, new = step.replaced, step.plan
    if old is None or new is None:
        return ()
    said = [f"THE PLAN HAS CHANGED: {_difference(old, new)}"]
    if step.confirmed and step.confirmed != new.fingerprint:
        said.append("What was typed for the plan before is void.")
    return tuple(said)


def _difference(old: PlanMade, new: PlanMade) -> str:
    before, after = old.facts.get("count"), new.facts.get("count")
    if isinstance(before, int) and isinstance(after, int):
        if before != after:
            return f"{before:,} before, {after:,} now ({after - before:+,})"
        return f"still {after:,} transactions, but {_which(old.facts, new.facts)}"
    if old.title != new.title:
        return f"before: {old.title}; now: {new.title}"
    fresh = [line for line in new.lines if line not in old.lines]
    return "; ".join(fresh[:3]) or "lines are gone"


def _which(old: dict[str, Any], new: dict[str, Any]) -> str:
    if old.get("digest") != new.get("digest"):
        return "they are not the same ones"
    if old.get("export") != new.get("export"):
        return f"their pre-images go to {new.get('export')} now"
    return "what else it depends on is not as it was"
