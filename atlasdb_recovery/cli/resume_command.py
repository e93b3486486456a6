"""The line that goes on with a session: `resume`, with everything that was given to the command that began it."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from atlasdb_recovery.cli.flags import settings_path

NOT_REPEATED = frozenset({"session", "only_plan", "take_over", "settings_file", "set_inline_config"})


def resume_command(context: click.Context) -> Callable[[str], str]:
    """From a session's id to the line. The settings file is named in full: it may be typed in another directory.

    An inline configuration may hold a password and is not repeated.
    """
    words = _settings_words(context)
    for parameter in context.command.params:
        if parameter.name in NOT_REPEATED or parameter.name is None or not isinstance(parameter, click.Option):
            continue
        if context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            words += _words(parameter, context.params[parameter.name])
    line = shlex.join(words)
    if context.params.get("set_inline_config"):
        line += " --inline-config '…'"
    return lambda session: f"atlasdb-recovery resume {session} {line}".rstrip()


def _settings_words(context: click.Context) -> list[str]:
    path = settings_path(context.params.get("settings_file"))
    return [] if path is None else ["--settings", str(path.absolute())]


def _words(option: click.Option, value: Any) -> list[str]:
    name = max(option.opts, key=len)
    if option.is_flag:
        return [name if value else max(option.secondary_opts, key=len)]
    if option.multiple:
        return [word for each in value for word in (name, str(each))]
    return [name, str(value.absolute() if isinstance(value, Path) else value)]
