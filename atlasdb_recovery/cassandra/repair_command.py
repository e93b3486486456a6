"""The arguments that make a node's own nodetool run a full repair of its primary ranges.

AtlasDB's page says `nodetool repair --partitioner-range --full -- KEYSPACE TABLE`. Palantir's fork has no --full: its
repairs are full unless --incremental is given, and it would take "--full" for a keyspace.
"""

import re
from collections.abc import Sequence

import msgspec

from atlasdb_recovery.cassandra.ports import NodetoolFailed
from atlasdb_recovery.cassandra.repair_ranges import Range


class UnknownRepairDialect(NodetoolFailed):
    """It cannot be assured that this nodetool would run a full repair."""


class RepairOptions(msgspec.Struct, frozen=True):
    """The long options that a nodetool's `help repair` lists for its repair command."""

    names: frozenset[str]

    @classmethod
    def in_help(cls, help_text: str) -> "RepairOptions":
        """The options of `nodetool help repair`. Raises `UnknownRepairDialect` if the text is not that."""
        synopsis = re.search(r"^SYNOPSIS\s*$(.*?)^OPTIONS\s*$", help_text, re.MULTILINE | re.DOTALL)
        words = re.findall(r"[^\s()\[\]|]+", synopsis[1]) if synopsis else []
        if "repair" not in words:
            raise UnknownRepairDialect(
                "The text that `nodetool help repair` printed has no synopsis of a repair command, so it is not known "
                "whether this nodetool repairs fully. Run `nodetool help repair` on the node and see why."
            )
        return cls(frozenset(word for word in words[words.index("repair") :] if re.fullmatch(r"--[a-z-]+", word)))

    @property
    def has_full(self) -> bool:
        return "--full" in self.names

    @property
    def is_full_by_default(self) -> bool:
        """Whether this is the fork: a repair is full there unless --incremental is given."""
        return "--incremental" in self.names and not self.has_full

    @property
    def has_partitioner_range(self) -> bool:
        return "--partitioner-range" in self.names

    @property
    def has_subrange(self) -> bool:
        return {"--start-token", "--end-token"} <= self.names


def arguments(keyspace: str, tables: Sequence[str], help_text: str) -> tuple[str, ...]:
    """What to give to nodetool for a full repair of these tables on the node's primary ranges.

    `help_text` is what the node's own `nodetool help repair` printed. Raises `UnknownRepairDialect` where that nodetool
    has no option for a full repair and is not known to run one by default, or has no --partitioner-range.
    """
    return ("repair", "--partitioner-range", *_full(help_text), "--", keyspace, *tables)


def takes_subranges(help_text: str) -> bool:
    """Whether this nodetool can be told to repair a single range. Raises `UnknownRepairDialect`."""
    return RepairOptions.in_help(help_text).has_subrange


def subrange_arguments(keyspace: str, tables: Sequence[str], help_text: str, span: Range) -> tuple[str, ...]:
    """The same for one range of the ring alone, which the node must replicate.

    Without --partitioner-range: beside --start-token and --end-token Cassandra ignores it and still says success. A
    node that does not replicate the range says success too, on 2.2. Raises `UnknownRepairDialect`.
    """
    return (
        *("repair", *_full(help_text), "--start-token", span[0], "--end-token", span[1]),
        *("--", keyspace, *tables),
    )


def _full(help_text: str) -> tuple[str, ...]:
    options = RepairOptions.in_help(help_text)
    if not options.has_partitioner_range or not (options.has_full or options.is_full_by_default):
        raise UnknownRepairDialect(
            "This nodetool's repair has neither --full nor Palantir's --incremental, or lacks --partitioner-range: a "
            "full repair cannot be assured, and an incremental one leaves replicas that differ. Use the nodetool that "
            "belongs to the server, or repair every node by hand with its own full repair."
        )
    return ("--full",) if options.has_full else ()
