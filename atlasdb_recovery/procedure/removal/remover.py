"""Removes a transaction so that it is really gone, and looks again.

What works on Cassandra was run and seen: a delete must carry the cell's own write time (a tie goes to the tombstone);
an abort is a conditional write in schemas 1 and 2; in schema 3 the committed cell was written at `SET_ONCE_WRITE_TIME`,
where a conditional write says "applied" and changes nothing, so the abort is a plain write just above it
(`Transactions3TableInteraction`).
"""

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.atlas.transactions import ABORT_WRITE_TIME, SET_ONCE_WRITE_TIME
from atlasdb_recovery.cassandra.ports import Cell, Cluster, Consistency, OutcomeUnknown
from atlasdb_recovery.procedure.removal.findings import Found
from atlasdb_recovery.procedure.step import StepFailure

ATTEMPTS = 3
TWO_PHASE = 3
HIGHEST_WRITE_TIME = 2**63 - 1


class Remover:
    """Removes one found transaction at a time; safe to repeat."""

    def __init__(self, cluster: Cluster, keyspace: str, removal: str) -> None:
        self._cluster = cluster
        self._keyspace = keyspace
        self._removal = removal

    async def remove(self, found: Found) -> None:
        """Returns when a read at ALL shows it gone or aborted; raises StepFailure if it stays."""
        for _ in range(ATTEMPTS):
            await self._write(found)
            if self._is_removed(found, await self._read(found)):
                return
        now = await self._read(found)
        shown = "gone" if now is None else f"value {now.value.hex()}, write time {now.write_time}"
        raise StepFailure(
            f"the transaction that started at {found.start} could not be removed",
            evidence=(
                f"table {found.table}, key {found.cell.key.hex()}, column1 {found.cell.column1.hex()}",
                f"before: value {found.cell.value.hex()}, write time {found.cell.write_time}",
                f"after {ATTEMPTS} attempts: {shown}",
            ),
            remedy="A write time ahead of the node's clock hides an abort: check the clocks, then resume. "
            "If something else writes to the table, stop it first.",
        )

    async def _write(self, found: Found) -> None:
        cell, abort = found.cell, transactions.abort_value(found.schema)
        if found.schema == TWO_PHASE:
            above = max(ABORT_WRITE_TIME, (cell.write_time or 0) + 1)
            if above > HIGHEST_WRITE_TIME:
                return  # nothing can be written above it; the read that follows says so
            aborted = Cell(cell.key, cell.column1, cell.column2, abort, above)
            await self._cluster.put(self._keyspace, found.table, aborted, consistency=Consistency.ALL)
        elif self._removal == "delete":
            if cell.write_time is None:
                raise ValueError(f"the write time of start {found.start} was not read")
            if cell.write_time >= SET_ONCE_WRITE_TIME:
                return  # a tombstone up there would hide whatever AtlasDB writes to this cell, for ever
            await self._cluster.delete(
                self._keyspace, found.table, cell.position, write_time=cell.write_time, consistency=Consistency.ALL
            )
        else:
            try:
                await self._cluster.check_and_set(self._keyspace, found.table, cell.position, cell.value, abort)
            except OutcomeUnknown:
                return  # the read that follows decides

    async def _read(self, found: Found) -> Cell | None:
        return await self._cluster.read(self._keyspace, found.table, found.cell.position, consistency=Consistency.ALL)

    def _is_removed(self, found: Found, now: Cell | None) -> bool:
        if now is None:
            return found.schema != TWO_PHASE and self._removal == "delete"
        return now.value == transactions.abort_value(found.schema)
