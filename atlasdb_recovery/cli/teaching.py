"""Help for somebody who has never seen the command, at three in the morning: what happens, an example, how it ends."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
EXIT_CODES: Mapping[int, str] = {
    0: "done, and proven",
    1: "a defect of this program; it names the file that says where",
    2: "usage or configuration; nothing was changed",
    3: "a guard refused; nothing was changed by this step",
    4: "a step failed; its evidence is printed",
    5: "parked: interrupted, or waiting for an answer; the line that goes on is printed",
}
SETTINGS_NOTE = "Every key of the settings file is also a flag, which wins. Passwords are not: others could read them."


class TeachingCommand(click.Command):
    """A command with examples, exit codes, and the settings' flags apart from its own options."""

    def __init__(
        self, *arguments: Any, examples: Sequence[str] = (), exits: Mapping[int, str] | None = None, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self._examples = examples
        self._exits = {**EXIT_CODES, **(exits or {})}

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        if self._examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"{'':{formatter.current_indent}}{line}\n" for line in self._examples))
        own: list[tuple[str, str]] = []
        settings: list[tuple[str, str]] = []
        for parameter in self.get_params(context):
            record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
            if record is not None:
                is_setting = (parameter.name or "").startswith("set_")
                (settings if is_setting else own).append(record)
        with formatter.section("Options"):
            formatter.write_dl(own)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), words) for code, words in sorted(self._exits.items()) if words])
        if settings:
            with formatter.section("Settings"):
                formatter.write_text(SETTINGS_NOTE)
                formatter.write_paragraph()
                formatter.write_dl(settings)


class TeachingGroup(click.Group):
    """A group whose list of commands is in the order in which one meets them, each with its whole first sentence."""

    command_class = TeachingCommand

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, command.get_short_help_str(limit=300)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
