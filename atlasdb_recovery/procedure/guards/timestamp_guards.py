"""Guards over the timestamp service that is the authority."""

from atlasdb_recovery.atlas.names import TIMESTAMP
from atlasdb_recovery.atlas.timestamp_bound import BoundInvalidated, MalformedBound
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.client_guards import NoClientsConnected
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, GuardStatus, blocked, passed, unknown, warned
from atlasdb_recovery.procedure.step import confirmed
from atlasdb_recovery.procedure.timestamp_row import stored_bound
from atlasdb_recovery.timestamps.service import TimestampServiceRefused, TimestampServiceUnavailable


class TimestampAuthorityKnown(Guard):
    proves = "The timestamp service of the configuration is the authority: the keyspace does not say that another is."
    remedy = "Check the leader, lock, timestamp and timelock blocks of the service's configuration."

    async def check(self, context: Context) -> GuardResult:
        service = context.timestamps
        keyspace = await context.cluster.keyspace(context.keyspace)
        if keyspace is None or not keyspace.tables:
            return passed(f"{service.description}; there is no keyspace yet that could say otherwise")
        if TIMESTAMP not in keyspace.tables:
            shown = f"keyspace {context.keyspace} has no table {TIMESTAMP}"
            return passed(f"{service.description}; {shown}") if service.serves_live else blocked(shown)
        try:
            bound = await stored_bound(context)
        except (BoundInvalidated, MalformedBound) as error:
            return blocked(f"the configuration names {service.description}, but {error}")
        asked = "" if service.serves_live else "; it is asked only while nobody is connected"
        return passed(f"{service.description}{asked}; the stored bound is {'empty' if bound is None else bound}")


class TimestampAuthorityUsable(Guard):
    proves = "The authority can be asked now: a stored bound only while nobody is connected, else the running service."
    remedy = (
        "A stored bound beside a running service makes B wrong and kills the service. Stop every instance, or let the "
        "fresh timestamps come from the service itself (a `timestamp` block in its configuration)."
    )

    async def check(self, context: Context) -> GuardResult:
        if context.timestamps.serves_live:
            return await self._live(context)
        found = await NoClientsConnected().check(context)
        if found.status is GuardStatus.WARNED and not confirmed(context.answer("offline")):
            return unknown(found.evidence, found.remedy)
        return found

    async def _live(self, context: Context) -> GuardResult:
        service = context.timestamps
        try:
            await service.ping()
        except TimestampServiceUnavailable as error:
            return blocked(str(error), "Start the service, or check the addresses of its timestamp endpoint.")
        except TimestampServiceRefused as error:
            return warned(f"{service.description} does not answer its ping: {error}", "The fetch that follows decides.")
        return passed(f"{service.description} answers")
