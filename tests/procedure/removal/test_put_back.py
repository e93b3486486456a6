"""An export goes back: every cell reads as before, over whatever the removal left, and over nothing else."""

import pytest

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.atlas.transactions import ABORT_WRITE_TIME, State
from atlasdb_recovery.cassandra.ports import Cell, NotEnoughReplicas
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated.faults import outcome_unknown, times_out
from atlasdb_recovery.procedure.removal.findings import Found
from atlasdb_recovery.procedure.removal.put_back import put_back
from atlasdb_recovery.procedure.removal.remover import Remover
from atlasdb_recovery.procedure.step import StepFailure
from tests.procedure.removal.tables import ALL, FIRST_OF_2, FIRST_OF_3, KEYSPACE, Tables

STARTS = (20, FIRST_OF_2 + 20, FIRST_OF_3 + 20)
EACH = [(dialect, removal, start) for dialect in Dialect for removal in ("delete", "abort") for start in STARTS]


async def removed(tables: Tables, removal: str, start: int, state: State = State.COMMITTED) -> Found:
    """A committed transaction as the export has it, and gone."""
    await tables.commit(start, start + 5, state)
    (found,) = await tables.found(10)
    await Remover(tables.cluster, KEYSPACE, removal).remove(found)
    assert await tables.found(10) == []
    return found


@pytest.mark.parametrize(("dialect", "removal", "start"), EACH)
async def test_there_and_back_and_there_again(dialect: Dialect, removal: str, start: int) -> None:
    tables = await Tables.made(dialect)
    found = await removed(tables, removal, start)
    assert await put_back(tables.cluster, KEYSPACE, found, removal)
    assert await tables.reads_as(start) == f"committed at {start + 5}"
    (again,) = await tables.found(10)
    assert again.cell.value == found.cell.value
    assert not await put_back(tables.cluster, KEYSPACE, found, removal), "the second time there is nothing to write"
    await Remover(tables.cluster, KEYSPACE, removal).remove(again)
    assert await tables.found(10) == []


async def test_a_tie_goes_to_the_tombstone_so_it_returns_one_above() -> None:
    tables = await Tables.made()
    found = await removed(tables, "delete", 20)
    await put_back(tables.cluster, KEYSPACE, found, "delete")
    back = await tables.entry(20)
    assert back is not None
    assert back.write_time == (found.cell.write_time or 0) + 1


async def test_schema_3_returns_one_above_its_abort() -> None:
    tables = await Tables.made()
    found = await removed(tables, "delete", FIRST_OF_3 + 20)
    await put_back(tables.cluster, KEYSPACE, found, "delete")
    back = await tables.entry(FIRST_OF_3 + 20)
    assert back is not None
    assert back.write_time == ABORT_WRITE_TIME + 1


async def test_a_staging_cell_returns_as_staging() -> None:
    tables = await Tables.made()
    found = await removed(tables, "abort", FIRST_OF_3 + 20, State.STAGING)
    await put_back(tables.cluster, KEYSPACE, found, "abort")
    (back,) = await tables.found(10)
    assert (back.state, back.commit) == ("staging", FIRST_OF_3 + 25)


async def foreign(tables: Tables, found: Found, value: bytes | None) -> None:
    """Somebody else's work on this cell, later than the removal."""
    now = await tables.entry(found.start)
    later = max(tables.cluster.wall.micros(), (now.write_time or 0) if now else 0) + 10
    if value is None:
        await tables.cluster.delete(KEYSPACE, found.table, found.cell.position, write_time=later, consistency=ALL)
    else:
        await tables.put(found.table, Cell(*found.cell.position, value, later))


@pytest.mark.parametrize(
    ("removal", "start", "value"),
    [
        ("delete", 20, transactions.value_of(1, 20, 30)),
        ("delete", 20, transactions.abort_value(1)),
        ("delete", FIRST_OF_2 + 20, transactions.abort_value(2)),
        ("delete", FIRST_OF_2 + 20, b"\x07"),
        ("abort", 20, transactions.value_of(1, 20, 30)),
        ("abort", 20, None),
        ("delete", FIRST_OF_3 + 20, b"\x06\x01"),
        ("delete", FIRST_OF_3 + 20, b"\x00"),
        ("delete", FIRST_OF_3 + 20, None),
    ],
    ids=str,
)
async def test_what_the_removal_did_not_leave_there_is_not_touched(
    removal: str, start: int, value: bytes | None
) -> None:
    tables = await Tables.made()
    found = await removed(tables, removal, start)
    await foreign(tables, found, value)
    before = await tables.entry(start)
    with pytest.raises(StepFailure, match=f"the cell of start {start} is not as the removal left it") as failure:
        await put_back(tables.cluster, KEYSPACE, found, removal)
    assert failure.value.remedy.startswith("Something else has written to this transaction since")
    assert found.cell.key.hex() in failure.value.evidence[0]
    assert await tables.entry(start) == before


@pytest.mark.parametrize("point", ["paxos.prepared", "paxos.accepted", "paxos.committed"])
async def test_an_unknown_outcome_is_read_again(point: str) -> None:
    tables = await Tables.made()
    found = await removed(tables, "abort", 20)
    tables.cluster.faults.before(point, outcome_unknown)
    assert await put_back(tables.cluster, KEYSPACE, found, "abort")
    assert await tables.reads_as(20) == "committed at 25"


async def test_too_few_replicas_is_no_success_and_running_it_again_is() -> None:
    tables = await Tables.made()
    found = await removed(tables, "delete", 20)
    tables.cluster.faults.before("put", times_out)
    with pytest.raises(NotEnoughReplicas):
        await put_back(tables.cluster, KEYSPACE, found, "delete")
    assert await put_back(tables.cluster, KEYSPACE, found, "delete")
    assert await tables.reads_as(20) == "committed at 25"


async def test_a_clock_that_is_behind_hides_the_write_and_it_is_told() -> None:
    tables = await Tables.made()
    found = await removed(tables, "abort", 20)
    aborted = await tables.entry(20)
    assert aborted is not None
    ahead = Cell(*aborted.position, aborted.value, tables.cluster.wall.micros() + 10**10)
    await tables.put(found.table, ahead)
    with pytest.raises(StepFailure, match="started at 20 could not be put back") as failure:
        await put_back(tables.cluster, KEYSPACE, found, "abort")
    assert "Check the clocks" in failure.value.remedy
