"""Which timestamp service is the authority for a keyspace, by its configuration."""

from collections.abc import Awaitable, Callable

from atlasdb_recovery.atlas.tls_files import TlsFiles
from atlasdb_recovery.cassandra.ports import Cluster
from atlasdb_recovery.settings import Settings
from atlasdb_recovery.timestamps.bound_store import EmbeddedTimestamps
from atlasdb_recovery.timestamps.remote import RemoteTimestamps
from atlasdb_recovery.timestamps.service import TimestampService, TimestampServiceRefused
from atlasdb_recovery.timestamps.timelock import TimeLockTimestamps
from atlasdb_recovery.timestamps.timelock_keyspace import timestamps_used
from atlasdb_recovery.timestamps.timelock_servers import timelock_servers


def service_for(
    settings: Settings, cluster: Cluster, nobody_connected: Callable[[], Awaitable[None]], *, offline: bool = False
) -> TimestampService:
    """The service to ask: TimeLock if it is configured, live or offline; else, live, a running service's own endpoint
    if one is known; otherwise the stored bound.

    Offline (a restore) every service of this keyspace is down, so its stored bound is used directly, as Java's
    `--offline` does. Raises TimestampServiceRefused, ConfigurationError for stores it cannot open.
    """
    service = settings.service
    if service.timestamp_authority == "timelock":
        return _timelock(settings, cluster)
    servers = settings.timestamp_servers or service.timestamp_servers
    if offline or not servers:
        return EmbeddedTimestamps(cluster, settings.keyspace, nobody_connected)
    tls = settings.timestamp_tls if settings.timestamp_servers else service.timestamp_tls
    return RemoteTimestamps(servers, _usable(tls))


def _timelock(settings: Settings, cluster: Cluster) -> TimestampService:
    service = settings.service
    if settings.timestamp_servers:
        raise TimestampServiceRefused(
            "Nothing was asked: recovery.yml names `timestamps.servers`, a running service's own endpoint, but the"
            f" service's configuration says that the timestamps of {settings.keyspace} come from TimeLock. Only one of"
            " them can be the authority. Remove `timestamps.servers`, or name the configuration that the service has."
        )

    async def used() -> int:
        return await timestamps_used(cluster, settings.keyspace)

    return TimeLockTimestamps(
        timelock_servers(service.timestamp_servers, _usable(settings.timestamp_tls or service.timestamp_tls)),
        settings.namespace,
        used,
        is_meant=settings.timelock_namespace is not None,
    )


def _usable(tls: TlsFiles | None) -> TlsFiles | None:
    if tls is not None:
        tls.require_no_java_store("timestamps")
    return tls
