"""What a procedure claims when it has ended: each claim, whether it is proven, and by what."""

from collections.abc import Callable
from typing import NamedTuple

from atlasdb_recovery.atlas.transactions import LOWEST_START
from atlasdb_recovery.journal.report.runbook import page
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.removal.description import narrowed_to
from atlasdb_recovery.procedure.session import VERIFIED, SessionState
from tui.removal_words import extent
from tui.session_view import SessionView

REPAIRED = "repaired"


class Claim(NamedTuple):
    """`words` as it is claimed if proven, else what remains unproven. `status` is that of its step."""

    step: str
    status: str
    words: str
    evidence: tuple[str, ...]

    @property
    def is_proven(self) -> bool:
        return self.status == VERIFIED


def claims(view: SessionView) -> list[Claim]:
    """One for each step, in their order."""
    return [_claim(view, name) for name in view.steps]


def is_complete(view: SessionView) -> bool:
    """Whether the session was completed, and every single claim is proven."""
    return view.state.outcome == "completed" and all(claim.is_proven for claim in claims(view))


def _claim(view: SessionView, name: str) -> Claim:
    state = view.state
    step = state.steps.get(name)
    if step is None or step.status != VERIFIED:
        status = "pending" if step is None else step.status
        problem = () if step is None or not step.problem else (step.problem,)
        return Claim(name, status, f"NOT proven: {page(state.procedure, name).unproven}", problem)
    words = _PROVEN.get(name)
    return Claim(name, step.status, view.steps[name].step.title if words is None else words(state), step.evidence)


def _repaired(state: SessionState) -> str:
    nodes = set((state.fact(facts.IDENTITY) or {}).get("nodes", {}).values())
    proven = sum(judged.verdict == REPAIRED for node, judged in state.repairs.items() if node in nodes)
    return f"repair proven on {proven} of {len(nodes)} nodes" if nodes and state.repairs else "repair proven"


def _removed(state: SessionState) -> str:
    after = state.fact(facts.BACKUP_TIMESTAMP)
    removed = (state.fact(facts.REMOVED) or {}).get("count")
    found = (state.fact(facts.FINDINGS) or {}).get("count")
    lowest = narrowed_to(state.step("clean-transactions").evidence)
    scanned = "" if lowest <= LOWEST_START else f": {extent(lowest)}"
    if removed:
        return f"{removed:,} transactions committed after B = {after} removed; scanned again{scanned}, 0 left"
    if found == 0:
        return f"nothing had to be removed: 0 transactions committed after B = {after}; scanned {extent(lowest)}"
    return f"scanned {extent(lowest)}: 0 transactions committed after B = {after}"


def _forwarded(state: SessionState) -> str:
    done = state.fact(facts.FAST_FORWARDED) or {}
    shown = f" {done['reached']}" if "reached" in done else ""
    if not done.get("bound_is_seen", True):
        return f"a fresh timestamp,{shown}, was above F = {state.fact(facts.FAST_FORWARD_TIMESTAMP)}"
    return f"the bound{shown} was read back at or above F = {state.fact(facts.FAST_FORWARD_TIMESTAMP)}"


def _fresh(state: SessionState) -> str:
    return f"all of it looked at once more; a fresh timestamp is above F = {state.fact(facts.FAST_FORWARD_TIMESTAMP)}"


def _fetched_backup(state: SessionState) -> str:
    return f"B = {state.fact(facts.BACKUP_TIMESTAMP)} fetched before the store was backed up"


def _fetched_forward(state: SessionState) -> str:
    return f"F = {state.fact(facts.FAST_FORWARD_TIMESTAMP)} fetched after the store was backed up"


_PROVEN: dict[str, Callable[[SessionState], str]] = {
    "repair": _repaired,
    "clean-transactions": _removed,
    "fast-forward": _forwarded,
    "prove": _fresh,
    "fetch-backup-timestamp": _fetched_backup,
    "fetch-fast-forward-timestamp": _fetched_forward,
}
