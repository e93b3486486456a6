"""`recovery.yml` as it is written: every key it may hold. `atlasdb_recovery.settings` says what they come to mean."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from atlasdb_recovery.atlas.yaml_document import ConfigurationError

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class _Block(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class TlsBlock(_Block, frozen=True, kw_only=True):
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    key_password: str | None = None


class CqlBlock(_Block, frozen=True, kw_only=True):
    port: Port = 9042
    username: str | None = None
    password: str | None = None
    tls: TlsBlock | None = None
    contact_points: tuple[str, ...] = ()
    connect_timeout: Seconds = 10.0
    request_timeout: Seconds = 120.0


class NodetoolBlock(_Block, frozen=True, kw_only=True):
    command: str = "nodetool -h {address} -p {jmx_port}"
    jmx_port: Port = 7199
    nodes: dict[str, dict[str, str]] = {}
    username: str | None = None
    password_file: str | None = None


class StoreBlock(_Block, frozen=True, kw_only=True):
    method: Literal["external", "command", "snapshot"] = "external"
    backup_command: str | None = None
    restore_command: str | None = None
    data_directories: dict[str, str] = {}


class RepairBlock(_Block, frozen=True, kw_only=True):
    parallel: bool = False
    ask_every: Seconds = 10.0


class TimestampsBlock(_Block, frozen=True, kw_only=True):
    command: str | None = None
    servers: tuple[str, ...] = ()
    tls: TlsBlock | None = None
    namespace: str | None = None
    backup_token: str | None = None


class SettingsFile(_Block, frozen=True, kw_only=True):
    config: str | None = None
    inline_config: str | None = None
    config_root: str | None = None
    runtime_config: str | None = None
    runtime_config_root: str | None = None
    inline_runtime_config: str | None = None
    backup_dir: str
    cql: CqlBlock = CqlBlock()
    nodetool: NodetoolBlock = NodetoolBlock()
    store: StoreBlock = StoreBlock()
    removal: Literal["delete", "abort"] = "delete"
    scan: Literal["full", "from-immutable-timestamp"] = "full"
    repair: RepairBlock = RepairBlock()
    timestamps: TimestampsBlock = TimestampsBlock()
    state_dir: str | None = None
    export_dir: str | None = None


def require_given(given: Mapping[str, Any]) -> None:
    """Without a file the flags have to say what must be known. Raises ConfigurationError."""
    missing = [] if given.get("config") or given.get("inline_config") else ["--config"]
    missing += [] if given.get("backup_dir") else ["--backup-dir"]
    if missing:
        raise ConfigurationError(
            f"no recovery.yml was found in this directory ({Path.cwd()})",
            f"Write one: README.md shows a whole one, and Settings of the wizard (`atlasdb-recovery`) writes one. Or "
            f"name yours with --settings, or give {' and '.join(missing)}.",
        )


EXAMPLE = """\
config: install.yml              # the service's AtlasDB configuration, read as it is
config_root: /atlasdb            # where the AtlasDB block stands in it
# runtime_config: runtime.yml    # if the service has one; runtime_config_root as well
backup_dir: /backups/orders-2026-11-23
cql:                             # what the service's file lacks; what it has is used as it is
  port: 9042
  username: recovery
  password: "${CQL_PASSWORD}"    # from the environment
  tls: {ca: ca.pem, certificate: client.pem, key: client.key}
  # contact_points: [cass-1, cass-2]
nodetool:
  command: "nodetool -h {address} -p {jmx_port}"     # or "ssh {address} nodetool", "kubectl exec …"
  jmx_port: 7199
  nodes: {127.0.0.2: {jmx_port: 7102}}               # overrides by address
  # username: jmx                                    # the password is read by nodetool, from a file
  # password_file: jmx.password
store:
  method: external               # or command, snapshot
  # backup_command: "medusa backup --backup-name {session}"
  # restore_command: "medusa restore-cluster --backup-name {session}"
  # data_directories: {127.0.0.1: /var/lib/cassandra/data}         # each node's own path, readable here
removal: delete                  # or abort; schema 3 is always aborted
scan: full                       # or from-immutable-timestamp, where the backup's manifest proves one (TimeLock)
repair: {parallel: false, ask_every: 10}           # seconds between two questions how far a node is
# timestamps: {servers: ["https://app-1:3828/orders/api"]}   # a running service's own; or {command: its atlasdb}
# state_dir: /var/lib/atlasdb-recovery
# export_dir: /var/lib/atlasdb-recovery/exports
"""
"""A whole `recovery.yml`."""
