"""Which timestamp service is the authority for a keyspace, by its configuration."""

from collections.abc import Awaitable, Callable

from atlasdb_recovery.cassandra.ports import Cluster
from atlasdb_recovery.settings import Settings
from atlasdb_recovery.timestamps.bound_store import EmbeddedTimestamps
from atlasdb_recovery.timestamps.remote import RemoteTimestamps
from atlasdb_recovery.timestamps.service import TimestampService, TimestampServiceRefused


def service_for(
    settings: Settings, cluster: Cluster, nobody_connected: Callable[[], Awaitable[None]], *, offline: bool = False
) -> TimestampService:
    """The service to ask: live, a running service's own endpoint if one is known; otherwise the stored bound.

    Offline (a restore) every service of this keyspace is down, so its stored bound is used directly, as Java's
    `--offline` does. Raises TimestampServiceRefused for TimeLock, ConfigurationError for stores it cannot open.
    """
    service = settings.service
    if service.timestamp_authority == "timelock":
        raise TimestampServiceRefused(
            f"Nothing was changed: timestamps of {service.keyspace} come from TimeLock, which this version cannot ask"
            " yet. The bound stored in Cassandra is not the authority there: moving it would look like success and"
            " change nothing. Fetch and fast-forward with TimeLock's own endpoints, `timestamp/fresh-timestamp` and"
            " `timestamp-management/fast-forward`."
        )
    servers = settings.timestamp_servers or service.timestamp_servers
    if offline or not servers:
        return EmbeddedTimestamps(cluster, settings.keyspace, nobody_connected)
    tls = settings.timestamp_tls if settings.timestamp_servers else service.timestamp_tls
    return RemoteTimestamps(servers, tls)
