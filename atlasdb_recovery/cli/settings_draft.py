"""Settings while they are being written: one text a key, checked as it is typed, saved as `recovery.yml`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from atlasdb_recovery.atlas import yaml_document
from atlasdb_recovery.atlas.yaml_document import ConfigurationError
from atlasdb_recovery.cassandra.nodetool import CommandNodetool
from atlasdb_recovery.cassandra.ports import NodetoolFailed
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.settings import Settings, load
from tui.workplace import DraftField

FIELDS = (
    DraftField("config", "Service's configuration", "the YAML file that the service itself is started with", "file"),
    DraftField("config_root", "Root in it", "JSON pointer to the AtlasDB block; empty: /atlasdb, then /atlas", "text"),
    DraftField("backup_dir", "Backup directory", "where B, F and the manifest lie, or will lie", "directory"),
    DraftField("cql.port", "CQL port", "the native port, usually 9042; not Thrift's 9160", "text"),
    DraftField("cql.username", "CQL user", "empty: the service's own credentials", "text"),
    DraftField("cql.password", "CQL password", "${NAME} of an environment variable, never the password", "text"),
    DraftField("nodetool.command", "nodetool", "e.g. ssh {address} nodetool; {address}, {jmx_port} are put in", "text"),
    DraftField("nodetool.jmx_port", "JMX port", "usually 7199", "text"),
    DraftField("store.method", "Store's method", "external, command or snapshot", "external|command|snapshot"),
    DraftField("removal", "Removal", "delete or abort; schema 3 is always aborted", "delete|abort"),
)
KEYS = frozenset(field.key for field in FIELDS)
VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


class SettingsDraft:
    """What is typed lies over the file that there is."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def values(self) -> dict[str, str]:
        """What the file says now, by dotted key; "" where it says nothing."""
        raw = self._raw()
        return {field.key: _text(_at(raw, field.key)) for field in FIELDS}

    def problems(self, typed: Mapping[str, str]) -> dict[str, str]:
        """What is wrong, by key; under "" what belongs to no single key. Empty: these settings can be used."""
        found = {}
        if typed.get("cql.password") and not VARIABLE.fullmatch(typed["cql.password"]):
            found["cql.password"] = "write ${NAME} of an environment variable; a password is not kept in a file"
        if not typed.get("backup_dir"):
            found["backup_dir"] = "needed: the directory of the backup"
        if not typed.get("config"):
            found["config"] = "needed: the service's AtlasDB configuration"
        if found:
            return found
        try:
            self.settings(typed)
        except ConfigurationError as error:
            return {self._key_of(error, typed): f"{error.what}. {error.remedy}"}
        return {}

    def settings(self, typed: Mapping[str, str]) -> Settings:
        """Raises ConfigurationError."""
        return load(self._existing(), _given(typed))

    def save(self, typed: Mapping[str, str]) -> Path:
        """Writes `recovery.yml`. What was there before is kept beside it; its comments are not carried over."""
        raw = self._raw()
        for key in KEYS:
            _put(raw, key, typed.get(key, ""))
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
        if error.file and Path(error.file).name == Path(typed["config"]).name:
            return "config_root" if "root" in error.what or "pointer" in error.what else "config"
        return next((key for key in sorted(KEYS, key=len, reverse=True) if key in error.what), "")

    def _existing(self) -> Path | None:
        return self.path if self.path.exists() else None

    def _raw(self) -> dict[str, Any]:
        if not self.path.exists():
            return {}
        raw = yaml_document.read(self.path).raw()
        return raw if isinstance(raw, dict) else {}


def _given(typed: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in typed.items() if key in KEYS and value}


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
        raw[last] = int(value) if value.isdigit() else value
    else:
        raw.pop(last, None)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
