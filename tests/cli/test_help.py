"""Every --help says what happens, shows an example that works, and how it ends."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from atlasdb_recovery.cli.atlasdb import main as atlasdb
from atlasdb_recovery.cli.main import main as recovery
from atlasdb_recovery.cli.teaching import EXIT_CODES
from tests.cli.rehearsal import ended

PROGRAMS = {"atlasdb-recovery": recovery, "atlasdb": atlasdb}


def commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[click.Command, tuple[str, ...]]]:
    yield command, words
    for name, below in command.commands.items() if isinstance(command, click.Group) else ():
        yield from commands(below, (*words, name))


EVERY = [found for name, program in PROGRAMS.items() for found in commands(program, (name,))]
LEAVES = [found for found in EVERY if not isinstance(found[0], click.Group) and found[1][-1] != "help"]


def help_of(words: tuple[str, ...]) -> str:
    told = ended(PROGRAMS[words[0]], [*words[1:], "--help"])
    assert told.code == 0
    return told.out


@pytest.mark.parametrize(("command", "words"), EVERY, ids=[" ".join(words) for _, words in EVERY])
def test_it_says_what_happens_and_explains_every_option(command: click.Command, words: tuple[str, ...]) -> None:
    assert len((command.help or "").split()) >= 5
    if words[-1] != "help":
        assert (command.help or "").split()[0] in help_of(words)
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{' '.join(words)} {option.opts}"


@pytest.mark.parametrize(("command", "words"), LEAVES, ids=[" ".join(words) for _, words in LEAVES])
def test_it_shows_examples_and_exit_codes(command: click.Command, words: tuple[str, ...]) -> None:
    text = help_of(words)
    assert "\nExamples:\n" in text
    codes = re.findall(r"^  (\d)  ", text.partition("\nExit codes:\n")[2], re.MULTILINE)
    assert {"0", "2"} <= set(codes) <= set(map(str, EXIT_CODES))
    assert codes == sorted(codes)


@pytest.mark.parametrize(
    ("command", "codes"),
    [("history", "02"), ("report", "024"), ("doctor", "01235"), ("inspect transactions", "012345"),
     ("inspect timestamp", "012345"), ("inspect decode", "0125"), ("inspect locate", "0125"),
     ("inspect repair-log", "0125"), ("restore", "012345")],
)  # fmt: skip
def test_only_what_it_can_end_with_is_listed(command: str, codes: str) -> None:
    text = help_of(("atlasdb-recovery", *command.split())).partition("\nExit codes:\n")[2].partition("\n\n")[0]
    assert "".join(re.findall(r"^  (\d)  ", text, re.MULTILINE)) == codes
    assert ("parked" in text) is (command == "restore")
    assert ("report" in text) is (command == "report")


def _examples() -> Iterator[tuple[click.Command, str]]:
    for command, words in LEAVES:
        text = help_of(words).partition("\nExamples:\n")[2].partition("\n\nOptions:")[0]
        for line in text.splitlines():
            for part in line.split(" | "):
                if part.strip().startswith(words[0] + " "):
                    yield command, part.strip()


EXAMPLES = list(_examples())


@pytest.mark.parametrize(("command", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_an_example_names_the_command_and_options_that_there_are(command: click.Command, line: str) -> None:
    program, *words = shlex.split(line.partition("  #")[0].partition("     #")[0])
    at: click.Command = PROGRAMS[program]
    known = {name for option in at.params for name in option.opts}
    for word in words:
        below = at.commands.get(word) if isinstance(at, click.Group) else None
        if below is not None:
            at = below
            known |= {name for option in at.params for name in option.opts}
    assert at is command
    for word in words:
        if word.startswith("-"):
            assert word in known | {name for option in at.params for name in option.secondary_opts}


def test_the_commands_are_listed_in_the_order_one_meets_them() -> None:
    text = ended(recovery, ["--help"]).out.partition("\nCommands:\n")[2]
    names = re.findall(r"^  (\S+)", text, re.MULTILINE)
    assert names[:4] == ["backup", "restore", "resume", "doctor"]
    assert "…" not in text
    assert "..." not in text


def test_no_flag_takes_a_password() -> None:
    for command, _ in EVERY:
        for option in command.params:
            assert not [name for name in option.opts if re.search(r"pass(word|phrase)?$", name)]
