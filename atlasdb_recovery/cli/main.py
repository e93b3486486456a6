"""`atlasdb-recovery`: the composition root. Exit codes are design's: 0, 1, 2, 3, 4, 5."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from atlasdb_recovery import __version__
from atlasdb_recovery.cli import doctor as doctor_command
from atlasdb_recovery.cli import history, planning, put_back, wizard
from atlasdb_recovery.cli.ending import exit_code_of
from atlasdb_recovery.cli.flags import chosen_look, overrides_in, settings_flags, settings_path, wizard_flags
from atlasdb_recovery.cli.inspect import inspect
from atlasdb_recovery.cli.plain import PlainFrontEnd
from atlasdb_recovery.cli.practice import practice
from atlasdb_recovery.cli.sessions import is_interactive, run_again, run_new
from atlasdb_recovery.procedure import answers as answers_file
from atlasdb_recovery.procedure.answers import Answers
from atlasdb_recovery.settings import Settings, load

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
EPILOG = """Exit codes: 0 done; 2 usage or configuration; 3 a guard refused, nothing was changed by this step; 4 a step
failed, its evidence printed; 5 parked: interrupted or waiting for an answer, resumable; 1 a defect."""


@click.group(context_settings=CONTEXT, epilog=EPILOG, invoke_without_command=True)
@click.version_option(__version__, prog_name="atlasdb-recovery")
@wizard_flags
@click.pass_context
def main(context: click.Context, /, **look: Any) -> int | None:
    """AtlasDB's Backup and Restore on Cassandra: guarded, and proven step by step.

    A backup is: fetch a fresh timestamp B, back up the store, fetch a fresh timestamp F. A restore is offline and into
    a keyspace that does not exist: restore the store, repair the transactions tables on every node, remove the
    transactions committed after B, fast-forward the timestamp service to F. Practise first: atlasdb-recovery practice.

    Without a command it opens the wizard.
    """
    context.obj = look
    if context.invoked_subcommand is not None:
        return None
    if not wizard.is_possible():
        raise click.UsageError("the wizard needs a terminal; line mode: atlasdb-recovery restore --plain")
    place = wizard.LiveWorkplace(None, {}, read_only=look["read_only"])
    return wizard.run_wizard(place, chosen_look(look))


def _run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--verbose", is_flag=True, help="Show every line that nodes and store tools print."),
        click.option(
            "--answers",
            "answers_path",
            type=click.Path(path_type=Path, dir_okay=False),
            help="YAML file with the answers of an unattended run: offline, store-restored, clean-transactions …",
        ),
        click.option("--take-over", is_flag=True, help="Take the lock over from whoever holds it; this is journalled."),
        click.option("--plain", is_flag=True, help="Line mode: no screens, a line an event. Also without a terminal."),
    ):
        command = option(command)
    return command


def _settings(given: dict[str, Any]) -> Settings:
    path = settings_path(given.pop("settings_file"))
    return load(path, overrides_in(given))


def _answers(given: dict[str, Any]) -> Answers | None:
    path = given.pop("answers_path")
    return None if path is None else answers_file.load(path)


def _front_end(given: dict[str, Any]) -> tuple[PlainFrontEnd, Answers]:
    given.pop("plain", None)
    answers = _answers(given) or Answers()
    return PlainFrontEnd(sys.stdout, answers, interactive=is_interactive(), verbose=given.pop("verbose")), answers


@main.command()
@click.option("--plan", "only_plan", is_flag=True, help="Show every step and what it would run; change nothing.")
@_run_options
@settings_flags
def backup(only_plan: bool, **given: Any) -> int:
    """Take a backup: B, the store, F, and a sealed manifest (the service may be running)."""
    return _procedure("backup", only_plan, given)


@main.command()
@click.option("--plan", "only_plan", is_flag=True, help="Show every step and what it would run; change nothing.")
@_run_options
@settings_flags
def restore(only_plan: bool, **given: Any) -> int:
    """Restore a backup to its one consistent point in time (offline; the keyspace must not exist).

    Unattended, the whole restore is:

      atlasdb-recovery restore --settings recovery.yml --plain --answers answers.yml
    """
    return _procedure("restore", only_plan, given)


def _wants_screens(given: dict[str, Any]) -> bool:
    """An answers file, a pipe or a dumb terminal are for line mode."""
    return not given["plain"] and given["answers_path"] is None and wizard.is_possible()


def _in_wizard(first: str, given: dict[str, Any], session: str = "") -> int:
    look = click.get_current_context().obj
    place = wizard.LiveWorkplace(
        given.pop("settings_file"),
        overrides_in(given),
        read_only=look["read_only"],
        take_over=given.pop("take_over"),
    )
    place.settings()
    return wizard.run_wizard(place, chosen_look(look), first=first, session=session)


def _procedure(procedure: str, only_plan: bool, given: dict[str, Any]) -> int:
    if not only_plan and _wants_screens(given):
        return _in_wizard(procedure, given)
    take_over = given.pop("take_over")
    front_end, answers = _front_end(given)
    settings = _settings(given)
    if only_plan:
        return asyncio.run(planning.show(procedure, settings, answers, front_end.say))
    return asyncio.run(run_new(procedure, settings, front_end, answers, take_over=take_over))


@main.command()
@click.argument("session", required=False)
@_run_options
@settings_flags
def resume(session: str | None, take_over: bool, **given: Any) -> int:
    """Go on with a session that was parked or whose process ended; by default the newest such one."""
    if _wants_screens(given):
        given["take_over"] = take_over
        chosen = session or history.newest_resumable(_settings(dict(given)).state_dir)
        return _in_wizard("resume", given, chosen)
    front_end, answers = _front_end(given)
    settings = _settings(given)
    chosen = session or history.newest_resumable(settings.state_dir)
    return asyncio.run(run_again(chosen, settings, front_end, answers, take_over=take_over))


@main.command()
@click.option("--for", "procedure", type=click.Choice(["backup", "restore"]), default="restore", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a guard, a line each.")
@settings_flags
def doctor(procedure: str, as_json: bool, **given: Any) -> int:
    """Every preflight check, read-only: what would refuse, why, and what to do about it."""
    return asyncio.run(doctor_command.show(procedure, _settings(given), as_json=as_json))


main.add_command(history.history)
main.add_command(history.report)
main.add_command(put_back.put_back)
main.add_command(inspect)
main.add_command(practice)


def run(arguments: list[str] | None = None) -> None:
    """The console script."""
    sys.exit(exit_code_of(main, arguments))


if __name__ == "__main__":
    run()
