"""What the servers themselves remember of repairs: `system_distributed.parent_repair_history`."""

from datetime import UTC, datetime
from typing import Any

from atlasdb_recovery.cassandra.connection import Connection
from atlasdb_recovery.cassandra.ports import Consistency, RepairRecord

_COLUMNS = (
    "parent_id, keyspace_name, columnfamily_names, requested_ranges, successful_ranges, started_at, finished_at, "
    "exception_message"
)


async def remembered(
    connection: Connection, keyspace: str, table: str, since: float, *, has_options: bool
) -> tuple[RepairRecord, ...]:
    """Repairs of this table begun at or after `since` (Unix seconds)."""
    columns = f"{_COLUMNS}, options" if has_options else _COLUMNS
    cql = f"SELECT {columns} FROM system_distributed.parent_repair_history"  # noqa: S608 — no value in it
    found, state, has_more = [], None, True
    while has_more:
        page = await connection.read(cql, consistency=Consistency.QUORUM, paging_state=state)
        records = (_record(row, has_options) for row in page.rows)
        found += [r for r in records if r.keyspace == keyspace and table in r.tables and r.started_at >= since]
        state = page.paging_state
        has_more = state is not None
    return tuple(sorted(found, key=lambda record: record.started_at))


def _record(row: Any, has_options: bool) -> RepairRecord:
    return RepairRecord(
        parent_id=str(row[0]),
        keyspace=str(row[1]),
        tables=frozenset(row[2] or ()),
        requested_ranges=frozenset(row[3] or ()),
        successful_ranges=None if row[4] is None else frozenset(row[4]),
        started_at=_seconds(row[5]) or 0.0,
        finished_at=_seconds(row[6]),
        error=row[7],
        options=dict(row[8] or {}) if has_options else {},
    )


def _seconds(when: datetime | None) -> float | None:
    return None if when is None else when.replace(tzinfo=UTC).timestamp()
