"""What can be said of a repair."""

from enum import StrEnum

import msgspec

from atlasdb_recovery.cassandra.repair_ranges import Range


class Verdict(StrEnum):
    """`REPAIRED` has positive evidence for every expected range; `UNKNOWN` has neither that nor a failure."""

    REPAIRED = "repaired"
    NOT_REPAIRED = "not-repaired"
    UNKNOWN = "unknown"


class Judgement(msgspec.Struct, frozen=True):
    """The verdict on a repair and why. Ranges are (start, end], tokens as printed.

    `full` is whether a full repair of all replicas was asked for and run: None where it cannot be told.
    `ranges_done` are those of finished sessions, as the transcript says; `ranges_proven` are the expected ones that
    need not be repaired again, whatever the verdict on the whole.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    ranges_done: frozenset[Range]
    ranges_failed: frozenset[Range]
    ranges_expected: int | None
    parent_ids: tuple[str, ...]
    full: bool | None = None
    ranges_proven: frozenset[Range] = frozenset()
