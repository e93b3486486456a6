"""Guards over the timestamp service that is the authority."""

import msgspec

from atlasdb_recovery.atlas.names import TIMESTAMP
from atlasdb_recovery.atlas.timestamp_bound import BoundInvalidated, MalformedBound
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.client_guards import NoClientsConnected
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, GuardStatus, blocked, passed, unknown, warned
from atlasdb_recovery.procedure.step import confirmed
from atlasdb_recovery.procedure.timestamp_row import stored_bound
from atlasdb_recovery.timestamps.service import (
    PingUnanswered,
    TimestampService,
    TimestampServiceRefused,
    TimestampServiceUnavailable,
)
from atlasdb_recovery.timestamps.timelock_keyspace import timestamps_used


class TimestampAuthorityKnown(Guard):
    proves = "The timestamp service of the configuration is the authority: the keyspace does not say that another is."
    remedy = "Check the leader, lock, timestamp and timelock blocks of the service's configuration."

    async def check(self, context: Context) -> GuardResult:
        service = context.timestamps
        if not service.uses_stored_bound:
            return await self._timelock(context, service)
        if contradiction := _sealed_with(context, timelock=True):
            return blocked(contradiction)
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

    async def _timelock(self, context: Context, service: TimestampService) -> GuardResult:
        """The keyspace has given its bound up, or has none; and TimeLock has the namespace."""
        if contradiction := _sealed_with(context, timelock=False):
            return blocked(contradiction)
        other = _sealed_namespace(context)
        if other and context.settings.timelock_namespace is None:
            return blocked(other, _namespace_remedy(context.settings.namespace))
        try:
            used = await timestamps_used(context.cluster, context.keyspace)
        except TimestampServiceRefused as error:
            return blocked(str(error))
        found = await answering(service)
        shown = f"; the keyspace has used timestamps up to {used} at least" if used else ""
        found = msgspec.structs.replace(found, evidence=found.evidence + shown)
        if other and found.status.lets_pass:
            return warned(f"recovery.yml vouches for it: {other}; {found.evidence}", "Compare the two once more.")
        return found


def _sealed_with(context: Context, *, timelock: bool) -> str:
    """In words, if a restore's backup took its timestamps from TimeLock (or, so asked, from elsewhere)."""
    manifest = context.manifest
    if manifest is None or (manifest.timelock is not None) is not timelock:
        return ""
    return (
        f"the backup's timestamps came from {manifest.timestamp_service}, but the configuration names"
        f" {context.timestamps.description}: fast-forwarding that one would leave the other where it was"
    )


def _sealed_namespace(context: Context) -> str:
    """In words, if a restore's backup took its timestamps from another namespace of TimeLock than is configured."""
    manifest, namespace = context.manifest, context.settings.namespace
    if manifest is None or manifest.timelock is None or manifest.timelock.namespace == namespace:
        return ""
    return (
        f"the backup's timestamps came from TimeLock's namespace “{manifest.timelock.namespace}”, but the configuration"
        f" names “{namespace}”: fast-forwarding that one would leave the other where it was"
    )


def _namespace_remedy(namespace: str) -> str:
    return (
        "Correct `namespace`, or `client` of the timelock block, in the service's configuration; then resume. Only if"
        f" the service was given another namespace since: write `timestamps: {{namespace: {namespace}}}` in"
        " recovery.yml."
    )


async def answering(service: TimestampService) -> GuardResult:
    """Whether a service that may be asked at any time answers now."""
    try:
        said = await service.ping()
    except TimestampServiceUnavailable as error:
        return blocked(str(error), "Start the service, or check the addresses of its timestamp endpoint.")
    except PingUnanswered as error:
        return warned(f"{service.description} does not answer its ping: {error}", "The fetch that follows decides.")
    except TimestampServiceRefused as error:
        return blocked(str(error))
    return passed(f"{service.description} answers{f' ({said})' if said else ''}")


class TimestampAuthorityUsable(Guard):
    proves = "The authority can be asked now: a stored bound only while nobody is connected, else the running service."
    remedy = (
        "A stored bound beside a running service makes B wrong and kills the service. Stop every instance, or let the "
        "fresh timestamps come from the service itself (a `timestamp` block in its configuration)."
    )

    async def check(self, context: Context) -> GuardResult:
        if context.timestamps.serves_live:
            return await answering(context.timestamps)
        found = await NoClientsConnected().check(context)
        if found.status is GuardStatus.WARNED and not confirmed(context.answer("offline")):
            return unknown(found.evidence, found.remedy)
        return found
