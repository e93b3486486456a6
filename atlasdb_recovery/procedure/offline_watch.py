"""Looks again and again, while a restore is under way, whether anybody connects to the cluster.

It reports and decides nothing: the guards of the next step refuse. Servers that cannot list their clients are watched
only where their sockets can be seen from this machine, for our own work moves their counters.
"""

import asyncio
from collections.abc import Callable

from atlasdb_recovery.events import GuardChecked
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.client_guards import NoClientsConnected, who_is_connected
from atlasdb_recovery.procedure.guards.guard import GuardResult, blocked, passed, unknown, warned

LOOKS_EVERY = 5.0


class OfflineWatch:
    """One watch over one session. `tell` is given a `GuardChecked` of no step after every look."""

    def __init__(self, context: Context, tell: Callable[[GuardChecked], None]) -> None:
        self._context = context
        self._tell = tell

    async def run(self) -> None:
        """Until it is cancelled."""
        guard = NoClientsConnected()
        while True:
            result = await self._look()
            self._tell(
                GuardChecked(
                    guard=guard.name,
                    status=result.status,
                    evidence=plain(result.evidence),
                    remedy="" if result.status.lets_pass else plain(guard.remedy_for(result)),
                )
            )
            await asyncio.sleep(LOOKS_EVERY)

    async def _look(self) -> GuardResult:
        try:
            seen = await who_is_connected(self._context)
        except Exception as error:  # the watch goes on; what it could not see is said
            return unknown(f"could not look: {type(error).__name__}: {error}")
        if seen.strangers:
            return blocked("; ".join(seen.strangers))
        if seen.blind:
            return warned(f"{', '.join(seen.blind)} cannot list clients; they are looked at before each step")
        return passed(f"nobody else is connected to {seen.nodes} nodes")
