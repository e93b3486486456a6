"""`put-back`: an export of removed transactions goes back to where it was."""

import asyncio
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from atlasdb_recovery.cli.flags import overrides_in, settings_flags, settings_path
from atlasdb_recovery.cli.graph import Graph, graph_of
from atlasdb_recovery.cli.interruption import PARKED, Interrupted, interruptible
from atlasdb_recovery.cli.keyboard import asked, is_interactive
from atlasdb_recovery.cli.lines import AtWork, Lines, while_alive
from atlasdb_recovery.cli.standalone import locked, refused
from atlasdb_recovery.cli.teaching import TeachingCommand
from atlasdb_recovery.events import StepFailed
from atlasdb_recovery.journal.reader import JournalReader
from atlasdb_recovery.journal.record import Journal, journal_path
from atlasdb_recovery.journal.sessions import new_session_id
from atlasdb_recovery.pace import Pace
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.put_back_guard import NOBODY_ELSE
from atlasdb_recovery.procedure.removal import pre_images as export
from atlasdb_recovery.procedure.removal.pre_images import Header
from atlasdb_recovery.procedure.removal.put_back import put_back as put_cell_back
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.session import SessionState, folded
from atlasdb_recovery.procedure.steps.names import CLEAN_TRANSACTIONS
from atlasdb_recovery.settings import Settings, load

SAID_EVERY = 5.0


@click.command(
    "put-back",
    cls=TeachingCommand,
    examples=(
        "atlasdb-recovery put-back exports/pre-images-20261123T031502Z-restore-orders-3f2a-1.jsonl",
        "atlasdb-recovery put-back EXPORT --phrase 'put back 12 into orders on production'     # asks nobody",
    ),
    exits={5: "the phrase was not given, or it was interrupted: run the same line again"},
)
@click.argument("export_file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--phrase", help="The phrase, for use without a terminal.")
@settings_flags
@click.pass_context
def put_back(
    context: click.Context, /, export_file: Path, phrase: str | None, settings_file: Path | None, **given: Any
) -> int:
    """Put the transactions that a restore removed back where they were.

    Offline, and before fast-forward: afterwards the service may have read them as never committed, so it is refused.
    Each cell returns as it was: a deleted one at its write time + 1, an aborted one by a conditional write, schema 3
    above the abort. Each is read back. Running it twice does no harm. The journal of that restore must be here.
    """
    header = export.header_of(export_file)
    settings = load(settings_path(settings_file), overrides_in(given), defaults={"backup_dir": "."})
    if header.keyspace != settings.keyspace:
        raise click.UsageError(f"the export is of keyspace {header.keyspace}, the settings name {settings.keyspace}")
    return interruptible(_put_back(graph_of(context), settings, export_file, header, phrase))


async def _put_back(graph: Graph, settings: Settings, path: Path, header: Header, phrase: str | None) -> int:
    session = new_session_id("put-back", settings.keyspace, datetime.now(UTC))
    working = AtWork(Lines(sys.stdout, stamped=False), "guards look")
    async with (
        while_alive(working),
        graph(settings, session, {"offline": True}, offline=True) as context,
    ):
        cluster = (await context.cluster.identity()).cluster_name
        if cluster != header.cluster:
            raise click.UsageError(f"the export is of cluster {header.cluster}, this one is {cluster}")
        context.state = _told_by_journal(settings, header)
        async with locked(context, context.backup_dir if context.backup_dir.is_dir() else None):
            if await refused(context, preflight.before_put_back(header)):
                return Outcome.REFUSED
            if not context.timestamps.uses_stored_bound:
                working.lines.say(f"{context.timestamps.description}: what others did there is not seen. {NOBODY_ELSE}")
            count = sum(1 for _ in export.pre_images(path))
            if not await _agreed(f"put back {count} into {settings.keyspace} on {cluster}", phrase, working.lines):
                return PARKED
            _record(settings, header, count, path)
            try:
                written = await _every_cell(context, path, header, count, working)
            except asyncio.CancelledError:
                raise Interrupted("interrupted; run the same line again: what is back is left alone") from None
            working.lines.say(f"{count} transactions read back as exported; {written} had to be written")
            return Outcome.DONE


async def _every_cell(context: Context, path: Path, header: Header, count: int, working: AtWork) -> int:
    pace, written = Pace("transactions put back"), 0
    for number, image in enumerate(export.pre_images(path), 1):
        written += await put_cell_back(context.cluster, context.keyspace, image.found, header.removal)
        pace.note(number, count)
        working.doing = pace.describe()
        if pace.is_due(SAID_EVERY):
            working.lines.say(pace.describe())
    return written


def _record(settings: Settings, header: Header, count: int, path: Path) -> None:
    """In the journal of the restore that made the export, if it is here: its removal is not proven any more."""
    if not journal_path(settings.state_dir, header.session).exists():
        return
    with closing(Journal.open(settings.state_dir, header.session, secrets=settings.secrets())) as journal:
        journal.append(
            StepFailed(
                step=CLEAN_TRANSACTIONS,
                problem=f"{count} removed transactions are put back from {path}",
                remedy="Resuming this session finds them again and asks before it removes them.",
            )
        )


def _told_by_journal(settings: Settings, header: Header) -> SessionState:
    """How far the restore that made the export has come, as far as its journal is here."""
    journal = journal_path(settings.state_dir, header.session)
    return folded(record.event for record in JournalReader(journal)) if journal.exists() else SessionState()


async def _agreed(wanted: str, phrase: str | None, lines: Lines) -> bool:
    if phrase is None and is_interactive():
        lines.say("These transactions will read as committed again.")
        phrase = await asked(lines, f"Type exactly:  {wanted}")
    if phrase == wanted:
        return True
    click.echo(f"The phrase is “{wanted}” (--phrase without a terminal). Nothing was changed.", err=True)
    return False
