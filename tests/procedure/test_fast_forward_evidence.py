"""What is done so that no timestamp up to F is handed out again, in true words, and its proof."""

from types import SimpleNamespace
from typing import cast

import pytest

from atlasdb_recovery.events import FactEstablished
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.steps.fast_forward import FastForward, fast_forward_evidence
from atlasdb_recovery.timestamps.service import ASKED_ABOVE_BOUND

F = 2_500_001


class Service:
    """A service that says this of itself: its stored bound, or, live, a timestamp that it has just handed out."""

    description = "the service"

    def __init__(self, limit: int | None, *, serves_live: bool) -> None:
        self.serves_live = serves_live
        self._limit = limit

    async def lower_limit(self) -> int | None:
        return self._limit

    async def bound(self) -> int | None:
        return None if self.serves_live else self._limit

    def writes_to_fast_forward(self, target: int, bound: int | None) -> tuple[str, ...]:
        return () if bound is not None and bound >= target else (f"raise it to {target}",)


def at(service: Service, target: int = F) -> Context:
    state = SessionState()
    state.apply(FactEstablished(step="preflight", name=facts.FAST_FORWARD_TIMESTAMP, value=target))
    context = SimpleNamespace(state=state, timestamps=service, keyspace="orders", phrase=str)
    return cast(Context, context)


@pytest.mark.parametrize(
    ("limit", "serves_live", "is_proven"),
    [
        (F, False, True),
        (F - 1, False, False),
        (None, False, False),
        (F + 1, True, True),
        (F, True, False),  # the backup was given F: to hand it out again is what must never happen
        (F - 1, True, False),
        (None, True, False),
    ],
)
async def test_a_bound_at_f_or_a_fresh_timestamp_above_it(
    limit: int | None, serves_live: bool, is_proven: bool
) -> None:
    context = at(Service(limit, serves_live=serves_live))
    assert (await fast_forward_evidence(context) is not None) is is_proven


@pytest.mark.parametrize(
    ("serves_live", "limit", "nothing"),
    [
        (False, F, f"nothing has to be written: the bound is at or above {F} already"),
        (True, F + 1, f"nothing has to be asked for: its timestamps are above {F} already"),
        (True, F, f"raise it to {F}"),
        (True, None, f"raise it to {F}"),
    ],
)
async def test_the_plan_speaks_of_a_bound_only_where_there_is_one(
    serves_live: bool, limit: int | None, nothing: str
) -> None:
    plan = await FastForward().plan(at(Service(limit, serves_live=serves_live)))
    assert plan.lines[-1] == nothing
    assert plan.facts["bound_is_seen"] is not serves_live
    assert plan.lines[0].startswith("its bound cannot be seen" if serves_live else f"stored bound now: {limit}")


@pytest.mark.parametrize("serves_live", [True, False])
async def test_far_above_it_is_asked_in_words_that_are_true(serves_live: bool) -> None:
    context = at(Service(1_000, serves_live=serves_live), F + ASKED_ABOVE_BOUND)
    step = FastForward()
    (question,) = step.questions(context, await step.plan(context))
    limit = "the timestamps handed out now" if serves_live else "the stored bound"
    assert f"{F + ASKED_ABOVE_BOUND - 1_000:,} above {limit}. This cannot be undone" in question.text
