"""What a repair was asked to do: by its command line, and as the server understood it.

Must agree with `org.apache.cassandra.tools.nodetool.Repair` (its options, both spellings, 2.2 to 5.0 and Palantir's
fork) and with `RepairOption.toString`, which the "Starting repair command" line holds.
"""

import re
import shlex
from collections.abc import Mapping, Sequence

import msgspec

from atlasdb_recovery.cassandra.repair_ranges import Range
from atlasdb_recovery.foreign import plain


class UnreadableCommand(ValueError):
    """The command is not a `nodetool repair` whose options are all known."""


class Asked(msgspec.Struct, frozen=True):
    """A `nodetool repair` command line. `narrowed` says why it is less than a full repair of all replicas.

    `full` is what the line itself says: True with -full, False with -inc, None where nodetool's default decides; then
    `full_by_default` is what is known of that nodetool.
    """

    keyspace: str | None
    tables: frozenset[str]
    full: bool | None
    primary_range: bool
    subrange: Range | None
    narrowed: tuple[str, ...]
    full_by_default: bool = False

    @property
    def is_surely_full(self) -> bool:
        return self.full_by_default if self.full is None else self.full


_GLOBAL = {"-h": 1, "--host": 1, "-p": 1, "--port": 1, "-u": 1, "--username": 1, "-pw": 1, "--password": 1}
_GLOBAL |= {"-pwf": 1, "--password-file": 1, "-pp": 0, "--print-port": 0, "--ssl": 0}
_FLAGS = {
    "-pr": "--partitioner-range",
    "-full": "--full",
    "-inc": "--incremental",
    "-seq": "--sequential",
    "-par": "--parallel",
    "-dcpar": "--dc-parallel",
    "-local": "--in-local-dc",
    "-tr": "--trace",
    "-pl": "--pull",
    "-iuk": "--ignore-unreplicated-keyspaces",
    "-force": "--force",
    "-prv": "--preview",
    "-vd": "--validate",
    "-os": "--optimise-streams",
    "-skip-paxos": "--skip-paxos",
    "-paxos-only": "--paxos-only",
}
_VALUED = {
    "-st": "--start-token",
    "-et": "--end-token",
    "-dc": "--in-dc",
    "-hosts": "--in-hosts",
    "-j": "--job-threads",
}
_NARROWING = {
    "--incremental": "an incremental repair was asked for",
    "--in-local-dc": "only the local data centre was asked for",
    "--in-dc": "only some data centres were asked for",
    "--in-hosts": "only some hosts were asked for",
    "--force": "--force was asked for: dead replicas are left out",
    "--pull": "--pull was asked for: only one node receives",
    "--preview": "a preview was asked for",
    "--validate": "a validation was asked for, not a repair",
    "--paxos-only": "--paxos-only was asked for: no table data is repaired",
}
_SHELL = re.compile(r"\d?>.*|<.*|\|.*|&.*|;.*|[()].*|2>&1")


def asked_by(command: Sequence[str] | str) -> Asked:
    """What the command asks for. Raises `UnreadableCommand`; a text is split as a shell would."""
    words, options = _words_after_repair(_words(command)), dict[str, str]()
    positional: list[str] = []
    while words:
        word = words.pop(0)
        if word == "--":
            positional += words
            break
        if not word.startswith("-"):
            positional.append(word)
            continue
        name, attached, value = word.partition("=")
        if name in _FLAGS or name in _FLAGS.values():
            options[_FLAGS.get(name, name)] = ""
        elif name in _VALUED or name in _VALUED.values():
            if not attached and not words:
                raise UnreadableCommand(f"option {plain(name, 80)} has no value")
            options[_VALUED.get(name, name)] = value if attached else words.pop(0)
        else:
            raise UnreadableCommand(f"option {plain(name, 80)} of nodetool repair is not known")
    return _asked(positional, options)


def _asked(positional: Sequence[str], options: Mapping[str, str]) -> Asked:
    narrowed = [why for name, why in _NARROWING.items() if name in options]
    is_subrange = bool(options.get("--start-token") or options.get("--end-token"))
    if is_subrange and "--partitioner-range" in options:
        narrowed.append("-pr with -st or -et: the primary range is silently ignored")
    return Asked(
        keyspace=positional[0] if positional else None,
        tables=frozenset(positional[1:]),
        full=False if "--incremental" in options else True if "--full" in options else None,
        primary_range="--partitioner-range" in options,
        subrange=(options.get("--start-token", ""), options.get("--end-token", "")) if is_subrange else None,
        narrowed=tuple(narrowed),
    )


def _words(command: Sequence[str] | str) -> list[str]:
    try:
        words = _split(command) if isinstance(command, str) else list(command)
        within = [word for word in words if _WITHIN.search(word)]
        return _split(within[-1]) if within else words
    except ValueError as error:
        raise UnreadableCommand(f"the command cannot be split into words: {error}") from None


def _split(line: str) -> list[str]:
    """As a shell does: `;`, `|` and parentheses are words of their own, and a line may be continued."""
    words = shlex.shlex(line.replace("\\\n", " "), posix=True, punctuation_chars=";|()")
    words.whitespace_split, words.commenters = True, ""
    return list(words)


_WITHIN = re.compile(r"nodetool\b.*\srepair\b", re.DOTALL)
"""A word that is a whole command, as ssh and `sh -c` take one."""


def _words_after_repair(words: list[str]) -> list[str]:
    programs = [at for at, word in enumerate(words) if re.fullmatch(r"(?:.*[/\\])?nodetool(?:\.\w+)?", word)]
    at = programs[0] + 1 if programs else words.index("repair") if "repair" in words else len(words)
    while at < len(words) and words[at].startswith("-"):
        name, attached, _ = words[at].partition("=")
        is_of_java = name.startswith(("-D", "-J"))
        if name not in _GLOBAL and not is_of_java:
            raise UnreadableCommand(f"option {plain(name, 80)} of nodetool is not known")
        at += 1 if attached or is_of_java else 1 + _GLOBAL[name]
    if at >= len(words) or words[at] != "repair":
        raise UnreadableCommand("the command is not nodetool repair")
    end = next((end for end in range(at, len(words)) if _SHELL.fullmatch(words[end])), len(words))
    return words[at + 1 : end]


def shortcomings(options: Mapping[str, str]) -> tuple[str, ...]:
    """Why the options of a "Starting repair command" line are less than a full repair of all replicas, if they are."""
    wanted = (
        ("incremental", "false", "an incremental repair"),
        ("previewKind", "NONE", "a preview"),
        ("dataCenters", "[]", "only some data centres"),
        ("hosts", "[]", "only some hosts"),
        ("pull repair", "false", "a pull repair"),
        ("force repair", "false", "a forced repair"),
        ("paxosOnly", "false", "a repair of Paxos state only"),
    )
    always = ("incremental", "dataCenters", "hosts")
    return tuple(
        f"the server was running {what}: {plain(name)} {plain(options.get(name, 'not shown'), 200)}"
        for name, good, what in wanted
        if options.get(name, "" if name in always else good) != good
    )


def is_what_was_asked(keyspace: str, options: Mapping[str, str], asked: Asked) -> bool:
    """Whether a "Starting repair command" line is that of the command asked for."""
    return (
        asked.keyspace in {None, keyspace}
        and listed(options.get("ColumnFamilies", "")) == asked.tables
        and options.get("primary range") == str(asked.primary_range).lower()
    )


LONGEST_COUNT = 18
"""Digits; a longer count is damage, and counts as more than there can be."""


def range_count(options: Mapping[str, str]) -> int | None:
    """How many ranges the server set out to repair."""
    count = options.get("# of ranges", "")
    if not count.isdecimal():
        return None
    return int(count) if len(count) <= LONGEST_COUNT else 10**LONGEST_COUNT


def listed(text: str) -> frozenset[str]:
    """The elements of a Java collection's text, `[a, b]`."""
    return frozenset(part for part in text.strip("[]").split(", ") if part)
