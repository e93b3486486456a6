"""`abort`: a session is given up. What it did stays done, and on record."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click

from atlasdb_recovery.atlas.yaml_document import ConfigurationError
from atlasdb_recovery.cli.flags import settings_path
from atlasdb_recovery.cli.history import journals_named, state_dir_named
from atlasdb_recovery.cli.teaching import TeachingCommand
from atlasdb_recovery.journal import report as session_report
from atlasdb_recovery.journal import sessions
from atlasdb_recovery.journal.reader import JournalReader
from atlasdb_recovery.journal.record import journal_path
from atlasdb_recovery.procedure.facts import NAMESPACE_DISABLED, THRIFT_DISABLED
from atlasdb_recovery.procedure.session import SessionState, folded
from atlasdb_recovery.settings import Settings, load
from atlasdb_recovery.timestamps.disabled_namespace import ENABLE

NOTHING_UNDONE = "What it did on the cluster is not undone."
NOT_COMPLETE = "Its restore is NOT complete: do NOT start the service on keyspace {} before another restore is."


@click.command(
    cls=TeachingCommand,
    examples=("atlasdb-recovery abort 20261123T031502Z-restore-orders-3f2a --reason 'begun with the wrong backup'",),
    exits={0: "given up", 1: "", 3: "it is running, complete, or given up already", 4: "", 5: ""},
)
@click.argument("session")
@click.option("--reason", required=True, help="Why, in your own words; it stands in the report.")
@journals_named
def abort(session: str, reason: str, state_dir: Path | None, settings_file: Path | None) -> None:
    """Give a session up: it stays on record and in the history, and is not resumed any more.

    SESSION is an id from `atlasdb-recovery history`. The cluster is not asked and nothing is undone there. A session
    that is only parked needs no abort before a new one is begun.
    """
    directory = state_dir_named(state_dir, settings_file)
    settings = partial(load, settings_path(settings_file), {}, defaults={"backup_dir": "."})
    for line in given_up(directory, session, reason, settings):
        click.echo(line)


def given_up(state_dir: Path, session: str, reason: str, settings: Callable[[], Settings]) -> Sequence[str]:
    """Gives it up, and writes its reports anew. Returns what is left to do, in sentences.

    `settings`, where they can be read, name the secrets that a reason must not hold. Raises as
    `journal.sessions.abort`.
    """
    if not reason.strip():
        raise click.UsageError("a reason is needed, in a few words; it stands in the report")
    sessions.abort(state_dir, session, reason.strip(), secrets=_secrets(settings))
    journal = journal_path(state_dir, session)
    session_report.write_beside(journal)
    return _left(folded(record.event for record in JournalReader(journal)))


def _left(state: SessionState) -> Sequence[str]:
    lines = [f"Session {state.session} is given up. {NOTHING_UNDONE}"]
    if state.procedure == "restore" and any(step.began for step in state.steps.values()):
        lines.append(NOT_COMPLETE.format(state.keyspace))
    if nodes := state.fact(THRIFT_DISABLED):
        lines.append(f"It had switched Thrift off on {', '.join(nodes)}: run nodetool enablethrift on each.")
    if lock := state.fact(NAMESPACE_DISABLED):
        lines.append(
            f"It had disabled TimeLock's namespace under lock {lock}, and nobody gets a timestamp of it until it is"
            f' enabled: POST {ENABLE} with {{"namespaces": […], "lockId": "{lock}"}} and the backup token.'
        )
    return lines


def _secrets(settings: Callable[[], Settings]) -> frozenset[str]:
    try:
        return settings().secrets()
    except ConfigurationError:
        return frozenset()
