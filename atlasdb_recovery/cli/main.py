"""`atlasdb-recovery`: the composition root. Exit codes are design's: 0, 1, 2, 3, 4, 5."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from atlasdb_recovery import __version__
from atlasdb_recovery.cli import doctor as doctor_command
from atlasdb_recovery.cli import history, planning, put_back, wizard
from atlasdb_recovery.cli.abort import abort
from atlasdb_recovery.cli.ending import every_character, exit_code_of
from atlasdb_recovery.cli.flags import chosen_look, overrides_in, settings_flags, settings_path, wizard_flags
from atlasdb_recovery.cli.graph import Graph, graph_of
from atlasdb_recovery.cli.inspect import inspect
from atlasdb_recovery.cli.interruption import DONE, PARKED, interruptible
from atlasdb_recovery.cli.keyboard import is_interactive
from atlasdb_recovery.cli.lines import Lines
from atlasdb_recovery.cli.plain import PlainFrontEnd
from atlasdb_recovery.cli.practice import practice
from atlasdb_recovery.cli.resume_command import resume_command
from atlasdb_recovery.cli.sessions import Session
from atlasdb_recovery.cli.teaching import CONTEXT, EXIT_CODES, TeachingGroup
from atlasdb_recovery.procedure import answers as answers_file
from atlasdb_recovery.procedure.answers import Answers
from atlasdb_recovery.settings import Settings, load

EPILOG = "Exit codes: " + "; ".join(f"{code} {words}" for code, words in EXIT_CODES.items()) + "."
BEGUN_OR_NOT = {0: "done, and proven; or interrupted before anything was begun"}
LOOK = "atlasdb_recovery.look"
UNATTENDED = "atlasdb-recovery {} --settings recovery.yml --plain --answers answers.yml    # asks nobody"


@click.group(cls=TeachingGroup, context_settings=CONTEXT, epilog=EPILOG, invoke_without_command=True)
@click.version_option(__version__, prog_name="atlasdb-recovery")
@wizard_flags
@click.pass_context
def main(context: click.Context, /, **look: Any) -> int | None:
    """AtlasDB's Backup and Restore on Cassandra: guarded, and proven step by step.

    A backup is: fetch a fresh timestamp B, back up the store, fetch a fresh timestamp F. A restore is offline and into
    a keyspace that does not exist: restore the store, repair the transactions tables on every node, remove the
    transactions committed after B, fast-forward the timestamp service to F.

    Never done it? `atlasdb-recovery practice` plays it through on a cluster of its own, in seconds. Not sure what would
    happen? `doctor` and `restore --plan` only look. Stopped in the middle? `resume` goes on. Without a command it opens
    the wizard, as do backup, restore and resume at a terminal without --plain.
    """
    context.meta[LOOK] = look
    if context.invoked_subcommand is not None:
        return None
    if not wizard.is_possible():
        raise click.UsageError("the wizard needs a terminal; line mode: atlasdb-recovery restore --plain")
    place = wizard.LiveWorkplace(graph_of(context), None, {}, read_only=look["read_only"])
    return wizard.run_wizard(place, chosen_look(look))


def _run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--verbose", is_flag=True, help="Show every line that nodes and store tools print."),
        click.option(
            "--take-over", is_flag=True, help="Take the lock over from a holder on another machine; journalled."
        ),
        click.option(
            "--answers",
            "answers_path",
            type=click.Path(path_type=Path, dir_okay=False),
            help="YAML file with what is decided ahead: offline, store-restored, clean-transactions … What is not in "
            "it is asked at the terminal; without one the session parks there (5).",
        ),
        click.option("--plain", is_flag=True, help="Line mode: no screens, a line an event. Also without a terminal."),
    ):
        command = option(command)
    return command


def _settings(given: dict[str, Any]) -> Settings:
    path = settings_path(given.pop("settings_file"))
    return load(path, overrides_in(given))


def _session(context: click.Context, given: dict[str, Any]) -> tuple[Session, Settings, PlainFrontEnd]:
    path = given.pop("answers_path")
    answers = Answers() if path is None else answers_file.load(path)
    lines = Lines(sys.stdout)
    front_end = PlainFrontEnd(lines, answers, interactive=is_interactive(), verbose=given.pop("verbose"))
    settings = _settings(given)
    lines.secrets = settings.secrets()
    session = Session(
        graph_of(context), settings, front_end, answers, resume_command(context), take_over=given.pop("take_over")
    )
    return session, settings, front_end


@main.command(
    examples=(
        "atlasdb-recovery backup                    # settings from recovery.yml in this directory",
        "atlasdb-recovery backup --plan             # shows every step, changes nothing",
        UNATTENDED.format("backup"),
    ),
    exits=BEGUN_OR_NOT,
)
@click.option("--plan", "only_plan", is_flag=True, help="Show every step and what it would run; change nothing.")
@_run_options
@settings_flags
@click.pass_context
def backup(context: click.Context, /, only_plan: bool, **given: Any) -> int:
    """Take a backup, while the service may be running.

    Fetches a fresh timestamp B, backs up the store node by node (store.method), fetches a fresh timestamp F, and seals
    all of it with a manifest. What lies in backup_dir afterwards is the whole backup: keep it together.
    """
    return _procedure(context, "backup", only_plan, given)


@main.command(
    examples=(
        "atlasdb-recovery restore --plan            # shows every step, changes nothing",
        "atlasdb-recovery restore                   # asks at the terminal before it destroys anything",
        UNATTENDED.format("restore"),
        "",
        "answers.yml:  offline: true",
        "              clean-transactions: {remove_at_most: 5000}",
    ),
    exits=BEGUN_OR_NOT,
)
@click.option("--plan", "only_plan", is_flag=True, help="Show every step and what it would run; change nothing.")
@_run_options
@settings_flags
@click.pass_context
def restore(context: click.Context, /, only_plan: bool, **given: Any) -> int:
    """Restore a backup to its one consistent point in time.

    Offline: every instance of the service is stopped, and the keyspace does not exist (or you have restored the store
    yourself: answer store-restored). Restores the store, repairs the transactions tables on every node, exports and
    removes every transaction committed after B, fast-forwards the timestamp service to F, and proves all of it. Start
    the service only after it said “Restore complete”.
    """
    return _procedure(context, "restore", only_plan, given)


def _wants_screens(given: dict[str, Any]) -> bool:
    """An answers file, a pipe or a dumb terminal are for line mode."""
    return not given["plain"] and given["answers_path"] is None and wizard.is_possible()


def _in_wizard(context: click.Context, first: str, given: dict[str, Any], session: str = "") -> int:
    look = context.meta[LOOK]
    place = wizard.LiveWorkplace(
        graph_of(context),
        given.pop("settings_file"),
        overrides_in(given),
        read_only=look["read_only"],
        take_over=given.pop("take_over"),
        resume_command=resume_command(context),
    )
    place.settings()
    return wizard.run_wizard(place, chosen_look(look), first=first, session=session)


def _procedure(context: click.Context, procedure: str, only_plan: bool, given: dict[str, Any]) -> int:
    if not only_plan and _wants_screens(given):
        return _in_wizard(context, procedure, given)
    session, settings, front_end = _session(context, given)
    if only_plan:
        return interruptible(planning.show(graph_of(context), procedure, settings, front_end))
    return interruptible(session.run_new(procedure), nothing_begun=DONE)


@main.command(
    examples=(
        "atlasdb-recovery resume                    # the newest session that can be resumed",
        "atlasdb-recovery resume 20261123T031502Z-restore-orders-3f2a",
    )
)
@click.argument("session", required=False)
@_run_options
@settings_flags
@click.pass_context
def resume(context: click.Context, /, session: str | None, **given: Any) -> int:
    """Go on with a session that was parked, that failed, or whose process ended.

    SESSION is an id from `atlasdb-recovery history`. What is done is not done again: where the session's end is not
    known the cluster is asked. A copy of the state directory can be resumed on another machine.
    """
    if _wants_screens(given):
        settings = _settings(dict(given))
        return _in_wizard(
            context, "resume", given, session or history.newest_resumable(settings.state_dir, settings.keyspace)
        )
    going_on, settings, _ = _session(context, given)
    chosen = session or history.newest_resumable(settings.state_dir, settings.keyspace)
    return interruptible(going_on.run_again(chosen), nothing_begun=PARKED)


@main.command(
    examples=(
        "atlasdb-recovery doctor                    # would a restore begin?",
        "atlasdb-recovery doctor --for backup --json",
    ),
    exits={0: "every guard would let it pass", 3: "a guard would refuse", 4: "", 5: "interrupted"},
)
@click.option(
    "--for",
    "procedure",
    type=click.Choice(["backup", "restore"]),
    default="restore",
    show_default=True,
    help="Whose guards look.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: guard, proves, status, evidence, remedy.")
@settings_flags
@click.pass_context
def doctor(context: click.Context, /, procedure: str, as_json: bool, **given: Any) -> int:
    """Every preflight check, read-only: what would refuse, why, and what to do about it.

    The guards that refuse come first. A keyspace that is still there, or a running service, refuses a restore and is
    nothing to mend before the day.
    """
    graph: Graph = graph_of(context)
    return interruptible(doctor_command.show(graph, procedure, _settings(given), as_json=as_json))


main.add_command(practice)
main.add_command(history.history)
main.add_command(history.report)
main.add_command(abort)
main.add_command(put_back.put_back)
main.add_command(inspect)


def run(arguments: list[str] | None = None, graph: Graph | None = None) -> int:
    """The program, to its exit code. `graph` makes the sessions' object graphs, if not the live one."""
    every_character()
    return exit_code_of(main, arguments, graph)


if __name__ == "__main__":
    sys.exit(run())
