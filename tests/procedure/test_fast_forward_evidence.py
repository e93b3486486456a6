"""What proves that no timestamp up to F is handed out again."""

from types import SimpleNamespace
from typing import cast

import pytest

from atlasdb_recovery.events import FactEstablished
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.steps.fast_forward import fast_forward_evidence

F = 2_500_001


class Service:
    """A service that says this of itself: its stored bound, or, live, a timestamp that it has just handed out."""

    description = "the service"

    def __init__(self, limit: int | None, *, serves_live: bool) -> None:
        self.serves_live = serves_live
        self._limit = limit

    async def lower_limit(self) -> int | None:
        return self._limit


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
    state = SessionState()
    state.apply(FactEstablished(step="preflight", name=facts.FAST_FORWARD_TIMESTAMP, value=F))
    context = cast(Context, SimpleNamespace(state=state, timestamps=Service(limit, serves_live=serves_live)))
    assert (await fast_forward_evidence(context) is not None) is is_proven
