"""The contract every step of a procedure keeps."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from atlasdb_recovery.events import Event
from atlasdb_recovery.procedure.plan import Plan

if TYPE_CHECKING:
    from atlasdb_recovery.procedure.context import Context
    from atlasdb_recovery.procedure.guards.guard import Guard


class Danger(StrEnum):
    """What performing a step means for the cluster. A step that DESTROYS needs words typed for its very plan."""

    READS = "reads"
    CHANGES = "changes"
    DESTROYS = "destroys"


class Evidence(msgspec.Struct, frozen=True):
    """What the cluster showed when asked, in sentences."""

    found: tuple[str, ...]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Something only the operator can answer. `name` is its key in an answers file.

    With `phrase` the exact words must be typed; with `remove_at_most_needed` an answers file must allow at least
    that many removals instead.
    """

    name: str
    text: str
    detail: tuple[str, ...] = ()
    phrase: str = ""
    fingerprint: str = ""
    remove_at_most_needed: int | None = None

    def is_answered_by(self, answer: Any) -> bool:
        """The phrase to the letter, or what an answers file may say instead; without a phrase what says yes."""
        if self.remove_at_most_needed is not None and isinstance(answer, dict):
            allowed = answer.get("remove_at_most")
            return isinstance(allowed, int) and allowed >= self.remove_at_most_needed
        if self.phrase:
            return answer == self.phrase or (answer is True and self.remove_at_most_needed is None)
        return confirmed(answer)


class StepFailure(Exception):
    """The step did not come to its end, or its proof failed. Nothing later may run."""

    def __init__(self, problem: str, *, evidence: Sequence[str] = (), remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.evidence = tuple(evidence)
        self.remedy = remedy


class Step:
    """One step of AtlasDB's page: what must hold before, what it does, and how it is proven.

    The runner calls, in this order: `guards`, `plan`, `questions`, `perform`, `verify`. After a crash in the middle of
    `perform` it calls `evidence` first: what is already true is never done again.
    """

    name: str
    title: str
    why: str
    danger: Danger

    def guards(self, context: Context) -> Sequence[Guard]:
        """What must hold before this step may act."""
        raise NotImplementedError

    async def evidence(self, context: Context) -> Evidence | None:
        """Ask the cluster whether this step is already done; None if it is not, or if it can't be told."""
        return None

    async def plan(self, context: Context) -> Plan:
        """What it is about to do. Changes nothing."""
        raise NotImplementedError

    async def outlook(self, context: Context) -> Sequence[str]:
        """What is known of it before the steps before it are done, as lines; shown where there can be no plan yet."""
        return ()

    def questions(self, context: Context, plan: Plan) -> Sequence[Question]:
        """What must be answered before `perform`, in this order."""
        return ()

    def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        """Do it. Safe to be stopped between any two events."""
        raise NotImplementedError

    async def verify(self, context: Context) -> Evidence:
        """An independent look afterwards; raises StepFailure where the proof is missing."""
        raise NotImplementedError


_DOUBT = re.compile(
    r"\b(n|no|nope|not|never|none|nothing|nobody|cannot|still|yet|except|unless|until|but|false|maybe|perhaps|soon"
    r"|almost|running)\b|n['’]t\b|\?",
    re.I,
)
_NOTHING_RUNS = re.compile(
    r"\b(nothing|none|nobody)( of (it|them))?( is| are)?( left| still)? (runs|running|up|connected)\b", re.I
)
_YES = re.compile(
    r"^yes\b|\b(stopped|offline|down|off|shut|killed|halted|ended|restored|copied|backed[- ]up|taken|loaded"
    r"|imported|done|finished|completed?)\b",
    re.I,
)


def confirmed(answer: Any) -> bool:
    """Whether an answer says yes: True, or words on how it was done. Words with a no or a doubt in them do not."""
    if not isinstance(answer, str):
        return answer is True
    return bool(answer.strip()) and not _DOUBT.search(_NOTHING_RUNS.sub("", answer))


def says_yes(words: str) -> bool:
    """Of words typed at a screen, where a key may be pressed by accident: confirmed, and a yes to begin with, or a word
    for what was asked (stopped, restored, backed up, done)."""
    return confirmed(words) and bool(_YES.search(words.strip()) or _NOTHING_RUNS.search(words))
