"""`atlasdb`: the lines of AtlasDB's page and of its Java command line, saying only what was proven.

Options are taken at any place: the page prints some after the sub-command, the Java tool wants them before it.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.atlas.yaml_document import ConfigurationError
from atlasdb_recovery.cli.ending import every_character, exit_code_of
from atlasdb_recovery.cli.flags import settings_path
from atlasdb_recovery.cli.graph import Graph, graph_of
from atlasdb_recovery.cli.interruption import interruptible
from atlasdb_recovery.cli.teaching import CONTEXT, TeachingCommand, TeachingGroup
from atlasdb_recovery.cli.timestamp_commands import TimestampCommands
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.settings import Settings, load
from atlasdb_recovery.timestamps.targets import require_reachable

NEITHER_NOR = "This command requires a timestamp: give one and only one of --timestamp and --file."
GIVEN = "atlasdb_recovery.given"
CONFIGURATION = (
    "config",
    "config_root",
    "runtime_config",
    "runtime_config_root",
    "inline_config",
    "inline_runtime_config",
)
PAGE = "atlasdb --config install.yml --config-root /atlasdb timestamp "
JAVA = "atlasdb --offline -c install.yml timestamp "


class _Timestamp(click.ParamType[int]):
    """A decimal number as Java reads a long: digits and a sign, nothing else."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if not re.fullmatch(r"[+-]?[0-9]{1,4000}", value, re.ASCII):
            self.fail(f"“{plain(value, 60)}” is not a whole number")
        return int(value)


_OPTIONS = [
    click.option("-c", "--config", metavar="FILE", help="The service's install configuration (YAML)."),
    click.option("--config-root", metavar="POINTER", help="JSON pointer to the AtlasDB block; /atlasdb, then /atlas."),
    click.option("--runtime-config", metavar="FILE", help="The service's runtime configuration (YAML)."),
    click.option("--runtime-config-root", metavar="POINTER", help="JSON pointer to the AtlasDB block in it."),
    click.option("--inline-config", help="The AtlasDB block itself, as text."),
    click.option("--inline-runtime-config", help="The runtime block itself, as text."),
    click.option(
        "--offline", is_flag=True, help="No AtlasDB client of this keyspace is running: every instance is stopped."
    ),
    click.option("-f", "--file", type=click.Path(path_type=Path, dir_okay=False), help="One-line timestamp file."),
    click.option("-t", "--timestamp", type=_Timestamp(), help="The timestamp for this command."),
    click.option("-s", "--start-timestamp", type=_Timestamp(), help="Accepted; the whole table is always scanned."),
    click.option("--skip-start-timestamp-check", is_flag=True, help="Accepted; there is no such check here."),
]


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group(cls=TeachingGroup, context_settings=CONTEXT, invoke_without_command=True)
@_options
@click.pass_context
def main(context: click.Context, /, **given: Any) -> None:
    """AtlasDB's timestamp commands on Cassandra, each proven before it says so.

    Understands the lines of AtlasDB's Backup and Restore page, and the option order of its Java tool. A `recovery.yml`
    in the working directory says what the service's configuration lacks (cql, nodetool). `atlasdb-recovery` does the
    whole procedure, the repair and the store included.
    """
    _merge(context, given)
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@main.group(cls=TeachingGroup, invoke_without_command=True)
@_options
@click.pass_context
def timestamp(context: click.Context, /, **given: Any) -> None:
    """Fetch a timestamp, clean transactions after one, fast-forward to one."""
    _merge(context, given)
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@main.command("help", add_help_option=False)
@click.argument("commands", nargs=-1)
@click.pass_context
def help_command(context: click.Context, commands: tuple[str, ...]) -> None:
    """Help on a command: atlasdb help timestamp fetch."""
    command: click.Command = main
    at = context.find_root()
    for name in commands:
        below = command.get_command(at, name) if isinstance(command, click.Group) else None
        if below is None:
            raise click.UsageError(f"there is no command {plain(name, 60)}")
        command, at = below, click.Context(below, parent=at, info_name=name)
    click.echo(command.get_help(at))


@timestamp.command(
    "fetch",
    cls=TeachingCommand,
    examples=(PAGE + "fetch --file backup.timestamp", JAVA + "-f backup.timestamp fetch"),
    exits={3: "a guard refused, a running service's bound above all; nothing was changed"},
)
@_options
@click.option("-i", "--immutable", is_flag=True, help="The immutable timestamp; offline that is a fresh one.")
@click.option("-d", "--date-time", is_flag=True, help="Also the wall-clock time that AtlasDB noted for it.")
@click.pass_context
def fetch_command(context: click.Context, /, immutable: bool, date_time: bool, **given: Any) -> int:
    """Fetch a fresh timestamp; --file keeps it.

    From the running service, if its configuration says where it hands them out; else from the bound stored in
    Cassandra, which is refused while anybody is connected: beside a running service such a timestamp would be wrong.
    """
    options = _merge(context, given)
    if options["timestamp"] is not None:
        raise click.UsageError("fetch does not require an input timestamp; leave --timestamp away.")
    commands = _commands(context, options)
    return interruptible(commands.fetch(immutable=immutable, date_time=date_time))


@timestamp.command(
    "clean-transactions",
    cls=TeachingCommand,
    examples=(
        PAGE + "clean-transactions --file backup.timestamp",
        JAVA + "--skip-start-timestamp-check -f backup.timestamp clean-transactions",
    ),
    exits={5: "not said to be offline, or interrupted: nothing is lost, run it again"},
)
@_options
@click.pass_context
def clean_command(context: click.Context, /, **given: Any) -> int:
    """Remove every transaction committed after the timestamp, in every schema, and prove it.

    Offline. Each is exported first (export_dir), removed, and read again; then the whole table is scanned again. A
    commit at the timestamp itself stays. AtlasDB's own tool removes nothing on Cassandra, whatever it prints.
    """
    options = _merge(context, given)
    after = _input_timestamp(options)
    commands = _commands(context, options)
    return interruptible(commands.clean_transactions(after))


@timestamp.command(
    "fast-forward",
    cls=TeachingCommand,
    examples=(
        PAGE + "fast-forward --file fast-forward.timestamp",
        JAVA + "-f fast-forward.timestamp fast-forward",
    ),
    exits={5: "not said to be offline, or not confirmed; nothing was changed"},
)
@_options
@click.pass_context
def fast_forward_command(context: click.Context, /, **given: Any) -> int:
    """Fast-forward the timestamp service to the timestamp, and read it back.

    Offline. It never goes backwards, and says so where nothing had to be changed. It cannot be undone.
    """
    options = _merge(context, given)
    target = _input_timestamp(options)
    require_reachable(target)
    commands = _commands(context, options)
    return interruptible(commands.fast_forward(target))


def _merge(context: click.Context, given: dict[str, Any]) -> dict[str, Any]:
    """The options of all levels as one; the same option twice must say the same."""
    options: dict[str, Any] = context.meta.setdefault(GIVEN, {})
    for name, value in given.items():
        before = options.get(name)
        if value is None or value is False:
            options.setdefault(name, value)
        elif before not in (None, False, value):
            shown = "" if name.startswith("inline") else f": {before} and {value}"
            raise click.UsageError(f"--{name.replace('_', '-')} is given twice{shown}")
        else:
            options[name] = value
    return options


def _input_timestamp(options: dict[str, Any]) -> int:
    number, file = options["timestamp"], options["file"]
    if (number is None) == (file is None):
        raise click.UsageError(NEITHER_NOR)
    value = int(number) if file is None else timestamp_file.read(file)
    if not 1 <= value < 2**63:
        where = "" if file is None else f"{file}: "
        raise click.UsageError(f"{where}{value} is no timestamp: the lowest is 1, the highest {2**63 - 1}")
    return value


def _commands(context: click.Context, options: dict[str, Any]) -> TimestampCommands:
    return TimestampCommands(graph_of(context), _settings(options), options["file"], offline=options["offline"])


def _settings(options: dict[str, Any]) -> Settings:
    overrides: dict[str, Any] = {name: options[name] for name in CONFIGURATION if options.get(name) is not None}
    if "config" not in overrides and "inline_config" not in overrides and settings_path(None) is None:
        raise ConfigurationError("no configuration is given", "Name the service's install file: --config FILE.")
    file = options["file"]
    directory = file.parent if file is not None else Path()
    return load(settings_path(None), {"backup_dir": str(directory), **overrides})


def run(arguments: list[str] | None = None, graph: Graph | None = None) -> int:
    """The program, to its exit code. `graph` makes the sessions' object graphs, if not the live one."""
    every_character()
    return exit_code_of(main, arguments, graph)


if __name__ == "__main__":
    sys.exit(run())
