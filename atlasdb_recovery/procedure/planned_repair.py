"""How one node is to be repaired: as a whole, or only the token ranges that no verdict has covered yet.

Cassandra takes a sub-range only if it lies in one range of the ring, so neighbours cannot be joined in one command; and
`-pr` beside `-st` and `-et` repairs something else than it says. Each range that is left is a command of its own, and
where they are many the whole node is cheaper.
"""

from collections.abc import Sequence

import msgspec

from atlasdb_recovery.cassandra.repair_command import RepairOptions, arguments, subrange_arguments, takes_subranges
from atlasdb_recovery.cassandra.repair_options import asked_by
from atlasdb_recovery.cassandra.repair_ranges import Range, uncovered

SUBRANGES_AT_MOST = 32
"""Each costs nodetool's own start, a second or more, and a repair's preparation."""


class PlannedRepair(msgspec.Struct, frozen=True):
    """Commands, each the arguments of nodetool. `expected` are the node's primary ranges; `proven` are done already.

    `full_by_default`: the node's nodetool repairs fully unless it is told otherwise.
    """

    node: str
    expected: frozenset[Range]
    proven: frozenset[Range]
    commands: tuple[tuple[str, ...], ...]
    full_by_default: bool = False

    @property
    def left(self) -> frozenset[Range]:
        return uncovered(self.expected, self.proven)

    @property
    def by_subranges(self) -> bool:
        return any(self.covered_by(command) != self.expected for command in self.commands)

    def covered_by(self, command: tuple[str, ...]) -> frozenset[Range]:
        """The ranges that this command repairs: one, or all of the node's."""
        subrange = asked_by(command).subrange
        return self.expected if subrange is None else frozenset({subrange})

    def describe(self) -> str:
        """What is done again and why, for whoever reads the plan; nothing to say of a first repair."""
        if not self.proven:
            return ""
        left = f"{self.node}: {len(self.left)} of {len(self.expected)} token ranges left to repair"
        if self.by_subranges:
            return f"{left}, each by a command of its own"
        return f"{left}, too many for commands of their own (at most {SUBRANGES_AT_MOST}): the whole node again"


def planned_repair(
    node: str,
    expected: frozenset[Range],
    proven: frozenset[Range],
    help_text: str,
    keyspace: str,
    tables: Sequence[str],
) -> PlannedRepair:
    """`help_text` is what the node's own `nodetool help repair` printed. Raises `UnknownRepairDialect`."""
    left = sorted(uncovered(expected, proven))
    whole = arguments(keyspace, tables, help_text)
    commands: tuple[tuple[str, ...], ...] = (whole,)
    if len(left) < len(expected) and len(left) <= SUBRANGES_AT_MOST and takes_subranges(help_text):
        commands = tuple(subrange_arguments(keyspace, tables, help_text, span) for span in left)
    return PlannedRepair(node, expected, proven, commands, RepairOptions.in_help(help_text).is_full_by_default)
