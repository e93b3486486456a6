"""Command templates of the settings: `ssh {address} nodetool`, `medusa backup --keyspace {keyspace}`."""

import shlex
import string
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from atlasdb_recovery.foreign import plain


class CommandTemplateInvalid(ValueError):
    """A command template of the settings cannot be filled in. Says which, and what would be right."""


def command_words(template: str, values: Mapping[str, str | int]) -> tuple[str, ...]:
    """The argument vector of a template: split as a shell would, then each {name} replaced, never split again.

    {{ and }} stand for braces. A name without a value raises `CommandTemplateInvalid`.
    """
    return tuple(_filled(word, template, values) for word in template_words(template))


def template_words(template: str) -> list[str]:
    """The words of a template before anything is filled in."""
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise CommandTemplateInvalid(f"The command template `{plain(template)}` cannot be split: {error}.") from None
    if not words:
        raise CommandTemplateInvalid("The command template is empty. Give the command to run.")
    return words


def _filled(word: str, template: str, values: Mapping[str, str | int]) -> str:
    filled = []
    try:
        parts = list(string.Formatter().parse(word))
    except ValueError as error:
        raise CommandTemplateInvalid(
            f"The command template `{plain(template)}` has a brace too many or too few ({error}). "
            "Write {{ and }} for braces that belong to the command."
        ) from None
    for literal, name, format_spec, conversion in parts:
        filled.append(literal)
        if name is None:
            continue
        if format_spec or conversion or name not in values:
            known = ", ".join(f"{{{known}}}" for known in sorted(values))
            raise CommandTemplateInvalid(
                f"The command template `{plain(template)}` uses {{{plain(name)}}}, which has no value here. "
                f"Known are {known}. Write {{{{ and }}}} for braces that belong to the command."
            )
        filled.append(str(values[name]))
    return "".join(filled)


def through_ssh(words: Sequence[str]) -> bool:
    """Whether these words hand what follows to a remote shell, which would split and expand it again."""
    return any(PurePath(word).name == "ssh" for word in words)
