"""Every key of `recovery.yml` as a flag, made from the settings' own definition.

`cql.port` becomes `--cql-port`. Mappings take `KEY=VALUE`, lists repeat. Passwords have no flag: a process's
arguments can be read by everybody on the machine.
"""

import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import click
import msgspec

from atlasdb_recovery.settings_file import SettingsFile
from tui.look import Look

DEFAULT_FILE = "recovery.yml"
WITHOUT_FLAG = frozenset({"password", "key_password", "backup_token", "nodes"})
_HELP = {
    "config": "The service's AtlasDB configuration (YAML), read as it is.",
    "inline_config": "The AtlasDB block itself, as text, instead of a file.",
    "config_root": "JSON pointer to the AtlasDB block in it; by default /atlasdb, then /atlas.",
    "runtime_config": "The service's runtime configuration (YAML), if it has one.",
    "runtime_config_root": "JSON pointer to the AtlasDB block in that.",
    "inline_runtime_config": "The runtime block itself, as text, instead of a file.",
    "backup_dir": "Directory of the backup: the two timestamp files, the manifest, the store's copy.",
    "cql.port": "Port where the nodes speak CQL. [default: the service's cqlHosts, or 9042]",
    "cql.username": "CQL user, instead of the service's.",
    "cql.tls.ca": "PEM file with the authority that signed the nodes' certificates.",
    "cql.tls.certificate": "PEM file with our own certificate.",
    "cql.tls.key": "PEM file with its key, unless the certificate's file holds it.",
    "cql.contact_points": "Host to connect to first, instead of the service's. Repeatable.",
    "cql.connect_timeout": "Seconds a node has to answer at first. [default: 10]",
    "cql.request_timeout": "Seconds a node has for each request. [default: 120]",
    "nodetool.command": "How nodetool of a node is run, e.g. 'ssh {address} nodetool'.",
    "nodetool.jmx_port": "Port for {jmx_port} in that. [default: 7199]",
    "nodetool.username": "JMX user.",
    "nodetool.password_file": "File from which nodetool reads the JMX password.",
    "store.method": "How the store is copied: you do it (external), a tool does (command), nodetool snapshot.",
    "store.backup_command": "For method command: what backs the store up; {keyspace} {backup_dir} {session}.",
    "store.restore_command": "For method command: what restores it.",
    "store.data_directories": "For method snapshot: a node's data directory, by its own path. Repeatable.",
    "removal": "How transactions after B are removed; schema 3 is always aborted. [default: delete]",
    "scan": "Whether a removal reads everything, or from the sealed immutable timestamp on. [default: full]",
    "repair.parallel": "Repair nodes that share no replica at the same time.",
    "repair.ask_every": "Seconds between two questions how far a node's repair is. [default: 10]",
    "timestamps.command": "AtlasDB's own command line, run instead of asking the timestamp service itself.",
    "timestamps.namespace": "Your word that this is the namespace, although a new TimeLock does not have it yet.",
    "timestamps.servers": "Where the running service hands out timestamps, if its file does not say. Repeatable.",
    "timestamps.tls.ca": "PEM file with the authority that signed that service's certificate.",
    "timestamps.tls.certificate": "PEM file with our own certificate for it.",
    "timestamps.tls.key": "PEM file with its key.",
    "state_dir": "Where journals and locks are kept. [default: under XDG_STATE_HOME]",
    "export_dir": "Where removed transactions are exported to. [default: exports in the state directory]",
}


def settings_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --settings and a flag for every key; the command gets `settings_file` and `overrides`."""
    for dotted, kind in reversed(list(_keys(SettingsFile, ""))):
        command = _option(dotted, kind)(command)
    return click.option(
        "--settings",
        "settings_file",
        type=click.Path(path_type=Path, dir_okay=False),
        help=f"The settings. [default: {DEFAULT_FILE} in the working directory, if it is there]",
    )(command)


def wizard_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """How the wizard looks, and whether it may change anything."""
    for option in (
        click.option("--light", is_flag=True, help="A light theme."),
        click.option("--no-color", is_flag=True, help="The terminal's own colours only (also: NO_COLOR)."),
        click.option("--ascii", "ascii_only", is_flag=True, help="No sign outside ASCII (also: TERM=linux)."),
        click.option("--read-only", is_flag=True, help="The wizard looks at everything and changes nothing."),
    ):
        command = option(command)
    return command


def chosen_look(given: dict[str, Any]) -> Look:
    return Look.chosen(ascii_only=given["ascii_only"], no_color=given["no_color"], light=given["light"])


def overrides_in(given: dict[str, Any]) -> dict[str, Any]:
    """Takes the flags out of a command's keyword arguments: dotted key to value, only those that were given."""
    overrides: dict[str, Any] = {}
    for dotted, _ in _keys(SettingsFile, ""):
        value = given.pop("set_" + dotted.replace(".", "_"), None)
        if value is None or value == ():
            continue
        if dotted.endswith("directories"):
            value = dict(_pair(dotted, entry) for entry in value)
        overrides[dotted] = list(value) if isinstance(value, tuple) else value
    return overrides


def _pair(dotted: str, entry: str) -> tuple[str, str]:
    address, equals, path = entry.partition("=")
    if not equals or not address or not path:
        raise click.UsageError(f"{_name(dotted)} {entry}: write it as ADDRESS=PATH")
    return address, path


def settings_path(given: Path | None) -> Path | None:
    """The file named, else the default one if it exists."""
    if given is not None:
        return given
    default = Path(DEFAULT_FILE)
    return default if default.exists() else None


def _keys(struct: type[msgspec.Struct], above: str) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(struct):
        if field.name in WITHOUT_FLAG:
            continue
        kind = _without_none(field.type)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from _keys(kind, f"{above}{field.name}.")
        else:
            yield f"{above}{field.name}", kind


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in {Union, types.UnionType}:
        return next(arm for arm in get_args(kind) if arm is not type(None))
    return kind


def _name(dotted: str) -> str:
    return "--" + dotted.replace(".", "-").replace("_", "-")


def _option(dotted: str, kind: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    name = _name(dotted)
    parameter = "set_" + dotted.replace(".", "_")
    origin = get_origin(kind)
    help_text = _HELP[dotted]
    if kind is bool:
        return click.option(f"{name}/--no-{name[2:]}", parameter, default=None, help=help_text)
    if origin is Literal:
        return click.option(name, parameter, type=click.Choice(get_args(kind)), help=help_text)
    if origin in {dict, tuple, list}:
        metavar = "ADDRESS=PATH" if origin is dict else "TEXT"
        return click.option(name, parameter, multiple=True, metavar=metavar, help=help_text)
    return click.option(name, parameter, help=help_text)
