"""Puts an export back: each cell as it was, above whatever removed it.

A tie goes to the tombstone, so a deleted cell returns at its write time + 1; an aborted one by a conditional write on
the abort marker; in schema 3 by a plain write one above the abort's own write time.
"""

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.cassandra.ports import Cell, Cluster, Consistency, OutcomeUnknown
from atlasdb_recovery.procedure.removal.findings import Found
from atlasdb_recovery.procedure.removal.remover import TWO_PHASE
from atlasdb_recovery.procedure.step import StepFailure

ATTEMPTS = 3


async def put_back(cluster: Cluster, keyspace: str, found: Found, removal: str) -> bool:
    """Whether anything had to be written; raises StepFailure if a read at ALL does not show the old value.

    `removal` is how it was removed, as the export's header says: anything else that is found there is not touched.
    """
    wrote = False
    for _ in range(ATTEMPTS):
        now = await cluster.read(keyspace, found.table, found.cell.position, consistency=Consistency.ALL)
        if now is not None and now.value == found.cell.value:
            return wrote
        _refuse_foreign(found, now, removal)
        await _write(cluster, keyspace, found, now)
        wrote = True
    now = await cluster.read(keyspace, found.table, found.cell.position, consistency=Consistency.ALL)
    if now is not None and now.value == found.cell.value:
        return wrote
    raise StepFailure(
        f"the transaction that started at {found.start} could not be put back",
        evidence=(f"table {found.table}, key {found.cell.key.hex()}: {_shown(now)}",),
        remedy="Check the clocks of the nodes and that every node is up, then run the same command again.",
    )


async def _write(cluster: Cluster, keyspace: str, found: Found, now: Cell | None) -> None:
    cell = found.cell
    if now is None or found.schema == TWO_PHASE:
        above = ((cell if now is None else now).write_time or 0) + 1
    else:
        try:
            await cluster.check_and_set(keyspace, found.table, cell.position, now.value, cell.value)
        except OutcomeUnknown:
            return  # the read that follows decides
        return
    restored = Cell(cell.key, cell.column1, cell.column2, cell.value, above)
    await cluster.put(keyspace, found.table, restored, consistency=Consistency.ALL)


def _refuse_foreign(found: Found, now: Cell | None, removal: str) -> None:
    left = transactions.abort_value(found.schema) if removal == "abort" or found.schema == TWO_PHASE else None
    if (None if now is None else now.value) == left:
        return
    raise StepFailure(
        f"the cell of start {found.start} is not as the removal left it; it was not touched",
        evidence=(f"table {found.table}, key {found.cell.key.hex()}: {_shown(now)}",),
        remedy="Something else has written to this transaction since. Find out what; decide by hand which is right.",
    )


def _shown(cell: Cell | None) -> str:
    return "no cell" if cell is None else f"value {cell.value.hex()}, write time {cell.write_time}"
