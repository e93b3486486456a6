"""The settings of a session: `recovery.yml`, flags over it, and the service's own AtlasDB configuration beneath.

Frozen once read. Passwords are `Secret`: no repr shows them.
"""

import os
import shlex
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
import platformdirs

from atlasdb_recovery.atlas import config, servers, yaml_document
from atlasdb_recovery.atlas.config import AtlasConfig
from atlasdb_recovery.atlas.secret import Secret
from atlasdb_recovery.atlas.tls_files import TlsFiles
from atlasdb_recovery.atlas.yaml_document import ConfigurationError, Part, expanded
from atlasdb_recovery.atlas.yaml_record import Values, substituted
from atlasdb_recovery.atlas_cli_settings import AtlasCliSettings, atlas_cli_settings
from atlasdb_recovery.cassandra.command_template import CommandTemplateInvalid, command_words
from atlasdb_recovery.settings_file import SettingsFile, TlsBlock, require_given
from atlasdb_recovery.settings_secrets import environment_secrets, secrets_in, shown

INLINE = Path("--inline-config")
NODETOOL_NAMES = frozenset({"address", "jmx_port"})
STORE_NAMES = frozenset({"keyspace", "backup_dir", "session"})
"""What is filled in for {names} in the commands of the settings."""
PUBLIC_DEFAULT = "cassandra"
"""Cassandra's own first user and password, and a part of half of what it prints."""
PASSWORD_OPTIONS = frozenset({"-pw", "--password"})


class CqlSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the cluster is reached over CQL. Timeouts are seconds.

    `contact_points` are host names without ports, all on `port`.
    """

    contact_points: tuple[str, ...]
    port: int = 9042
    username: str = ""
    password: str = ""
    tls: TlsFiles | None = None
    connect_timeout: float = 10.0
    request_timeout: float = 120.0

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "password", Secret(self.password))


class NodetoolSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How nodetool of any node is run. `nodes` overrides any placeholder, or `command`, by address."""

    command: str = "nodetool -h {address} -p {jmx_port}"
    jmx_port: int = 7199
    nodes: dict[str, dict[str, str]] = {}
    username: str | None = None
    password_file: Path | None = None

    @property
    def template(self) -> str:
        """The command with its JMX credentials. The password is in the file that nodetool reads, never an argument."""
        return self.command + self._credentials

    @property
    def node_overrides(self) -> dict[str, dict[str, str]]:
        """`nodes`, their own commands with the JMX credentials too."""
        return {
            address: {key: value + self._credentials if key == "command" else value for key, value in values.items()}
            for address, values in self.nodes.items()
        }

    @property
    def _credentials(self) -> str:
        words: list[str] = []
        if self.username is not None:
            words += ["-u", self.username]
        if self.password_file is not None:
            words += ["-pwf", str(self.password_file)]
        return "".join(" " + shlex.quote(word).replace("{", "{{").replace("}", "}}") for word in words)


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the key value store itself is backed up and restored. `data_directories` are by node address."""

    method: Literal["external", "command", "snapshot"] = "external"
    backup_command: str | None = None
    restore_command: str | None = None
    data_directories: dict[str, Path] = {}


class RepairSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whether nodes that share no replica may be repaired at the same time.

    A node at its repair is asked how far it is after so many seconds, again and again.
    """

    parallel: bool = False
    ask_every: float = 10.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a session was told before it began."""

    service: AtlasConfig
    config_path: Path
    config_root: str | None = None
    backup_dir: Path
    cql: CqlSettings
    nodetool: NodetoolSettings = NodetoolSettings()
    store: StoreSettings = StoreSettings()
    removal: Literal["delete", "abort"] = "delete"
    scan: Literal["full", "from-immutable-timestamp"] = "full"
    """Whether the removal reads the transactions tables whole, or from the backup's immutable timestamp on."""
    repair: RepairSettings = RepairSettings()
    state_dir: Path
    export_dir: Path
    timestamp_servers: tuple[str, ...] = ()
    """Where a running service hands out timestamps, if its own file does not say so (an embedded service)."""
    timestamp_tls: TlsFiles | None = None
    atlas_cli: AtlasCliSettings | None = None
    """Run instead of asking the authority itself."""
    timelock_namespace: str | None = None
    """The operator's word that this is TimeLock's namespace, although TimeLock does not have it yet."""
    timelock_backup_token: str | None = None
    """With which TimeLock disables its namespace during a restore, where its release offers that."""
    environment_secrets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.timelock_backup_token is not None:
            msgspec.structs.force_setattr(self, "timelock_backup_token", Secret(self.timelock_backup_token))
        hidden = tuple(Secret(value) for value in self.environment_secrets)
        msgspec.structs.force_setattr(self, "environment_secrets", hidden)

    @property
    def keyspace(self) -> str:
        return self.service.keyspace

    @property
    def namespace(self) -> str:
        """TimeLock's, of this keyspace."""
        return self.service.timelock_client or self.keyspace

    def secrets(self) -> frozenset[str]:
        """Every text that must never be shown; not what stands in the open anyway, though a password equals it."""
        public = {PUBLIC_DEFAULT, self.keyspace, self.service.username, self.cql.username}
        return frozenset(str(secret) for secret in secrets_in(self) if secret) - public

    def shown(self) -> dict[str, Any]:
        """All of it as plain values for the journal, secrets as ***."""
        told = shown(self, self.secrets())
        assert isinstance(told, dict)
        del told["environment_secrets"]
        return told


def load(
    path: Path | None,
    overrides: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Settings:
    """Of `recovery.yml` (None: of overrides alone), with flags over it by dotted keys such as `cql.port`.

    `typed` is what the file would say instead ("": nothing). Paths in it and in the file count from the file's
    directory, paths in overrides from the working directory, and so do those in `defaults`, which count where none of
    them says anything. Raises ConfigurationError.
    """
    document = yaml_document.read(path) if path is not None else None
    written = document.mapping() if document is not None else {}
    absent = {key: value for key, value in (defaults or {}).items() if key not in written}
    given = {**absent, **(overrides or {})}
    if document is None:
        require_given({**given, **(typed or {})})
    values = Values(document, given, os.environ if environment is None else environment, typed)
    try:
        return _Reading(values, values.record(SettingsFile), path.parent if path is not None else Path()).settings()
    except ConfigurationError as error:
        raise error.without(environment_secrets(values)) from None


def state_dir_of(path: Path | None) -> Path:
    """Where the journals are, for those who need nothing else of the settings (None: no file). ConfigurationError."""
    entry = yaml_document.read(path).entry("state_dir") if path is not None else None
    if path is None or entry is None:
        return platformdirs.user_state_path("atlasdb-recovery")
    return path.parent.absolute() / expanded(substituted(entry.text(), os.environ, entry.error), entry.error)


class _Reading:
    """The file's keys, and the directory its paths count from."""

    def __init__(self, values: Values, file: SettingsFile, directory: Path) -> None:
        self._values, self._file, self._directory = values, file, directory.absolute()

    def settings(self) -> Settings:
        file = self._file
        state_dir = self._path("state_dir", file.state_dir) or platformdirs.user_state_path("atlasdb-recovery")
        backup_dir = self._path("backup_dir", file.backup_dir)
        assert backup_dir is not None
        service, config_path = self._service()
        return Settings(
            service=service,
            config_path=config_path,
            config_root=file.config_root,
            backup_dir=backup_dir,
            cql=self._cql(service),
            nodetool=self._nodetool(),
            store=self._store(),
            removal=file.removal,
            scan=file.scan,
            repair=RepairSettings(parallel=file.repair.parallel, ask_every=file.repair.ask_every),
            state_dir=state_dir,
            export_dir=self._path("export_dir", file.export_dir) or state_dir / "exports",
            timestamp_servers=self._timestamp_servers(),
            timestamp_tls=self._tls("timestamps.tls", file.timestamps.tls, verify_host=True),
            atlas_cli=self._atlas_cli(),
            timelock_namespace=self._timelock_namespace(service),
            timelock_backup_token=file.timestamps.backup_token,
            environment_secrets=tuple(environment_secrets(self._values)),
        )

    def _service(self) -> tuple[AtlasConfig, Path]:
        file = self._file
        tls = self._tls("cql.tls", file.cql.tls)
        instead = config.Instead(username=file.cql.username, password=file.cql.password, tls=tls)
        runtime = self._block("runtime_config", file.runtime_config_root)
        install = self._block("config", file.config_root)
        if install is None:
            remedy = "Add `config:` with the path of the service's AtlasDB configuration, or give --config."
            raise self._values.error((), "config is missing", remedy)
        path = self._path("config", file.config) or INLINE
        return config.configured(install, runtime, instead), path

    def _block(self, key: str, root: str | None) -> Part | None:
        """The AtlasDB block that this key names as a file, or its `inline_` sister holds."""
        inline = getattr(self._file, f"inline_{key}")
        path = self._path(key, getattr(self._file, key))
        if inline is not None and path is not None:
            raise self._values.error((f"inline_{key}",), f"{key} is given as well", "Give one of the two.")
        if inline is not None:
            return config.block_of(inline, root or "", f"--inline-{key.replace('_', '-')}")
        return None if path is None else config.block_in(path, root)

    def _cql(self, service: AtlasConfig) -> CqlSettings:
        block = self._file.cql
        ports = {host.port for host in service.cql_hosts}
        has_own_port = "port" in self._values.values.get("cql", {})
        if len(ports) > 1 and not has_own_port:
            what = "the service's cqlHosts use different ports"
            raise self._values.error(("cql",), what, "Give `cql.port` and the `cql.contact_points` that listen on it.")
        hosts = service.cql_hosts or service.thrift_hosts
        return CqlSettings(
            contact_points=block.contact_points or tuple(dict.fromkeys(host.host for host in hosts)),
            port=block.port if has_own_port or not ports else ports.pop(),
            username=service.username,
            password=service.password,
            tls=service.tls,
            connect_timeout=block.connect_timeout,
            request_timeout=block.request_timeout,
        )

    def _nodetool(self) -> NodetoolSettings:
        block = self._file.nodetool
        filled_in = NODETOOL_NAMES.union(*block.nodes.values())
        self._require_command(("nodetool", "command"), block.command, filled_in)
        for address, overrides in block.nodes.items():
            if "command" in overrides:
                path = ("nodetool", "nodes", address, "command")
                self._require_command(path, overrides["command"], NODETOOL_NAMES.union(overrides))
        return NodetoolSettings(
            command=block.command,
            jmx_port=block.jmx_port,
            nodes=block.nodes,
            username=block.username,
            password_file=self._path("nodetool.password_file", block.password_file),
        )

    def _require_command(self, path: tuple[str, ...], command: str, filled_in: Collection[str]) -> None:
        """It can be split into words, {names} in it are among these, and no word of it is a password."""
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise self._values.error(path, f"this is no command: {error}", "Close its quotes.") from None
        if not words:
            raise self._values.error(path, "the command is empty", "Write what is to be run.")
        try:
            command_words(command, dict.fromkeys(filled_in, ""))
        except CommandTemplateInvalid as error:
            raise self._values.error(path, str(error).rstrip("."), "Correct what stands in braces.") from None
        if PASSWORD_OPTIONS & {word.partition("=")[0] for word in words}:
            what = "a password among a command's arguments can be read by everyone on the machine"
            raise self._values.error(path, what, "Write it to a file and name that as `nodetool.password_file`.")

    def _store(self) -> StoreSettings:
        block = self._file.store
        directories = {
            address: self._expanded("store.data_directories", text) for address, text in block.data_directories.items()
        }
        for key in ("backup_command", "restore_command") if block.method == "command" else ():
            command = getattr(block, key)
            if not command:
                what = f"store.method is command, but store.{key} is missing"
                raise self._values.error(("store",), what, f"Add `{key}:` to `store:`.")
            self._require_command(("store", key), command, STORE_NAMES)
        if block.method == "snapshot" and not directories:
            remedy = "Add `data_directories:` with each node's address and its Cassandra data directory."
            raise self._values.error(("store",), "store.method is snapshot, but data_directories is missing", remedy)
        return StoreSettings(
            method=block.method,
            backup_command=block.backup_command,
            restore_command=block.restore_command,
            data_directories=directories,
        )

    def _timestamp_servers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._uri(text) for text in self._file.timestamps.servers))

    def _atlas_cli(self) -> AtlasCliSettings | None:
        file = self._file
        if file.timestamps.command is None:
            return None
        self._require_command(("timestamps", "command"), file.timestamps.command, ())
        paths = (self._path("config", file.config), self._path("runtime_config", file.runtime_config))
        return atlas_cli_settings(self._values, file, *paths)

    def _timelock_namespace(self, service: AtlasConfig) -> str | None:
        """One that is another than the service's would be a word about nothing."""
        named = self._file.timestamps.namespace
        if named is not None and named != service.timelock_client:
            what = f"“{named}” is not the namespace that the service's configuration has for TimeLock"
            remedy = f"It is {service.timelock_client or 'not on TimeLock'}. Correct the one that is wrong."
            raise self._values.error(("timestamps", "namespace"), what, remedy)
        return named

    def _uri(self, text: str) -> str:
        uri = servers.base_uri(text)
        if uri is None:
            raise self._values.error(("timestamps", "servers"), "this is no address of a service", servers.URI_REMEDY)
        return uri

    def _tls(self, key: str, block: TlsBlock | None, *, verify_host: bool = False) -> TlsFiles | None:
        if block is None:
            return None
        if block.key is not None and block.certificate is None:
            raise self._values.error(tuple(key.split(".")), "key is given without certificate", "Add `certificate:`.")
        files = TlsFiles(
            ca=self._path(f"{key}.ca", block.ca),
            certificate=self._path(f"{key}.certificate", block.certificate),
            key=self._path(f"{key}.key", block.key),
            password=block.key_password or "",
            verify_host=verify_host,
        )
        files.require_files()
        return files

    def _base(self, key: str) -> Path:
        return Path.cwd() if key in self._values.overridden else self._directory

    def _path(self, key: str, text: str | None) -> Path | None:
        if text is None:
            return None
        if not text or "\0" in text:
            raise self._values.error(tuple(key.split(".")), "this is no path", "Write the path of a file or directory.")
        return self._expanded(key, text)

    def _expanded(self, key: str, text: str) -> Path:
        return self._base(key) / expanded(text, partial(self._values.error, tuple(key.split("."))))
