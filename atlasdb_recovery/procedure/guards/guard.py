"""A guard: one fact that must hold before a step may act, what it proves, and what to do where it does not."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from atlasdb_recovery.procedure.context import Context


class GuardStatus(StrEnum):
    """`unknown` (could not look) blocks like `blocked`; nothing to look at is `not-applicable` and does not."""

    PASSED = "passed"
    WARNED = "warned"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"

    @property
    def lets_pass(self) -> bool:
        return self in {GuardStatus.PASSED, GuardStatus.WARNED, GuardStatus.NOT_APPLICABLE}


class GuardResult(msgspec.Struct, frozen=True):
    """What a guard found: evidence in words, and the remedy where it does not pass."""

    status: GuardStatus
    evidence: str
    remedy: str = ""


LOOK_AGAIN = "It could not be looked at, so it is not known. See that every node is up and answers, then check again."


class Guard:
    """Looks, and changes nothing. Subclasses are named after the fact they assert."""

    proves: str
    """What holds if it passes, as one sentence."""
    remedy: str
    """What to do where it does not, unless the result says something closer."""
    remedy_is_drastic: bool = False
    """Whether the remedy throws work or data away: then it is not told where the guard could not look."""
    may_be_overruled: bool = False
    """Whether the operator may go on against it, for a reason in words. Never where data depends on it."""
    answered_by: str = ""
    """The question whose answer, a reason in words, lets it pass; "" if there is none."""
    deadline: float | None = 120.0
    """Seconds after which it counts as `unknown`; None where the work grows with the backup."""

    @property
    def name(self) -> str:
        return type(self).__name__

    def remedy_for(self, result: GuardResult) -> str:
        """What to do after this result; "" where nothing is to be done."""
        if result.status in {GuardStatus.PASSED, GuardStatus.NOT_APPLICABLE}:
            return ""
        if result.status is GuardStatus.UNKNOWN and self.remedy_is_drastic:
            return result.remedy or LOOK_AGAIN
        return result.remedy or self.remedy

    async def check(self, context: Context) -> GuardResult:
        """May raise: the runner turns any error into `unknown`, which blocks."""
        raise NotImplementedError


def passed(evidence: str) -> GuardResult:
    return GuardResult(GuardStatus.PASSED, evidence)


def warned(evidence: str, remedy: str = "") -> GuardResult:
    return GuardResult(GuardStatus.WARNED, evidence, remedy)


def blocked(evidence: str, remedy: str = "") -> GuardResult:
    return GuardResult(GuardStatus.BLOCKED, evidence, remedy)


def unknown(evidence: str, remedy: str = "") -> GuardResult:
    return GuardResult(GuardStatus.UNKNOWN, evidence, remedy)


def not_applicable(evidence: str) -> GuardResult:
    return GuardResult(GuardStatus.NOT_APPLICABLE, evidence)
