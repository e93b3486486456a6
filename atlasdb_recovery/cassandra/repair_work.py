"""How much a node has validated and streamed for repairs: from its virtual tables, or from what nodetool shows.

Must agree with `system_views.repair_validations` and `system_views.streaming` (4.1 and later): both remember what has
ended, so a moment tells what belongs to a repair.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from atlasdb_recovery.cassandra.activity import Activity
from atlasdb_recovery.cassandra.connection import Connection
from atlasdb_recovery.cassandra.ports import Consistency, RepairWork

VIEWS_SINCE = (4, 1)
_VALIDATIONS = "SELECT bytes_read, estimated_total_bytes, state_init_timestamp FROM system_views.repair_validations"
_STREAMS = (
    "SELECT bytes_sent, bytes_received, bytes_to_send, bytes_to_receive, status_init_timestamp, operation "
    "FROM system_views.streaming"
)


async def repair_work(connection: Connection, address: str, since: float) -> RepairWork:
    """The node's part in repairs begun at or after `since` (Unix seconds, by its own clock)."""
    validations = await connection.rows(_VALIDATIONS, consistency=Consistency.ONE, node=address)
    streams = await connection.rows(_STREAMS, consistency=Consistency.ONE, node=address)
    read = [row for row in validations if _is_since(row[2], since)]
    moved = [row for row in streams if row[5] == "Repair" and _is_since(row[4], since)]
    return RepairWork(
        validated=_sum(read, 0),
        to_validate=sum(max(row[0] or 0, row[1] or 0) for row in read),
        streamed=_sum(moved, 0) + _sum(moved, 1),
        to_stream=_sum(moved, 2) + _sum(moved, 3),
    )


class SeenWork:
    """The same added up from a node's `compactionstats` and `netstats`, which show only what is under way.

    What is no longer shown counts as whole; what came and went between two looks is missed.
    """

    def __init__(self) -> None:
        self._validations: dict[str, tuple[int, int]] = {}
        self._streams: dict[str, tuple[int, int]] = {}
        self._validated = 0
        self._streamed = 0

    def after(self, seen: Activity) -> RepairWork:
        """The sums, with what this look showed."""
        validations = {t.task_id: (t.completed, t.total) for t in seen.validations if t.unit == "bytes"}
        streams = {s.plan_id: s.bytes_done_and_total for s in seen.streams if s.operation == "Repair"}
        self._validated += _gone(self._validations, validations)
        self._streamed += _gone(self._streams, streams)
        self._validations, self._streams = validations, streams
        return RepairWork(
            validated=self._validated + sum(done for done, _ in validations.values()),
            to_validate=self._validated + sum(max(pair) for pair in validations.values()),
            streamed=self._streamed + sum(done for done, _ in streams.values()),
            to_stream=self._streamed + sum(max(pair) for pair in streams.values()),
        )


def _gone(before: dict[str, tuple[int, int]], now: Iterable[str]) -> int:
    return sum(max(pair) for name, pair in before.items() if name not in now)


def _is_since(when: datetime | None, since: float) -> bool:
    return when is not None and when.replace(tzinfo=UTC).timestamp() >= since


def _sum(rows: Iterable[Sequence[Any]], column: int) -> int:
    return sum(int(row[column] or 0) for row in rows)
