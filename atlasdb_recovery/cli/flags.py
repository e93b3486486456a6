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
WITHOUT_FLAG = frozenset({"password", "nodes"})
_HELP = {
    "config": "The service's AtlasDB configuration (YAML), read as it is.",
    "config_root": "JSON pointer to the AtlasDB block in it; /atlasdb, then /atlas.",
    "backup_dir": "Directory of the backup.",
    "store.method": "How the store itself is backed up and restored.",
    "removal": "How transactions after B are removed; schema 3 is always aborted.",
}


def settings_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --settings and a flag for every key; the command gets `settings_file` and `overrides`."""
    for dotted, kind in reversed(list(_keys(SettingsFile, ""))):
        command = _option(dotted, kind)(command)
    return click.option(
        "--settings",
        "settings_file",
        type=click.Path(path_type=Path, dir_okay=False),
        help=f"Settings file; by default {DEFAULT_FILE} in the working directory, if it is there.",
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
        if isinstance(value, tuple) and value and "=" in value[0] and dotted.endswith("directories"):
            value = dict(entry.split("=", 1) for entry in value)
        overrides[dotted] = list(value) if isinstance(value, tuple) else value
    return overrides


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


def _option(dotted: str, kind: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    name = "--" + dotted.replace(".", "-").replace("_", "-")
    parameter = "set_" + dotted.replace(".", "_")
    origin = get_origin(kind)
    help_text = _HELP.get(dotted, f"Overrides {dotted}.")
    if kind is bool:
        return click.option(f"{name}/--no-{name[2:]}", parameter, default=None, help=help_text)
    if origin is Literal:
        return click.option(name, parameter, type=click.Choice(get_args(kind)), help=help_text)
    if origin in {dict, tuple, list}:
        metavar = "ADDRESS=PATH" if origin is dict else "TEXT"
        return click.option(name, parameter, multiple=True, metavar=metavar, help=f"{help_text} Repeatable.")
    return click.option(name, parameter, help=help_text)
