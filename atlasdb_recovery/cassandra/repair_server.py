"""What the server remembers of a repair, asked when nodetool cannot tell.

`system_distributed.parent_repair_history` says SUCCESS of a repair of some hosts only, and of one of Paxos state only:
a row counts together with its options, or, on 2.2 which stores none, if the transcript knows them.
A coordinator that died, and on 4.x one that was told to stop, leave a row without an end for ever.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from atlasdb_recovery.cassandra.ports import RepairRecord
from atlasdb_recovery.cassandra.repair_ranges import Range, range_of, uncovered
from atlasdb_recovery.cassandra.repair_verdict import Judgement, Verdict
from atlasdb_recovery.foreign import plain

_FULL = {
    "incremental": "false",
    "hosts": "",
    "dataCenters": "",
    "previewKind": "NONE",
    "forceRepair": "false",
    "pullRepair": "false",
    "paxosOnly": "false",
}
_ALWAYS_STORED = {"incremental", "hosts", "dataCenters"}


def confirmed_by_server(
    judgement: Judgement,
    records: Sequence[RepairRecord],
    keyspace: str,
    tables: Sequence[str],
    expected: frozenset[Range],
) -> Judgement:
    """The judgement, decided by the server's memory where it is unknown for another reason than its options.

    `records` are those since the repair began; the ones of this repair are found by its parent id, or, where that is
    not known, by keyspace, tables and ranges.
    """
    if judgement.verdict is not Verdict.UNKNOWN or judgement.full is False or not expected:
        return judgement
    own = _of_this_repair(judgement, records, keyspace, tables, expected)
    if len({r.parent_id for r in own}) > 1 and not judgement.parent_ids:
        return _decided(judgement, Verdict.UNKNOWN, "the server remembers several repairs that may be this one")
    proven = _proven(own, judgement, keyspace, tables, expected)
    judgement = msgspec.structs.replace(judgement, ranges_proven=judgement.ranges_proven | proven)
    if not own:
        return _decided(judgement, Verdict.UNKNOWN, "the server remembers no such repair")
    for record in own:
        verdict, reason = _verdict_on(record, judgement, keyspace, tables, expected)
        if verdict is not Verdict.REPAIRED:
            return _decided(judgement, verdict, reason)
    repaired = msgspec.structs.replace(judgement, ranges_proven=expected)
    return _decided(repaired, Verdict.REPAIRED, "the server remembers a full repair of every expected range")


def _of_this_repair(
    judgement: Judgement,
    records: Sequence[RepairRecord],
    keyspace: str,
    tables: Sequence[str],
    expected: frozenset[Range],
) -> list[RepairRecord]:
    if judgement.parent_ids:
        return [r for r in records if r.parent_id in judgement.parent_ids]
    return [r for r in records if _is_about(r, keyspace, tables, expected)]


def _proven(
    own: Sequence[RepairRecord],
    judgement: Judgement,
    keyspace: str,
    tables: Sequence[str],
    expected: frozenset[Range],
) -> frozenset[Range]:
    """The expected ranges that an ended repair of all these tables remembers as successful, failed or not."""
    done = [
        span
        for r in own
        if r.finished_at is not None and r.keyspace == keyspace and r.tables >= set(tables)
        if (_is_full(r.options) if r.options else judgement.full)
        for span in _ranges(r.successful_ranges)
    ]
    return expected - uncovered(expected, done)


def _verdict_on(
    record: RepairRecord, judgement: Judgement, keyspace: str, tables: Sequence[str], expected: frozenset[Range]
) -> tuple[Verdict, str]:
    if record.error:
        return Verdict.NOT_REPAIRED, f"the server remembers that it failed: {plain(record.error, 400)}"
    if record.finished_at is None:
        return Verdict.UNKNOWN, "the server remembers no end of it: it is still running, or its coordinator died"
    if record.keyspace != keyspace or not record.tables >= set(tables):
        return Verdict.UNKNOWN, "the server remembers it for other tables"
    if not (_is_full(record.options) if record.options else judgement.full):
        return Verdict.UNKNOWN, "the server does not remember it as a full repair of all replicas"
    if missing := uncovered(expected, _ranges(record.successful_ranges)):
        return Verdict.NOT_REPAIRED, f"the server remembers {len(missing)} of {len(expected)} ranges as not repaired"
    return Verdict.REPAIRED, ""


def _is_about(record: RepairRecord, keyspace: str, tables: Sequence[str], expected: frozenset[Range]) -> bool:
    is_whole = not uncovered(expected, _ranges(record.requested_ranges))
    return record.keyspace == keyspace and record.tables >= set(tables) and is_whole


def _ranges(texts: Iterable[str] | None) -> list[Range]:
    return [span for text in texts or () if (span := range_of(text)) is not None]


def _is_full(options: Mapping[str, str]) -> bool:
    return all(options.get(name, None if name in _ALWAYS_STORED else good) == good for name, good in _FULL.items())


def _decided(judgement: Judgement, verdict: Verdict, reason: str) -> Judgement:
    return msgspec.structs.replace(judgement, verdict=verdict, reasons=(reason, *judgement.reasons))
