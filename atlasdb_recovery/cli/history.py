"""`history` and `report`: what sessions there were, and the account of one."""

import sys
from pathlib import Path
from typing import Any, Literal

import click
import platformdirs
from rich.console import Console
from rich.table import Table
from rich.text import Text

from atlasdb_recovery.journal import report as session_report
from atlasdb_recovery.journal.reader import JournalReader
from atlasdb_recovery.journal.record import JournalMissing, journal_path
from atlasdb_recovery.journal.sessions import sessions


def _state_dir(command: Any) -> Any:
    return click.option(
        "--state-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=lambda: platformdirs.user_state_path("atlasdb-recovery"),
        help="Where the journals are; by default under XDG_STATE_HOME.",
    )(command)


@click.command()
@_state_dir
def history(state_dir: Path) -> None:
    """The sessions there were, the newest first, and which of them can be resumed."""
    table = Table()
    for heading in ("session", "procedure", "keyspace", "mode", "began", "state", "unproven"):
        table.add_column(heading, overflow="fold")
    found = sessions(state_dir)
    for one in found:
        state = one.damage or one.state
        row = (one.id, one.procedure, one.keyspace, one.mode, one.started, state, ", ".join(one.unproven))
        table.add_row(*map(Text, row))
    if found:
        Console(file=sys.stdout).print(table)
    else:
        click.echo(f"no sessions in {state_dir}")


@click.command()
@click.argument("session", required=False)
@click.option("--format", "form", type=click.Choice(["md", "html"]), default="md", show_default=True)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it here; else to stdout.")
@_state_dir
def report(session: str | None, form: Literal["md", "html"], output: Path | None, state_dir: Path) -> None:
    """The account of a session, finished or not: claims and evidence, commands, repair by node, timeline."""
    chosen = session or _newest(state_dir)
    path = journal_path(state_dir, chosen)
    if not path.exists():
        raise JournalMissing(f"there is no session {chosen} in {state_dir}; `atlasdb-recovery history` lists them")
    reader = JournalReader(path)
    if output is not None:
        session_report.write(reader, output, form)
        click.echo(f"written to {output}")
        return
    click.echo(session_report.markdown(reader) if form == "md" else session_report.html(reader))


def newest_resumable(state_dir: Path) -> str:
    """The id of the newest session that can be resumed."""
    for one in sessions(state_dir):
        if one.can_be_resumed:
            return one.id
    raise JournalMissing(f"no session in {state_dir} can be resumed; `atlasdb-recovery history` lists them")


def _newest(state_dir: Path) -> str:
    found = sessions(state_dir)
    if not found:
        raise JournalMissing(f"there are no sessions in {state_dir}")
    return found[0].id
