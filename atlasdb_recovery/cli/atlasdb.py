"""`atlasdb`: the lines of AtlasDB's page and of its Java command line, saying only what was proven.

Options are taken before or after the sub-command: the page prints them after, the Java tool wants them before.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.atlas.yaml_document import ConfigurationError
from atlasdb_recovery.cli.ending import PARKED, exit_code_of
from atlasdb_recovery.cli.flags import settings_path
from atlasdb_recovery.cli.timestamp_commands import clean_transactions, fast_forward, fetch
from atlasdb_recovery.settings import Settings, load

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
NEITHER_NOR = "This command requires a timestamp: give one and only one of --timestamp and --file."


def _with(options: list[Callable[..., Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_OFFLINE = click.option("--offline", is_flag=True, help="No AtlasDB client of this keyspace is running.")
_GLOBAL = [
    click.option("-c", "--config", help="The service's install configuration (YAML)."),
    click.option("--config-root", help="JSON pointer to the AtlasDB block; /atlasdb, then /atlas."),
    click.option("--runtime-config", help="The service's runtime configuration (YAML)."),
    click.option("--runtime-config-root", help="JSON pointer to the AtlasDB block in it."),
    click.option("--inline-config", help="The configuration itself, as text."),
    _OFFLINE,
]
_GROUP = [
    click.option("-f", "--file", type=click.Path(path_type=Path, dir_okay=False), help="One-line timestamp file."),
    click.option("-t", "--timestamp", type=int, help="The timestamp for this command."),
    click.option("-s", "--start-timestamp", type=int, help="Accepted; the whole table is always scanned."),
    click.option("--skip-start-timestamp-check", is_flag=True, help="Accepted; there is no such check here."),
]


@click.group(context_settings=CONTEXT)
@_with(_GLOBAL)
@click.pass_context
def main(context: click.Context, /, **given: Any) -> None:
    """AtlasDB's timestamp commands on Cassandra.

    A `recovery.yml` in the working directory says what the service's configuration lacks (cql, nodetool).
    """
    context.obj = dict(given)


@main.group()
@_with([*_GROUP, _OFFLINE])
@click.pass_context
def timestamp(context: click.Context, /, **given: Any) -> None:
    """fetch a timestamp, clean transactions after one, fast-forward to one."""
    _merge(context, given)


@timestamp.command("fetch")
@_with([*_GROUP, _OFFLINE])
@click.option("-i", "--immutable", is_flag=True, help="The immutable timestamp; offline that is a fresh one.")
@click.option("-d", "--date-time", is_flag=True, help="Also the wall-clock time that AtlasDB noted for it.")
@click.pass_context
def fetch_command(context: click.Context, /, immutable: bool, date_time: bool, **given: Any) -> int:
    """Fetch a fresh timestamp; --file keeps it."""
    options = _merge(context, given)
    if options["timestamp"] is not None:
        raise click.UsageError("fetch does not require an input timestamp; leave --timestamp away.")
    settings = _settings(options, options["file"])
    return asyncio.run(
        fetch(settings, options["file"], offline=options["offline"], immutable=immutable, date_time=date_time)
    )


@timestamp.command("clean-transactions")
@_with([*_GROUP, _OFFLINE])
@click.pass_context
def clean_command(context: click.Context, /, **given: Any) -> int:
    """Remove every transaction committed after the timestamp, in every schema, and prove it."""
    options = _merge(context, given)
    after = _input_timestamp(options)
    settings = _settings(options, options["file"])
    if not _is_offline(options, f"remove transactions after {after} from {settings.keyspace}"):
        return PARKED
    return asyncio.run(clean_transactions(settings, after))


@timestamp.command("fast-forward")
@_with([*_GROUP, _OFFLINE])
@click.pass_context
def fast_forward_command(context: click.Context, /, **given: Any) -> int:
    """Fast-forward the timestamp service to the timestamp, and read it back."""
    options = _merge(context, given)
    target = _input_timestamp(options)
    settings = _settings(options, options["file"])
    if not _is_offline(options, f"fast-forward {settings.keyspace} to {target}"):
        return PARKED
    return asyncio.run(fast_forward(settings, target))


def _merge(context: click.Context, given: dict[str, Any]) -> dict[str, Any]:
    """The options of all levels as one; the same option twice must say the same."""
    options: dict[str, Any] = context.obj
    for name, value in given.items():
        before = options.get(name)
        if value is None or value is False:
            options.setdefault(name, value)
        elif before not in (None, False, value):
            raise click.UsageError(f"--{name.replace('_', '-')} is given twice: {before} and {value}")
        else:
            options[name] = value
    return options


def _input_timestamp(options: dict[str, Any]) -> int:
    number, file = options["timestamp"], options["file"]
    if (number is None) == (file is None):
        raise click.UsageError(NEITHER_NOR)
    try:
        value = int(number) if file is None else timestamp_file.read(file)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}. Give the file that `timestamp fetch` wrote.") from error
    if not 1 <= value < 2**63:
        raise click.UsageError(f"{value} is no timestamp: the lowest is 1, the highest {2**63 - 1}")
    return value


def _is_offline(options: dict[str, Any], what: str) -> bool:
    if options["offline"]:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        click.echo(
            f"To {what}, no AtlasDB client may be running. Stop the service, then say so with --offline. "
            "Nothing was changed.",
            err=True,
        )
        return False
    click.echo(f"About to {what}. Is every instance of the service stopped?")
    if click.prompt("Type offline", default="", show_default=False).strip() == "offline":
        return True
    click.echo("Nothing was changed. With --offline it is not asked.", err=True)
    return False


def _settings(options: dict[str, Any], file: Path | None) -> Settings:
    names = ("config", "config_root", "runtime_config", "runtime_config_root", "inline_config")
    overrides: dict[str, Any] = {name: options[name] for name in names if options.get(name) is not None}
    if "config" not in overrides and "inline_config" not in overrides and settings_path(None) is None:
        raise ConfigurationError("no configuration is given", "Name the service's install file: --config FILE.")
    directory = file.parent if file is not None else Path()
    return load(settings_path(None), {"backup_dir": str(directory), **overrides})


def run(arguments: list[str] | None = None) -> None:
    """The console script."""
    sys.exit(exit_code_of(main, arguments))


if __name__ == "__main__":
    run()
