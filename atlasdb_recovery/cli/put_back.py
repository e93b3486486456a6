"""`put-back`: an export of removed transactions goes back to where it was."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from atlasdb_recovery.cli.ending import PARKED
from atlasdb_recovery.cli.flags import overrides_in, settings_flags, settings_path
from atlasdb_recovery.cli.graph import live_context
from atlasdb_recovery.cli.timestamp_commands import refused, told
from atlasdb_recovery.journal.sessions import new_session_id
from atlasdb_recovery.pace import Pace
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.removal import pre_images as export
from atlasdb_recovery.procedure.removal.pre_images import Header
from atlasdb_recovery.procedure.removal.put_back import put_back as put_cell_back
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.step import StepFailure
from atlasdb_recovery.settings import Settings, load


@click.command("put-back")
@click.argument("export_file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--phrase", help="The phrase, for use without a terminal.")
@settings_flags
def put_back(export_file: Path, phrase: str | None, settings_file: Path | None, **given: Any) -> int:
    """Put an export of removed transactions back (offline, before fast-forward).

    Each cell returns as it was: a deleted one at its write time + 1, an aborted one by a conditional write, schema 3
    above the abort. Running it twice does no harm.
    """
    try:
        header = export.header_of(export_file)
    except export.MalformedExport as error:
        raise click.UsageError(str(error)) from error
    settings = load(settings_path(settings_file), overrides_in(given))
    if header.keyspace != settings.keyspace:
        raise click.UsageError(f"the export is of keyspace {header.keyspace}, the settings name {settings.keyspace}")
    return asyncio.run(_put_back(settings, export_file, header, phrase))


async def _put_back(settings: Settings, path: Path, header: Header, phrase: str | None) -> int:
    session = new_session_id("put-back", settings.keyspace, datetime.now(UTC))
    async with live_context(settings, session, {"offline": True}, offline=True) as context:
        cluster = (await context.cluster.identity()).cluster_name
        if cluster != header.cluster:
            raise click.UsageError(f"the export is of cluster {header.cluster}, this one is {cluster}")
        if await refused(context, preflight.before_standalone_removal()):
            return Outcome.REFUSED
        count = sum(1 for _ in export.pre_images(path))
        wanted = f"put back {count} into {settings.keyspace} on {cluster}"
        if not _agreed(wanted, phrase):
            return PARKED
        pace, written = Pace("transactions put back"), 0
        try:
            for number, image in enumerate(export.pre_images(path), 1):
                written += await put_cell_back(context.cluster, settings.keyspace, image.found)
                pace.note(number, count)
                if pace.is_due(5.0):
                    click.echo(pace.describe())
        except StepFailure as failure:
            return told(failure)
        click.echo(f"{count} transactions read back as exported; {written} had to be written")
        return Outcome.DONE


def _agreed(wanted: str, phrase: str | None) -> bool:
    if phrase is None and sys.stdin is not None and sys.stdin.isatty():
        phrase = click.prompt(f"These transactions will read as committed again. Type: {wanted}\n", prompt_suffix="> ")
    if phrase == wanted:
        return True
    click.echo(f"The phrase is “{wanted}” (--phrase without a terminal). Nothing was changed.", err=True)
    return False
