"""What the servers themselves remember of repairs.

`system_distributed.parent_repair_history` outlives the coordinator; `system_views.repairs` (4.1 and later) is each
coordinator's own memory, which also holds those that never came as far as the history.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from atlasdb_recovery.cassandra.connection import Connection
from atlasdb_recovery.cassandra.ports import ClusterUnreachable, Consistency, NotEnoughReplicas, RepairRecord

_HISTORY = (
    "parent_id, keyspace_name, columnfamily_names, requested_ranges, successful_ranges, started_at, finished_at, "
    "exception_message"
)
_VIEW = (
    "SELECT id, keyspace_name, options_column_families, options_ranges, failure_cause, state_init_timestamp, "
    "last_updated_at, completed FROM system_views.repairs"
)


async def remembered(
    connection: Connection, keyspace: str, table: str, since: float, *, release: tuple[int, int]
) -> tuple[RepairRecord, ...]:
    """Repairs of this table begun at or after `since` (Unix seconds), in the order they began."""
    history = await _history(connection, keyspace, table, since, has_options=release >= (3, 0))
    coordinators = [] if release < (4, 1) else await _coordinators(connection, keyspace, table, since)
    return together(history, coordinators)


def together(history: Iterable[RepairRecord], coordinators: Iterable[RepairRecord]) -> tuple[RepairRecord, ...]:
    """The history, completed by what it does not have an end of: repairs under way, and those that failed early."""
    found = {record.parent_id: record for record in history}
    for record in coordinators:
        known = found.get(record.parent_id)
        if known is None or (known.finished_at is None and record.finished_at is not None):
            found[record.parent_id] = record
    return tuple(sorted(found.values(), key=lambda record: record.started_at))


async def _history(
    connection: Connection, keyspace: str, table: str, since: float, *, has_options: bool
) -> list[RepairRecord]:
    columns = f"{_HISTORY}, options" if has_options else _HISTORY
    cql = f"SELECT {columns} FROM system_distributed.parent_repair_history"  # noqa: S608 — no value in it
    found, state, has_more = list[RepairRecord](), None, True
    while has_more:
        page = await connection.repeatable(cql, consistency=Consistency.QUORUM, paging_state=state)
        found += _of_table((_from_history(row, has_options) for row in page.rows), keyspace, table, since)
        state = page.paging_state
        has_more = state is not None
    return found


async def _coordinators(connection: Connection, keyspace: str, table: str, since: float) -> list[RepairRecord]:
    """Those of the coordinators that answer; one that is down has forgotten its repairs."""
    found = list[RepairRecord]()
    for address in connection.addresses():
        with suppress(ClusterUnreachable, NotEnoughReplicas):
            rows = await connection.rows(_VIEW, consistency=Consistency.ONE, node=address)
            found += _of_table(filter(None, (from_view(row, table) for row in rows)), keyspace, table, since)
    return found


def from_view(row: Sequence[Any], table: str) -> RepairRecord | None:
    """A row of the view, unless it tells of a success: the view does not say which options made it a full repair."""
    failure, completed = row[4], bool(row[7])
    if completed and failure is None:
        return None
    return RepairRecord(
        parent_id=str(row[0]),
        keyspace=str(row[1]),
        tables=frozenset(row[2] or {table}),
        requested_ranges=frozenset(row[3] or ()),
        successful_ranges=None,
        started_at=_seconds(row[5]) or 0.0,
        finished_at=_seconds(row[6]) if completed else None,
        error=failure,
        options={},
    )


def _of_table(records: Iterable[RepairRecord], keyspace: str, table: str, since: float) -> list[RepairRecord]:
    return [r for r in records if r.keyspace == keyspace and table in r.tables and r.started_at >= since]


def _from_history(row: Any, has_options: bool) -> RepairRecord:
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
