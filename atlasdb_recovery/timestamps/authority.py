"""Which timestamp service is the authority for a keyspace, by its configuration."""

from collections.abc import Awaitable, Callable

from atlasdb_recovery.atlas.tls_files import TlsFiles
from atlasdb_recovery.cassandra.ports import Cluster
from atlasdb_recovery.settings import Settings
from atlasdb_recovery.timestamps.atlas_cli import AtlasCliTimestamps
from atlasdb_recovery.timestamps.atlas_cli_program import AtlasCli
from atlasdb_recovery.timestamps.bound_store import EmbeddedTimestamps
from atlasdb_recovery.timestamps.disabled_namespace import DisabledNamespace, token_servers
from atlasdb_recovery.timestamps.remote import RemoteTimestamps
from atlasdb_recovery.timestamps.service import Seen, TimestampService, TimestampServiceRefused, unseen
from atlasdb_recovery.timestamps.timelock import TimeLockTimestamps
from atlasdb_recovery.timestamps.timelock_keyspace import timestamps_used
from atlasdb_recovery.timestamps.timelock_servers import timelock_servers


def service_for(
    settings: Settings,
    cluster: Cluster,
    nobody_connected: Callable[[], Awaitable[None]],
    *,
    offline: bool = False,
    seen: Seen = unseen,
) -> TimestampService:
    """The service to ask: TimeLock if it is configured, live or offline; else, live, a running service's own endpoint
    if one is known; otherwise the stored bound.

    Offline (a restore) every service of this keyspace is down, so its stored bound is used directly, as Java's
    `--offline` does. `seen` is told of each server that is asked. Raises TimestampServiceRefused, ConfigurationError
    for stores it cannot open.
    """
    service = settings.service
    if settings.atlas_cli is not None:
        return _through_atlas_cli(settings, cluster, nobody_connected)
    if service.timestamp_authority == "timelock":
        return _timelock(settings, cluster, seen)
    servers = settings.timestamp_servers or service.timestamp_servers
    if offline or not servers:
        return EmbeddedTimestamps(cluster, settings.keyspace, nobody_connected)
    tls = settings.timestamp_tls if settings.timestamp_servers else service.timestamp_tls
    return RemoteTimestamps(servers, _usable(tls), seen=seen)


def _timelock(settings: Settings, cluster: Cluster, seen: Seen) -> TimestampService:
    service = settings.service
    if settings.timestamp_servers:
        raise TimestampServiceRefused(
            "Nothing was asked: recovery.yml names `timestamps.servers`, a running service's own endpoint, but the"
            f" service's configuration says that the timestamps of {settings.keyspace} come from TimeLock. Only one of"
            " them can be the authority. Remove `timestamps.servers`, or name the configuration that the service has."
        )

    async def used() -> int:
        return await timestamps_used(cluster, settings.keyspace)

    addresses, tls = service.timestamp_servers, _usable(settings.timestamp_tls or service.timestamp_tls)
    servers = timelock_servers(addresses, tls, seen=seen)
    disabling = None
    if token := settings.timelock_backup_token:
        disabling = DisabledNamespace(token_servers(addresses, tls, token, seen=seen), settings.namespace)
    is_meant = settings.timelock_namespace is not None
    return TimeLockTimestamps(servers, settings.namespace, used, is_meant=is_meant, disabling=disabling)


def _through_atlas_cli(
    settings: Settings, cluster: Cluster, nobody_connected: Callable[[], Awaitable[None]]
) -> TimestampService:
    """On TimeLock only with the operator's word: whatever namespace it is told exists from then on."""
    assert settings.atlas_cli is not None
    cli = AtlasCli(settings.atlas_cli.program, settings.atlas_cli.configuration, settings.secrets())
    if settings.service.timestamp_authority != "timelock":
        embedded = EmbeddedTimestamps(cluster, settings.keyspace, nobody_connected)

        async def bound() -> int:
            stored = await embedded.bound()
            await nobody_connected()
            return stored or 0

        return AtlasCliTimestamps(cli, bound, embedded)
    if settings.timelock_namespace is None:
        raise TimestampServiceRefused(
            "Nothing was asked: AtlasDB's command line does not list TimeLock's namespaces, and creates the one that it"
            f" is started with. If “{settings.namespace}” is the namespace that the service used, say so in"
            f" recovery.yml, beside `command`: `timestamps: {{namespace: {settings.namespace}}}`."
        )

    async def used() -> int:
        if await cluster.keyspace(settings.keyspace) is None:
            raise TimestampServiceRefused(
                f"Nothing was asked: there is no keyspace {settings.keyspace}, and AtlasDB's command line would create"
                " it. Restore the key value store first."
            )
        return await timestamps_used(cluster, settings.keyspace)

    return AtlasCliTimestamps(cli, used)


def _usable(tls: TlsFiles | None) -> TlsFiles | None:
    if tls is not None:
        tls.require_no_java_store("timestamps")
    return tls
