"""The verdict on `nodetool repair`, by evidence.

Neither exit codes nor percentages nor the word "finished" show that a repair worked: Palantir's 2.2 exits 0 after
every failure, and 4.1 prints 57 % for whatever it has done. Repaired means: the options were a full repair's, sessions
finished for every expected range, the words of success and of completion were seen, and nothing failed.
"""

from collections.abc import Iterable, Sequence

import msgspec

from atlasdb_recovery.cassandra.ports import Line
from atlasdb_recovery.cassandra.repair_commands import RepairCommand, commands_in
from atlasdb_recovery.cassandra.repair_options import (
    Asked,
    UnreadableCommand,
    asked_by,
    is_what_was_asked,
    shortcomings,
)
from atlasdb_recovery.cassandra.repair_progress import RepairProgress
from atlasdb_recovery.cassandra.repair_proof import proven_by_sessions
from atlasdb_recovery.cassandra.repair_ranges import Range, canonical, uncovered
from atlasdb_recovery.cassandra.repair_server import confirmed_by_server
from atlasdb_recovery.cassandra.repair_sessions import session_problems
from atlasdb_recovery.cassandra.repair_transcript import Sign, Started
from atlasdb_recovery.cassandra.repair_verdict import Judgement, Verdict
from atlasdb_recovery.foreign import plain

__all__ = ["Judgement", "RepairProgress", "Verdict", "confirmed_by_server", "judge"]

_SECONDS_BETWEEN_DUPLICATES = 1.0
_LONGEST_REASON = 400
_DOUBTS = (Sign.PREVIEW, Sign.NOTIFICATIONS_LOST, Sign.DAMAGED, Sign.EXCEPTION)


def judge(
    command: Sequence[str] | str | None,
    lines: Iterable[Line],
    *,
    exit_code: int | None = None,
    expected: frozenset[Range] | None = None,
    full_by_default: bool = False,
) -> Judgement:
    """The verdict on a repair that was asked for with `command` and printed `lines` (both streams, in any order).

    `command` may be None: then the server's own "Starting" lines say what was asked. `expected` are the ranges that
    must be covered; without them those are the ranges that the server set out to repair. `full_by_default`: this
    nodetool's own help says that it repairs fully unless told otherwise, as Palantir's does. A table that is dropped or
    truncated during the repair cannot be seen here, nor, if no keyspace was asked for, that one's turn never came, nor
    what the servers themselves overlook: the Merkle trees of 2.2 take no notice of partition keys, so that an even
    number of missing partitions with the same columns, values and write times cancel out (`LazilyCompactedRow`).
    """
    progress = RepairProgress()
    for line in lines:
        progress.add(line)
    asked, narrowed = _asked(command, full_by_default=full_by_default)
    proven = proven_by_sessions(asked, progress, expected if expected is not None else _subrange(asked))
    if progress.failures:
        told = dict.fromkeys(plain(failure.text, _LONGEST_REASON) for failure in progress.failures)
        return _judgement(progress, Verdict.NOT_REPAIRED, tuple(told), expected, full=None, proven=proven)
    narrowed += [why for start in progress.starts for why in shortcomings(start.options)]
    full = False if narrowed else _is_known_to_be_full(asked, progress)
    problems = narrowed + _problems(progress, asked, full, expected, exit_code)
    if problems:
        reasons = tuple(dict.fromkeys(problems))
        return _judgement(progress, Verdict.UNKNOWN, reasons, expected, full=full, proven=proven)
    seen = f"{len(progress.ranges_done)} ranges in finished sessions, words of success and of completion, no failure"
    covered = progress.ranges_done if expected is None else expected
    return _judgement(progress, Verdict.REPAIRED, (seen,), expected, full=full, proven=covered)


def _asked(command: Sequence[str] | str | None, *, full_by_default: bool) -> tuple[Asked | None, list[str]]:
    if command is None:
        return None, []
    try:
        asked = asked_by(command)
    except UnreadableCommand as error:
        return None, [str(error)]
    return msgspec.structs.replace(asked, full_by_default=full_by_default), list(asked.narrowed)


def _is_known_to_be_full(asked: Asked | None, progress: RepairProgress) -> bool | None:
    return True if (asked is not None and asked.is_surely_full) or progress.starts else None


def _problems(
    progress: RepairProgress,
    asked: Asked | None,
    full: bool | None,
    expected: frozenset[Range] | None,
    exit_code: int | None,
) -> list[str]:
    """Why the transcript does not prove the repair."""
    signs = {s for s in progress.statements if isinstance(s, Sign)}
    problems = _ending_problems(signs, exit_code)
    commands = commands_in(progress.statements)
    worked = [c for c in commands if c.starts or c.sessions or not c.is_empty_keyspace]
    nothing_done = {Sign.NOT_NEEDED, Sign.EMPTY_KEYSPACE} & signs
    if nothing_done and (not any(c.sessions for c in worked) or (asked is not None and asked.keyspace is not None)):
        return [*problems, "nothing was repaired: one replica only, or no tables"]
    if not progress.statements:
        return [*problems, "the transcript has no line of a repair"]
    if asked is not None and asked.keyspace is not None and len(commands) > 1:
        problems.append("one keyspace was asked for, but the transcript has lines of several repair commands")
    wanted = expected if expected is not None else _subrange(asked)
    for each in worked:
        problems += _command_problems(each, asked, full, wanted)
    problems += session_problems(worked)
    if Sign.DISCONNECTED in signs:
        problems.append("the connection to the node was lost; the repair may have gone on without nodetool")
    return problems


def _ending_problems(signs: set[Sign], exit_code: int | None) -> list[str]:
    problems = [sign.value for sign in _DOUBTS if sign in signs]
    if exit_code is not None and exit_code != 0:
        by = f"was killed by signal {-exit_code}" if exit_code < 0 else f"ended with exit code {exit_code}"
        problems.append(f"nodetool {by}")
    return problems


def _command_problems(
    command: RepairCommand, asked: Asked | None, full: bool | None, expected: frozenset[Range] | None
) -> list[str]:
    name = "the repair command" if command.number is None else f"repair command #{command.number}"
    problems = _start_problems(command, asked, full, name)
    keyspaces = {start.keyspace for start in command.starts} | {asked.keyspace if asked is not None else None}
    if len(keyspaces.union(done.keyspace for done in command.finished) - {None}) > 1:
        problems.append(f"{name}: not all of its lines are of one keyspace")
    if not command.sessions:
        problems.append(f"{name}: no session is known to have finished")
    ranges = command.ranges
    if command.announced_ranges is not None and len(ranges) != command.announced_ranges:
        problems.append(f"{name}: {len(ranges)} of {command.announced_ranges} ranges are in finished sessions")
    if len(set(map(canonical, ranges))) != len(ranges):
        problems.append(f"{name}: two sessions had the same range")
    if missing := uncovered(expected or (), ranges):
        shown = ", ".join(f"({start},{end}]" for start, end in sorted(missing)[:5])
        problems.append(f"{name}: {len(missing)} expected ranges are in no finished session: {plain(shown)}")
    if not command.succeeded:
        problems.append(f'{name}: the line "{Sign.SUCCESS.value}" is missing')
    if not command.finished:
        problems.append(f"{name}: the line that ends it is missing")
    return problems


def _start_problems(command: RepairCommand, asked: Asked | None, full: bool | None, name: str) -> list[str]:
    if not command.starts:
        if asked is None:
            return [f"{name}: neither what was asked nor its first line, with the options, is known"]
        return (
            []
            if full and asked.is_surely_full
            else [f"{name}: its first line is lost, and without -full it may be incremental"]
        )
    start = command.starts[0]
    problems = []
    if any(not _is_same(start, other) for other in command.starts[1:]):
        problems.append(f"{name}: the transcript has lines of two commands of this number")
    if command.announced_ranges is None:
        problems.append(f"{name}: the number of ranges is not shown")
    if any(done.keyspace != start.keyspace for done in command.finished if done.keyspace or _is_fork(start, asked)):
        problems.append(f"{name}: its end does not name the keyspace of its beginning")
    if asked is not None and not is_what_was_asked(start.keyspace, start.options, asked):
        problems.append(f"{name}: the server's options are not those that were asked for")
    return problems


def _is_fork(start: Started, asked: Asked | None) -> bool:
    """Whether this is Palantir's 2.2, which names the keyspace at the end: full though nobody said so."""
    return start.parent_id is None and asked is not None and asked.full is None


def _is_same(one: Started, other: Started) -> bool:
    is_copy = msgspec.structs.replace(other, clock=one.clock) == one
    return is_copy and (one.parent_id is not None or abs(other.clock - one.clock) < _SECONDS_BETWEEN_DUPLICATES)


def _subrange(asked: Asked | None) -> frozenset[Range] | None:
    return frozenset({asked.subrange}) if asked is not None and asked.subrange is not None else None


def _judgement(
    progress: RepairProgress,
    verdict: Verdict,
    reasons: tuple[str, ...],
    expected: frozenset[Range] | None,
    *,
    full: bool | None,
    proven: frozenset[Range],
) -> Judgement:
    return Judgement(
        verdict=verdict,
        reasons=reasons,
        ranges_done=progress.ranges_done,
        ranges_failed=progress.ranges_failed,
        ranges_expected=progress.ranges_expected if expected is None else len(expected),
        parent_ids=progress.parent_ids,
        full=full,
        ranges_proven=proven,
    )
