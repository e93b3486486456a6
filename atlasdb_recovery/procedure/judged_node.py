"""The verdict on a node: the union of what its commands, now and earlier, have proven."""

from collections.abc import Iterable, Sequence

from atlasdb_recovery.cassandra.repair import Judgement, Verdict
from atlasdb_recovery.cassandra.repair_ranges import Range, canonical, range_of, range_text, uncovered
from atlasdb_recovery.events import RepairJudged
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure.planned_repair import PlannedRepair

REASONS_AT_MOST = 20


def judged_node(
    step: str,
    planned: PlannedRepair,
    tables: tuple[str, ...],
    commands: Sequence[tuple[frozenset[Range], Judgement]],
    attempt: int,
) -> RepairJudged:
    """Repaired only if every expected range is proven; not-repaired if a command failed.

    `commands` are those that were run, each with the ranges it was to repair and its judgement.
    """
    expected, judgements = planned.expected, [judgement for _, judgement in commands]
    proven = expected - uncovered(expected, planned.proven.union(*(each.ranges_proven for each in judgements)))
    if proven == expected:
        verdict = Verdict.REPAIRED
    elif any(each.verdict is Verdict.NOT_REPAIRED for each in judgements):
        verdict = Verdict.NOT_REPAIRED
    else:
        verdict = Verdict.UNKNOWN
    done = expected if verdict is Verdict.REPAIRED else frozenset().union(*(each.ranges_done for each in judgements))
    failed = set(map(canonical, frozenset[Range]().union(*(each.ranges_failed for each in judgements))))
    return RepairJudged(
        step=step,
        node=planned.node,
        tables=tables,
        verdict=verdict.value,
        reasons=tuple(plain(reason) for reason in _reasons(planned, commands, proven, verdict)),
        ranges=_texts(done),
        attempt=attempt,
        proven=() if verdict is Verdict.REPAIRED else _texts(proven),
        failed=_texts(span for span in expected - proven if canonical(span) in failed),
    )


def proven_ranges(judged: RepairJudged | None, tables: Iterable[str], expected: frozenset[Range]) -> frozenset[Range]:
    """Which of the expected ranges an earlier verdict covers, for all of these tables."""
    if judged is None or not set(judged.tables) >= set(tables):
        return frozenset()
    found = [span for text in judged.repaired_ranges if (span := range_of(text)) is not None]
    return expected - uncovered(expected, found)


def _reasons(
    planned: PlannedRepair,
    commands: Sequence[tuple[frozenset[Range], Judgement]],
    proven: frozenset[Range],
    verdict: Verdict,
) -> list[str]:
    reasons = [reason for covered, judgement in commands for reason in _of_command(planned, covered, judgement)]
    if not commands:
        reasons = ["stopped by the operator before it began"]
    if len(reasons) > REASONS_AT_MOST:
        reasons = [*reasons[:REASONS_AT_MOST], f"and {len(reasons) - REASONS_AT_MOST} more reasons"]
    earlier = f", {len(planned.proven)} of them by an earlier attempt" if planned.proven else ""
    if proven and (earlier or verdict is not Verdict.REPAIRED):
        reasons.append(f"{len(proven)} of {len(planned.expected)} token ranges are proven{earlier}")
    return reasons


def _of_command(planned: PlannedRepair, covered: frozenset[Range], judgement: Judgement) -> list[str]:
    if covered == planned.expected:
        return list(judgement.reasons)
    if judgement.verdict is Verdict.REPAIRED:
        return []
    return [f"{', '.join(_texts(covered))}: {reason}" for reason in judgement.reasons]


def _texts(ranges: Iterable[Range]) -> tuple[str, ...]:
    return tuple(sorted(map(range_text, ranges)))
