"""The last two steps of a restore as events a test scripts."""

from typing import Any

from atlasdb_recovery.events import (
    AnswerGiven,
    Event,
    FactEstablished,
    PlanMade,
    RepairJudged,
    SessionCompleted,
    StepIntended,
    StepPerformed,
    StepVerified,
)
from atlasdb_recovery.procedure import facts
from tests.screens.removal_feed import CLEAN, EXPORT, NODES, B, F, before_removal, guards, removal_facts, settled

FORWARD, PROVE = "fast-forward", "prove"
BOUND, REACHED = 1_100_001, 3_500_001
WRITE = (
    'UPDATE "orders"."_timestamp" SET value = 0x00000000003567e1 WHERE key = 0x7473 AND column1 = 0x7473 AND '
    "column2 = -1 IF value = 0x000000000010c8e1"
)
PROOF = f"no transaction committed after {B} is left: 402,113 cells of _transactions read at ALL"
READ_BACK = f"the stored bound is {REACHED}: every fresh timestamp will be above F = {F}"


def before_fast_forward(mode: str = "LIVE") -> list[Event]:
    """Everything up to the fast-forward's guards."""
    word = AnswerGiven(step="preflight", name="offline", answer="all instances stopped by ann", by="wizard")
    repaired = [
        RepairJudged(step="repair", node=node, tables=("_transactions",), verdict="repaired", reasons=("8 of 8",))
        for node in NODES
    ]
    return [
        *before_removal(mode),
        word,
        *repaired,
        FactEstablished(step=CLEAN, name=facts.FINDINGS, value=removal_facts()),
        FactEstablished(step=CLEAN, name=facts.EXPORT, value={"path": EXPORT, "count": 1_284, "digest": "d"}),
        FactEstablished(step=CLEAN, name=facts.REMOVED, value={"count": 1_284, "export": EXPORT}),
        *settled(CLEAN, PROOF),
    ]


def forward_plan(bound: int | None = BOUND, target: int = F, *, far: bool = False, **more: Any) -> PlanMade:
    return PlanMade(
        step=FORWARD,
        title=f"fast-forward to {target}",
        lines=(f"stored bound now: {bound}", WRITE),
        fingerprint=f"{bound}-{target}",
        facts={
            "target": target,
            "bound": bound,
            "service": "the bound stored in “orders”.“_timestamp” (embedded timestamp service)",
            "writes": [WRITE],
            "is_far": far,
            **more,
        },
    )


TIMELOCK = "TimeLock's namespace “orders” at https://timelock-1:8421, https://timelock-2:8421, https://timelock-3:8421"
ASKED = f"POST /orders/timestamp-management/fast-forward?currentTimestamp={F}"


def timelock_plan(fresh: int | None, *, far: bool = False) -> PlanMade:
    """Where the timestamps come from TimeLock, which has just handed this one out."""
    is_above = fresh is not None and fresh > F
    return PlanMade(
        step=FORWARD,
        title=f"fast-forward to {F}",
        lines=(
            "its bound cannot be seen: a fresh timestamp is fetched before and after",
            f"fast-forward {TIMELOCK} to {F}",
            f"nothing has to be asked for: its timestamps are above {F} already" if is_above else ASKED,
        ),
        fingerprint=f"timelock-{is_above}",
        facts={
            "target": F,
            "bound": fresh,
            "bound_is_seen": False,
            "service": TIMELOCK,
            "writes": [] if is_above else [ASKED],
            "is_far": far,
        },
    )


def forwarded_timelock(before: int | None, reached: int) -> FactEstablished:
    value = {"target": F, "before": before, "reached": reached, "changed": before != reached, "bound_is_seen": False}
    return FactEstablished(step=FORWARD, name=facts.FAST_FORWARDED, value=value)


def forwarded() -> list[Event]:
    """The fast-forward from its plan to its proof."""
    value = {"target": F, "before": BOUND, "reached": REACHED, "changed": True}
    return [
        *guards(FORWARD),
        forward_plan(),
        StepIntended(step=FORWARD, fingerprint="f", attempt=1),
        FactEstablished(step=FORWARD, name=facts.FAST_FORWARDED, value=value),
        StepPerformed(step=FORWARD, seconds=0.4),
        StepVerified(step=FORWARD, evidence=(READ_BACK,)),
    ]


def proven() -> list[Event]:
    """The last look, without the session's end."""
    evidence = ("_transactions, _transactions2 repaired on 3 of 3 nodes, 24 token ranges", READ_BACK)
    return [
        *guards(PROVE),
        PlanMade(
            step=PROVE, title="read back the bound, the repair's coverage and the baselines", lines=(), fingerprint="p"
        ),
        StepIntended(step=PROVE, fingerprint="p", attempt=1),
        StepPerformed(step=PROVE, seconds=2.0),
        StepVerified(step=PROVE, evidence=evidence),
    ]


def completed() -> SessionCompleted:
    return SessionCompleted(evidence=(PROOF, READ_BACK))
