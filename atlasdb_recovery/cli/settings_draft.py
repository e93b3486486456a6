"""Settings while they are being written: one text a key, checked as it is typed, saved as `recovery.yml`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from atlasdb_recovery.atlas import yaml_document
from atlasdb_recovery.atlas.pointer import RootAbsent, RootMalformed
from atlasdb_recovery.atlas.yaml_document import ConfigurationError
from atlasdb_recovery.cassandra.nodetool import CommandNodetool
from atlasdb_recovery.cassandra.ports import NodetoolFailed
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.settings import Settings, load
from tui.workplace import DraftField

FIELDS = (
    DraftField("config", "Service's config", "the YAML file that the service itself is started with", "file"),
    DraftField("config_root", "Root in it", "JSON pointer to the AtlasDB block; empty: /atlasdb, then /atlas", "text"),
    DraftField("backup_dir", "Backup directory", "where B, F and the manifest lie, or will lie", "directory"),
    DraftField("cql.port", "CQL port", "the native port, usually 9042; not Thrift's 9160", "text"),
    DraftField("cql.username", "CQL user", "empty: the service's own credentials", "text"),
    DraftField("cql.password", "CQL password", "${NAME} of an environment variable, never the password", "text"),
    DraftField("nodetool.command", "nodetool", "e.g. ssh {address} nodetool; {address}, {jmx_port} are put in", "text"),
    DraftField("nodetool.jmx_port", "JMX port", "usually 7199", "text"),
    DraftField("store.method", "Store's method", "external, command or snapshot", "external|command|snapshot"),
    DraftField("store.backup_command", "Backup command", "for the method command; {keyspace}, {backup_dir}", "text"),
    DraftField("store.restore_command", "Restore command", "for the method command; {keyspace}, {backup_dir}", "text"),
    DraftField("removal", "Removal", "delete or abort; schema 3 is always aborted", "delete|abort"),
    DraftField(
        "scan",
        "Removal's scan",
        "full, or narrowed where a sealed manifest proves an immutable timestamp (TimeLock)",
        "full|from-immutable-timestamp",
    ),
    DraftField("timestamps.command", "Java's atlasdb", "only where nothing else reaches TimeLock: its command", "text"),
    DraftField(
        "timestamps.namespace",
        "TimeLock's name",
        "your word on the namespace, where TimeLock does not have it yet",
        "text",
    ),
)
KEYS = frozenset(field.key for field in FIELDS)
VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


STAND_IN_SERVICE = """{namespace: x, keyValueService: {type: cassandra, servers: ["127.0.0.1:9160"],
  credentials: {username: x, password: x}}}"""
STAND_INS: Mapping[str, Mapping[str, str]] = {
    "config": {"config": "", "inline_config": STAND_IN_SERVICE},
    "backup_dir": {"backup_dir": "."},
    "cql.password": {"cql.password": "x"},
    "store.backup_command": {"store.backup_command": "x"},
    "store.restore_command": {"store.restore_command": "x"},
}
"""What is taken instead of something wrong, so that the other keys can be judged; else what holds without the key."""
NOT_YET = "cannot be judged until the service's configuration can be read"


class SettingsDraft:
    """What is typed lies over the file that there is, and the command line over both."""

    def __init__(
        self, path: Path, overrides: Mapping[str, Any] | None = None, typed: Mapping[str, str] | None = None
    ) -> None:
        """`typed` is what is in use already, though it may not be saved."""
        self.path = path
        self._overrides = overrides or {}
        self._typed = typed or {}

    def values(self) -> dict[str, str]:
        """What is set now, by dotted key; "" where nothing is."""
        raw = self._raw()
        return {field.key: _text(_at(raw, field.key)) for field in FIELDS} | dict(self._typed)

    def problems(self, typed: Mapping[str, str]) -> dict[str, str]:
        """What is wrong, of every key; under "" what belongs to no single one, and then no key is known to be right.

        Empty: these settings can be used.
        """
        try:
            found = self._plain_to_see(typed)
        except ConfigurationError as error:
            return {"": str(error)}
        trial = dict(typed)
        for key in found:
            trial.update(STAND_INS[key])
        while True:
            try:
                self.settings(trial)
            except ConfigurationError as error:
                key = self._key_of(error, trial)
                if key in found or (not key and "config" in found):
                    return found | {"": f"the rest {NOT_YET}" if "config" in found else str(error)}
                found[key] = self._said(error, key, found)
                if not key:
                    return found
                trial.update(STAND_INS.get(key, {key: ""}))
            else:
                return found

    def _plain_to_see(self, typed: Mapping[str, str]) -> dict[str, str]:
        found = {}
        if typed.get("cql.password") and not VARIABLE.fullmatch(typed["cql.password"]):
            found["cql.password"] = "write ${NAME} of an environment variable; a password is not kept in a file"
        if typed.get("backup_dir") == "":
            found["backup_dir"] = "needed: the directory of the backup"
        is_inline = "inline_config" in self._overrides or "inline_config" in self._raw()
        if typed.get("config") == "" and not is_inline:
            found["config"] = "needed: the service's AtlasDB configuration"
        return found

    def settings(self, typed: Mapping[str, str]) -> Settings:
        """Raises ConfigurationError."""
        return load(self._existing(), self._overrides, typed=typed)

    def save(self, typed: Mapping[str, str]) -> Path:
        """Writes `recovery.yml`. What was there before is kept beside it; its comments are not carried over."""
        raw = self._raw()
        for key, value in typed.items():
            _put(raw, key, value)
        if self.path.exists():
            self.path.replace(self.path.with_name(self.path.name + ".before"))
        self.path.write_text(yaml.safe_dump(raw, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return self.path

    async def try_nodetool(self, typed: Mapping[str, str]) -> tuple[str, ...]:
        """`nodetool version` and `info` of the first contact point: the exact command, and what came back."""
        try:
            settings = self.settings(typed)
        except ConfigurationError as error:
            return (str(error),)
        nodetool = CommandNodetool(
            settings.nodetool.template,
            jmx_port=settings.nodetool.jmx_port,
            nodes=settings.nodetool.node_overrides,
            secrets=settings.secrets(),
        )
        address = settings.cql.contact_points[0]
        lines = ["runs: " + " ".join(nodetool.command(address, "info"))]
        try:
            output = await nodetool.run(address, "info", timeout=30.0)
        except NodetoolFailed as error:
            return (*lines, plain(str(error)))
        lines += [plain(line.text) for line in output.lines[:12]]
        return (
            *lines,
            f"exit code {output.exit_code}: " + ("it answers" if output.exit_code == 0 else "it does not work"),
        )

    def _key_of(self, error: ConfigurationError, typed: Mapping[str, str]) -> str:
        """Of what is typed, the key that this is about; "" for none."""
        if isinstance(error, RootMalformed | RootAbsent) and typed.get("config_root", "") in error.what:
            return "config_root" if typed.get("config_root") else ""
        if error.file and typed.get("config") and Path(error.file).name == Path(typed["config"]).name:
            return "config"
        asked = sorted(KEYS & typed.keys(), key=len, reverse=True)
        of_key = (key for key in asked if f"{error.key}.".startswith(f"{key}."))
        in_words = (key for key in asked if "." in key and key in error.what)
        return next(of_key, None) or next(in_words, "")

    @staticmethod
    def _said(error: ConfigurationError, key: str, found: Mapping[str, str]) -> str:
        if not key:
            return str(error)
        if isinstance(error, RootAbsent) and "config" in found:
            return NOT_YET
        return f"{error.what.removeprefix(f'{key}: ')}. {error.remedy}"

    def _existing(self) -> Path | None:
        return self.path if self.path.exists() else None

    def _raw(self) -> dict[str, Any]:
        if not self.path.exists():
            return {}
        raw = yaml_document.read(self.path).raw()
        return raw if isinstance(raw, dict) else {}


def _at(raw: Mapping[str, Any], dotted: str) -> Any:
    value: Any = raw
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _put(raw: dict[str, Any], dotted: str, value: str) -> None:
    """An empty text takes the key out."""
    *above, last = dotted.split(".")
    for key in above:
        if key not in raw and not value:
            return
        raw = raw.setdefault(key, {})
    if value:
        raw[last] = int(value) if value.isascii() and value.isdigit() else value
    else:
        raw.pop(last, None)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
