"""Ranges that a repair has brought together although it is not proven as a whole.

A session that finished has synchronized every table of the command on all replicas of its ranges, whatever becomes of
the other sessions: seen on 2.2, 4.x and 5.0, where after a replica died exactly the ranges of finished sessions agreed.
Such a range is only taken where it is beyond doubt whose session it was and what it was asked to do.
"""

import msgspec

from atlasdb_recovery.cassandra.repair_commands import RepairCommand, commands_in
from atlasdb_recovery.cassandra.repair_options import Asked, is_what_was_asked, shortcomings
from atlasdb_recovery.cassandra.repair_progress import RepairProgress
from atlasdb_recovery.cassandra.repair_ranges import Range, canonical
from atlasdb_recovery.cassandra.repair_sessions import session_problems


def proven_by_sessions(
    asked: Asked | None, progress: RepairProgress, expected: frozenset[Range] | None
) -> frozenset[Range]:
    """The expected ranges that finished sessions of the full repair asked for have brought together.

    The first line must be there, with its options, and announce exactly as many ranges as are expected; no session may
    be of another command, or of another range; and a range that two sessions had, or that failed, is not proven.
    """
    commands = commands_in(progress.statements)
    if asked is None or asked.keyspace is None or asked.narrowed or not expected or len(commands) != 1:
        return frozenset()
    command = commands[0]
    if not _is_ours(command, asked) or command.announced_ranges != len(expected) or session_problems(commands):
        return frozenset()
    spelled = {canonical(span): span for span in expected}
    finished = [canonical(span) for span in command.ranges]
    if not set(finished) <= spelled.keys() or len(set(finished)) != len(finished):
        return frozenset()
    return frozenset(spelled[span] for span in set(finished) - set(map(canonical, progress.ranges_failed)))


def _is_ours(command: RepairCommand, asked: Asked) -> bool:
    if not command.starts:
        return False
    first = command.starts[0]
    is_one = all(msgspec.structs.replace(start, clock=first.clock) == first for start in command.starts)
    return is_one and not shortcomings(first.options) and is_what_was_asked(first.keyspace, first.options, asked)
