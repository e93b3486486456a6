"""The AtlasDB block of a service's YAML: install file, optional runtime file (`AtlasDbConfigs`, `AtlasDbConfig`).

Lenient about keys it has no use for, strict about the rules that keep two keyspaces or two timestamp
authorities apart. Where the files disagree: Cassandra's servers and replication factor are the install file's,
TimeLock's servers the runtime file's.
"""

import re
from pathlib import Path
from typing import Literal

import msgspec

from atlasdb_recovery.atlas import pointer, yaml_document
from atlasdb_recovery.atlas.secret import Secret
from atlasdb_recovery.atlas.servers import (
    CassandraServers,
    HostPort,
    cassandra_servers,
    service_uri,
    service_uris,
)
from atlasdb_recovery.atlas.tls_files import TlsFiles, tls_files
from atlasdb_recovery.atlas.yaml_document import ConfigurationError, Part

__all__ = [
    "AtlasConfig",
    "ConfigurationError",
    "HostPort",
    "Instead",
    "TlsFiles",
    "block_in",
    "block_of",
    "configured",
    "load",
    "parse",
]

DEFAULT_ROOTS = ("/atlasdb", "/atlas")
GC_GRACE_SECONDS = 3600
_DIFFERENT_NAMES = "enableNonstandardAndPossiblyErrorProneTopologyAllowDifferentKvsAndTimelockNamespaces"

_PASSWORD = re.compile(r"pass(word|phrase)|secret|token", re.IGNORECASE)

Authority = Literal["embedded", "remote", "timelock", "leader"]


class AtlasConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore needs of a service's configuration. The password's repr is ***.

    `cql_hosts` is empty if the file has Thrift hosts only. `timestamp_servers` are the base URIs of whichever
    authority it is; none for `embedded`. `notes` are for the operator to read.
    """

    keyspace: str
    thrift_hosts: tuple[HostPort, ...]
    cql_hosts: tuple[HostPort, ...] = ()
    username: str
    password: str
    tls: TlsFiles | None = None
    replication_factor: int | None = None
    timestamp_authority: Authority = "embedded"
    timestamp_servers: tuple[str, ...] = ()
    timestamp_tls: TlsFiles | None = None
    timelock_client: str | None = None
    gc_grace_seconds: int = GC_GRACE_SECONDS
    address_translation: dict[str, HostPort] = {}
    notes: tuple[str, ...] = ()
    unused_passwords: tuple[str, ...] = ()
    """Those that stand in the block beside the ones that count: they may be shown no more than those."""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "password", Secret(self.password))
        msgspec.structs.force_setattr(self, "unused_passwords", tuple(map(Secret, self.unused_passwords)))


class Instead(msgspec.Struct, frozen=True, kw_only=True):
    """What counts instead of the file's own: then an encrypted password or a Java key store there is not looked at."""

    username: str | None = None
    password: str | None = None
    tls: TlsFiles | None = None


def load(
    path: Path,
    root: str | None = None,
    runtime: Path | None = None,
    runtime_root: str | None = None,
    instead: Instead | None = None,
) -> AtlasConfig:
    """Of files. Without a root, `/atlasdb`, or `/atlas` where that is absent. Raises ConfigurationError."""
    live = None if runtime is None else block_in(runtime, runtime_root)
    return configured(block_in(path, root), live, instead)


def parse(text: str, root: str = "", file: str = "--inline-config", instead: Instead | None = None) -> AtlasConfig:
    """Of an install configuration as text, by default a bare block. Raises ConfigurationError."""
    return configured(block_of(text, root, file), None, instead)


def block_in(path: Path, root: str | None = None) -> Part:
    """The AtlasDB block of a file. Raises ConfigurationError."""
    return _block(yaml_document.read(path), root)


def block_of(text: str, root: str, file: str) -> Part:
    """The AtlasDB block of a text; the empty root is all of it. `file` is what errors call it."""
    return _block(yaml_document.parse(text, file), root)


def configured(install: Part, runtime: Part | None = None, instead: Instead | None = None) -> AtlasConfig:
    """What these blocks say. Raises ConfigurationError."""
    return _config(install, runtime, instead or Instead())


def _block(document: Part, root: str | None) -> Part:
    if root is not None:
        return pointer.at(document, root)
    first, second = DEFAULT_ROOTS
    try:
        return pointer.at(document, first)
    except pointer.RootAbsent:
        try:
            return pointer.at(document, second)
        except pointer.RootAbsent:
            pass
        raise


def _config(install: Part, live: Part | None, instead: Instead) -> AtlasConfig:
    store = install.required("keyValueService")
    _require_cassandra(store)
    live_store = live.entry("keyValueService") if live is not None else None
    keyspace, client = _names(install, store, uses_timelock=_timelock(install, live))
    servers = _servers(store, live_store)
    authority, uris, timestamp_tls = _timestamp_authority(install, live)
    username, password = _credentials(store, instead)
    tls = _tls(store, instead)
    used = {password, *(files.password for files in (tls, timestamp_tls) if files is not None)}
    written = [text for block in (install, live) if block is not None for text in block.texts_under(_PASSWORD)]
    translation = store.entry("addressTranslation")
    grace = store.entry("gcGraceSeconds")
    return AtlasConfig(
        keyspace=keyspace,
        thrift_hosts=servers.thrift,
        cql_hosts=servers.cql,
        username=username,
        password=password,
        tls=tls,
        replication_factor=_replication_factor(store, live_store),
        timestamp_authority=authority,
        timestamp_servers=uris,
        timestamp_tls=timestamp_tls,
        timelock_client=client,
        gc_grace_seconds=grace.integer(0, 2**31 - 1) if grace is not None else GC_GRACE_SECONDS,
        address_translation={h: HostPort.of(p) for h, p in translation.mapping().items()} if translation else {},
        notes=(servers.note,) if servers.note else (),
        unused_passwords=tuple(dict.fromkeys(text for text in written if text not in used)),
    )


def _require_cassandra(store: Part) -> None:
    kind = store.required("type")
    if kind.text() != "cassandra":
        raise kind.error(
            f"{kind.name} is “{kind.text()}”: this service does not keep its data in Cassandra",
            "This program restores AtlasDB on Cassandra only.",
        )


def _names(install: Part, store: Part, *, uses_timelock: bool) -> tuple[str, str | None]:
    """Keyspace and TimeLock client. One name for all three, as `AtlasDbConfig.checkNamespaceConfig` demands."""
    namespace = install.entry("namespace")
    keyspace = store.entry("keyspace") or namespace
    if keyspace is None:
        raise store.error(
            f"{store.name} has no “keyspace”, and there is no namespace", "Add `namespace:` or `keyspace:`."
        )
    for part in (namespace, keyspace):
        if part is not None and (not part.text() or '"' in part.text() or not part.text().isprintable()):
            raise part.error(f"{part.name} is no usable name", "Write the keyspace's name, without double quotes.")
    different = install.entry(_DIFFERENT_NAMES)
    if namespace is not None and not (different is not None and different.boolean()):
        _require_equal(keyspace, namespace)
    if not uses_timelock:
        return keyspace.text(), None
    timelock = install.entry("timelock")
    client = (timelock.entry("client") if timelock is not None else None) or namespace
    if client is None:
        raise install.error(
            "TimeLock is configured without a client name", "Add `namespace:`, or `client:` to `timelock`."
        )
    if namespace is not None or different is None or not different.boolean():
        _require_equal(client, namespace or keyspace)
    return keyspace.text(), client.text()


def _require_equal(name: Part, other: Part) -> None:
    if name.text() != other.text():
        raise name.error(
            f"{name.name} is “{name.text()}” but {other.name} is “{other.text()}”: AtlasDB refuses to start so,"
            " because timestamps of one namespace on data of another corrupt it",
            "Make them equal, or remove one.",
        )


def _servers(store: Part, live: Part | None) -> CassandraServers:
    for block in (store, live):
        part = block.entry("servers") if block is not None else None
        found = cassandra_servers(part) if part is not None else None
        if found is not None:
            return found
    raise store.error(
        f"{store.name} names no Cassandra servers, and no runtime file does",
        'Name the runtime file that has them, or add `servers: ["host:9160"]`.',
    )


def _replication_factor(store: Part, live: Part | None) -> int | None:
    for block in (store, live):
        part = block.entry("replicationFactor") if block is not None else None
        if part is not None and (factor := part.integer(-1, 1000)) >= 0:
            return factor
    return None


def _credentials(store: Part, instead: Instead) -> tuple[str, str]:
    if instead.username is not None and instead.password is not None:
        return instead.username, instead.password
    credentials = store.required("credentials")
    username = instead.username if instead.username is not None else credentials.required("username").text()
    password = instead.password if instead.password is not None else credentials.required("password").text()
    return username, password


def _tls(store: Part, instead: Instead) -> TlsFiles | None:
    """`ssl` wins where it is present; else an `sslConfiguration` means TLS (`CassandraKeyValueServiceConfig`)."""
    verify = store.entry("enableEndpointVerification")
    verify_host = verify is not None and verify.boolean()
    if instead.tls is not None:
        return msgspec.structs.replace(instead.tls, verify_host=verify_host)
    flag, block = store.entry("ssl"), store.entry("sslConfiguration")
    if not (flag.boolean() if flag is not None else block is not None):
        return None
    files = tls_files(block, verify_host=verify_host) if block is not None else TlsFiles(verify_host=verify_host)
    files.require_no_java_store()
    return files


def _timelock(install: Part, live: Part | None) -> bool:
    return "timelock" in install.mapping() or (live is not None and live.entry("timelockRuntime") is not None)


def _timestamp_authority(install: Part, live: Part | None) -> tuple[Authority, tuple[str, ...], TlsFiles | None]:
    leader, lock, timestamp = (install.entry(name) for name in ("leader", "lock", "timestamp"))
    timelock = _timelock(install, live)
    named = [
        n
        for n, there in (("leader", leader), ("timelock", timelock), ("lock or timestamp", lock or timestamp))
        if there
    ]
    if len(named) > 1:
        raise install.error(
            f"{install.name} has {' and '.join(named)} together: only one can hand out timestamps",
            "Find out which is in use and name a copy of the file without the other.",
        )
    if timelock:
        return _timelock_servers(install, live)
    if leader is not None:
        return "leader", tuple(service_uri(p) for p in leader.required("leaders").items()), _service_tls(leader)
    if lock is None and timestamp is None:
        return "embedded", (), None
    if lock is None or timestamp is None:
        raise install.error(f"{install.name} has only one of lock and timestamp", "AtlasDB needs both or neither.")
    for block in (lock, timestamp):
        if not service_uris(block):
            raise block.error(f"{block.name} names no servers", "Add `servers:` with at least one address.")
    return "remote", service_uris(timestamp), _service_tls(timestamp)


def _timelock_servers(install: Part, live: Part | None) -> tuple[Authority, tuple[str, ...], TlsFiles | None]:
    """The runtime file's list replaces the install file's as a whole (`ServerListConfigs`)."""
    for block in (live.entry("timelockRuntime") if live is not None else None, install.entry("timelock")):
        servers = block.entry("serversList") if block is not None else None
        if servers is not None:
            return "timelock", service_uris(servers), _service_tls(servers)
    return "timelock", (), None


def _service_tls(block: Part) -> TlsFiles | None:
    files = block.entry("sslConfiguration")
    return tls_files(files, verify_host=True) if files is not None else None
