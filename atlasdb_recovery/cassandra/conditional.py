"""What a conditional write answered."""

from collections.abc import Sequence

from atlasdb_recovery.cassandra.ports import CasOutcome

APPLIED = "[applied]"


def outcome(columns: Sequence[str], row: Sequence[object]) -> CasOutcome:
    """From the columns by name: the servers send the value seen only where there was one."""
    answer = dict(zip(columns, row, strict=True))
    value = answer.get("value")
    applied = bool(answer[APPLIED])
    return CasOutcome(applied, value if isinstance(value, bytes) and not applied else None)
