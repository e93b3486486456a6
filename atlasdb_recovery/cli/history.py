"""`history` and `report`: what sessions there were, and the account of one."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import click

from atlasdb_recovery.cli.flags import settings_path
from atlasdb_recovery.cli.teaching import TeachingCommand
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.journal import report as session_report
from atlasdb_recovery.journal.reader import JournalReader
from atlasdb_recovery.journal.record import JournalMissing, journal_path
from atlasdb_recovery.journal.sessions import SessionSummary, sessions
from atlasdb_recovery.settings import state_dir_of

TOLD = {0: "told", 1: "", 3: "", 4: "", 5: ""}
REPORTED = {**TOLD, 4: "the report could not be written"}


def journals_named(command: Any) -> Any:
    """The options of a command that looks at journals: where they lie."""
    for option in (
        click.option(
            "--state-dir",
            type=click.Path(path_type=Path, file_okay=False),
            help="Where the journals are. [default: state_dir of the settings, else under XDG_STATE_HOME]",
        ),
        click.option(
            "--settings",
            "settings_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="The settings that name it. [default: recovery.yml in the working directory, if it is there]",
        ),
    ):
        command = option(command)
    return command


def state_dir_named(given: Path | None, settings_file: Path | None) -> Path:
    return given if given is not None else state_dir_of(settings_path(settings_file))


@click.command(
    cls=TeachingCommand,
    examples=("atlasdb-recovery history", "atlasdb-recovery history --state-dir /var/lib/atlasdb-recovery"),
    exits=TOLD,
)
@journals_named
def history(state_dir: Path | None, settings_file: Path | None) -> None:
    """The sessions there were, the newest first, and which of them can be resumed. Changes nothing."""
    directory = state_dir_named(state_dir, settings_file)
    settings = settings_path(settings_file)
    more = "" if settings is None else f" --settings {shlex.quote(str(settings.absolute()))}"
    found = sessions(directory)
    for one in found:
        for line in _lines(one, more):
            click.echo(plain(line))
    if not found:
        click.echo(f"no sessions in {directory}")


def _lines(one: SessionSummary, more: str) -> Sequence[str]:
    mode = f", {one.mode}" if one.mode not in {"", "LIVE"} else ""
    lines = [
        f"{one.id}  {one.state}" + (f": {one.reason}" if one.reason else ""),
        f"    {one.procedure or 'unknown'} of keyspace {one.keyspace or 'unknown'}{mode}, "
        f"by {one.operator or 'unknown'}, from {one.started or 'unknown'} to {one.last or 'unknown'}",
    ]
    if one.unproven:
        lines.append(f"    unproven: {', '.join(one.unproven)}")
    if one.damage:
        lines.append(f"    DAMAGED: {one.damage}")
    elif one.can_be_resumed and one.mode != "PRACTICE":
        lines.append(f"    go on with: atlasdb-recovery resume {one.id}{more}")
    return lines


@click.command(
    cls=TeachingCommand,
    examples=(
        "atlasdb-recovery report                                     # the newest session, to read in the terminal",
        "atlasdb-recovery report --format html --output restore.html",
        "atlasdb-recovery report 20261123T031502Z-restore-orders-3f2a",
    ),
    exits=REPORTED,
)
@click.argument("session", required=False)
@click.option(
    "--format", "form", type=click.Choice(["md", "html"]), default="md", show_default=True, help="Markdown or HTML."
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it here; else to stdout.")
@journals_named
def report(
    session: str | None,
    form: Literal["md", "html"],
    output: Path | None,
    state_dir: Path | None,
    settings_file: Path | None,
) -> None:
    """The account of a session, finished or not: claims and evidence, commands, repair by node, timeline.

    SESSION is an id from `atlasdb-recovery history`, by default the newest. It can be asked for at any time, also while
    the session runs, and changes nothing.
    """
    directory = state_dir_named(state_dir, settings_file)
    chosen = session or _newest(directory)
    path = journal_path(directory, chosen)
    if not path.exists():
        raise JournalMissing(f"there is no session {chosen} in {directory}; `atlasdb-recovery history` lists them")
    reader = JournalReader(path)
    if output is not None:
        session_report.write(reader, output, form)
        click.echo(f"written to {output}")
        return
    click.echo(session_report.markdown(reader) if form == "md" else session_report.html(reader))


def newest_resumable(state_dir: Path, keyspace: str) -> str:
    """The id of the newest session of this keyspace to be resumed.

    One that has begun a step comes before one that was refused at once; where there is none, one that is running, to be
    told so.
    """
    found = [one for one in sessions(state_dir) if one.keyspace == keyspace and one.mode != "PRACTICE"]
    resumable = [one for one in found if one.can_be_resumed]
    running = [one for one in found if one.state == "running"]
    for one in (*(one for one in resumable if one.began), *resumable, *running):
        return one.id
    raise JournalMissing(
        f"no session of keyspace {keyspace} in {state_dir} can be resumed; `atlasdb-recovery history` lists them"
    )


def _newest(state_dir: Path) -> str:
    found = sessions(state_dir)
    if not found:
        raise JournalMissing(f"there are no sessions in {state_dir}")
    return found[0].id
