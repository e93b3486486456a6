"""`inspect`: look, and change nothing. JSON Lines in and out."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import click
import msgspec

from atlasdb_recovery.atlas.coordination import SchemaMap
from atlasdb_recovery.atlas.yaml_document import ConfigurationError
from atlasdb_recovery.cli.flags import overrides_in, settings_flags, settings_path
from atlasdb_recovery.cli.graph import Graph, graph_of
from atlasdb_recovery.cli.inspect_formats import decode_command, locate
from atlasdb_recovery.cli.inspect_repair_log import repair_log
from atlasdb_recovery.cli.interruption import interruptible
from atlasdb_recovery.cli.lines import AtWork, Lines, while_alive
from atlasdb_recovery.cli.teaching import TeachingGroup
from atlasdb_recovery.journal.sessions import new_session_id
from atlasdb_recovery.procedure.guards.backup_guards import read_timestamps
from atlasdb_recovery.procedure.removal.description import unknown_schema_words
from atlasdb_recovery.procedure.removal.finder import TABLES, Finder, Scope
from atlasdb_recovery.procedure.removal.pre_images import pre_image
from atlasdb_recovery.procedure.removal.scope import schema_map
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.timestamp_row import timestamp_row
from atlasdb_recovery.settings import Settings, load

LOOKED = {0: "all of it was told", 4: "too few replicas answered; what was told is not all", 5: "interrupted"}


@click.group(cls=TeachingGroup)
def inspect() -> None:
    """Look at formats, transactions, timestamps and repair logs; nothing is changed."""


@inspect.command(
    examples=(
        "atlasdb-recovery inspect transactions --after 10321                    # what clean-transactions would remove",
        "atlasdb-recovery inspect transactions --after 10321 | jq .commit | sort -n | head",
    ),
    exits={3: "the cluster cannot be reached, or AtlasDB's schema of the transactions is unknown", **LOOKED},
)
@click.option(
    "--after", type=click.IntRange(1, 2**63 - 1), required=True, help="Transactions committed after this timestamp."
)
@click.option("--no-server-filter", is_flag=True, help="Read everything here, also where the server could filter.")
@settings_flags
@click.pass_context
def transactions(
    context: click.Context, /, after: int, no_server_filter: bool, settings_file: Path | None, **given: Any
) -> int:
    """The transactions that clean-transactions would remove, read at ALL; touches nothing.

    One JSON object a line: `table`, `schema`, `start`, `commit`, `state`, the cell in hex and its `write_time`; then
    what AtlasDB would not have written (`"record": "odd"`). The counts go to standard error. A server that filters
    leaves out odd cells whose value does not look like a later commit: --no-server-filter reads those too.
    """
    settings = load(settings_path(settings_file), overrides_in(given), defaults={"backup_dir": "."})
    return interruptible(_transactions(graph_of(context), settings, after, let_server_filter=not no_server_filter))


async def _transactions(graph: Graph, settings: Settings, after: int, *, let_server_filter: bool) -> int:
    session = new_session_id("inspect", settings.keyspace, datetime.now(UTC))
    working = AtWork(Lines(sys.stderr, stamped=False), "scanning the transactions tables at ALL")
    async with while_alive(working), graph(settings, session, {}, offline=True) as context:
        keyspace = await context.cluster.keyspace(settings.keyspace)
        if keyspace is None:
            raise absent(settings)
        scope = Scope(
            keyspace=settings.keyspace,
            tables=tuple(name for name in TABLES if name in keyspace.tables),
            schema_map=await schema_map(context),
            after=after,
        )
        can_filter = let_server_filter and await context.cluster.filters_by_value()
        finder = Finder(context.cluster, scope, let_server_filter=can_filter)
        async for page in finder.pages():
            for found in page:
                click.echo(msgspec.json.encode(pre_image(found)).decode())
        for odd in finder.findings.odd:
            click.echo(msgspec.json.encode({"record": "odd", **msgspec.structs.asdict(odd)}).decode())
        findings = finder.findings
        click.echo(msgspec.json.encode({"record": "summary", **findings.facts()}).decode(), err=True)
        if findings.unknown_schema:
            working.lines.say(f"{unknown_schema_words(findings)}: they are not among the lines above")
            return Outcome.REFUSED
        return Outcome.DONE


@inspect.command(
    examples=("atlasdb-recovery inspect timestamp --settings recovery.yml",),
    exits={3: "the cluster cannot be reached, or what stands in it is no bound", **LOOKED},
)
@settings_flags
@click.pass_context
def timestamp(context: click.Context, /, settings_file: Path | None, **given: Any) -> int:
    """The stored bound, and the backup's B and F where there is a backup; one JSON object. Touches nothing."""
    settings = load(settings_path(settings_file), overrides_in(given), defaults={"backup_dir": "."})
    return interruptible(_timestamp(graph_of(context), settings))


async def _timestamp(graph: Graph, settings: Settings) -> int:
    session = new_session_id("inspect", settings.keyspace, datetime.now(UTC))
    async with graph(settings, session, {}, offline=True) as context:
        if await context.cluster.keyspace(settings.keyspace) is None:
            raise absent(settings)
        row = await timestamp_row(context)
        shown: dict[str, Any] = {"keyspace": settings.keyspace, "row": row}
        shown["bound"] = await context.timestamps.bound()
        try:
            read = read_timestamps(context)
            shown |= {"backup": read.backup, "fast_forward": read.fast_forward}
        except (ValueError, OSError) as error:
            shown["backup_error"] = str(error)
        click.echo(msgspec.json.encode(shown).decode())
        return Outcome.DONE


def absent(settings: Settings) -> ConfigurationError:
    remedy = "Restore it first, or correct the keyspace's name in the service's configuration."
    return ConfigurationError(f"keyspace {settings.keyspace} is absent", remedy)


def _live_schema_map(context: click.Context) -> SchemaMap | None:
    """Of the keyspace that the settings name; None without settings."""
    given = dict(context.params)
    overrides, path = overrides_in(given), settings_path(given["settings_file"])
    if path is None and not overrides:
        return None
    settings = load(path, overrides, defaults={"backup_dir": "."})
    found: list[SchemaMap] = []
    interruptible(_read_schema_map(graph_of(context), settings, found))
    return found[0]


async def _read_schema_map(graph: Graph, settings: Settings, found: list[SchemaMap]) -> int:
    session = new_session_id("inspect", settings.keyspace, datetime.now(UTC))
    async with graph(settings, session, {}, offline=True) as context:
        if await context.cluster.keyspace(settings.keyspace) is None:
            raise absent(settings)
        found.append(await schema_map(context))
        return Outcome.DONE


inspect.add_command(cast(click.Command, settings_flags(decode_command(_live_schema_map))))
inspect.add_command(locate)
inspect.add_command(repair_log)
