"""A removed transaction is really gone: every schema, both methods, against clocks, time-outs and other writers."""

import pytest

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.atlas.transactions import (
    ABORT_WRITE_TIME,
    SET_ONCE_WRITE_TIME,
    TRANSACTIONS,
    TRANSACTIONS2,
    State,
)
from atlasdb_recovery.cassandra.ports import Cell, NotEnoughReplicas, OutcomeUnknown
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated.faults import outcome_unknown, times_out
from atlasdb_recovery.procedure.removal.findings import Found
from atlasdb_recovery.procedure.removal.remover import Remover
from atlasdb_recovery.procedure.step import StepFailure
from tests.procedure.removal.tables import ALL, FIRST_OF_2, FIRST_OF_3, KEYSPACE, Tables

STARTS = {1: 20, 2: FIRST_OF_2 + 20, 3: FIRST_OF_3 + 20}
HIGHEST = 2**63 - 1
BOTH_DIALECTS = pytest.mark.parametrize("dialect", Dialect, ids=str)
BOTH_METHODS = pytest.mark.parametrize("removal", ["delete", "abort"])


async def remove_all(tables: Tables, removal: str, after: int = 10) -> None:
    remover = Remover(tables.cluster, KEYSPACE, removal)
    for found in await tables.found(after):
        await remover.remove(found)


@BOTH_DIALECTS
@BOTH_METHODS
@pytest.mark.parametrize("schema", [1, 2, 3])
async def test_each_schema_and_method(dialect: Dialect, removal: str, schema: int) -> None:
    tables = await Tables.made(dialect)
    start = STARTS[schema]
    await tables.commit(start, start + 5)
    await remove_all(tables, removal)
    assert await tables.reads_as(start) == ("in progress" if removal == "delete" and schema < 3 else "aborted")
    assert await tables.found(10) == []
    await remove_all(tables, removal)


@BOTH_DIALECTS
async def test_a_deleted_transaction_can_be_rolled_back_by_a_reader_and_committed_by_nobody_unseen(
    dialect: Dialect,
) -> None:
    """The tombstone carries the cell's own write time: a later put-unless-exists is seen."""
    for start in (STARTS[1], STARTS[2]):
        tables = await Tables.made(dialect)
        await tables.commit(start, start + 5)
        await remove_all(tables, "delete")
        await tables.commit(start, None)
        assert await tables.reads_as(start) == "aborted"


@BOTH_DIALECTS
@BOTH_METHODS
async def test_schema_3_is_aborted_above_its_own_write_time_and_never_deleted(dialect: Dialect, removal: str) -> None:
    tables = await Tables.made(dialect)
    start = STARTS[3]
    committed = await tables.commit(start, start + 5)
    assert committed.write_time == SET_ONCE_WRITE_TIME
    await remove_all(tables, removal)
    aborted = await tables.entry(start)
    assert aborted is not None
    assert (aborted.value, aborted.write_time) == (b"\x01", ABORT_WRITE_TIME)


@BOTH_METHODS
async def test_a_staging_commit_is_aborted_for_good(removal: str) -> None:
    tables = await Tables.made()
    start = STARTS[3]
    await tables.commit(start, start + 5, State.STAGING)
    await remove_all(tables, removal)
    assert await tables.reads_as(start) == "aborted"
    await tables.commit(start, start + 5)
    assert await tables.reads_as(start) == "aborted", "the writer's second phase comes too late"


async def test_an_aborted_schema_3_cell_put_back_above_can_be_removed_again() -> None:
    tables = await Tables.made()
    start = STARTS[3]
    value = transactions.value_of(3, start, start + 5)
    await tables.put(TRANSACTIONS2, Cell(*transactions.locate(3, start), value, ABORT_WRITE_TIME + 1))
    await remove_all(tables, "delete")
    assert await tables.reads_as(start) == "aborted"


@BOTH_DIALECTS
async def test_a_write_time_ahead_of_the_clock_hides_an_abort_and_not_a_delete(dialect: Dialect) -> None:
    start = STARTS[1]
    value = transactions.value_of(1, start, start + 5)
    for removal in ("abort", "delete"):
        tables = await Tables.made(dialect)
        ahead = tables.cluster.wall.micros() + 3_600_000_000
        await tables.put(TRANSACTIONS, Cell(*transactions.locate(1, start), value, ahead))
        if removal == "delete":
            await remove_all(tables, removal)
            assert await tables.reads_as(start) == "in progress"
            continue
        with pytest.raises(StepFailure, match=f"started at {start} could not be removed") as failure:
            await remove_all(tables, removal)
        assert f"before: value {value.hex()}, write time {ahead}" in failure.value.evidence
        assert "check the clocks" in failure.value.remedy
        assert await tables.reads_as(start) == f"committed at {start + 5}"
        tables.cluster.wall.advance(3_700)
        await remove_all(tables, removal)
        assert await tables.reads_as(start) == "aborted"


@pytest.mark.parametrize("write_time", [SET_ONCE_WRITE_TIME, HIGHEST])
async def test_no_tombstone_is_ever_laid_where_it_would_hide_all_later_writes(write_time: int) -> None:
    """The scan shows such a cell as odd; the remover would not take it either."""
    tables = await Tables.made()
    start = STARTS[1]
    cell = Cell(*transactions.locate(1, start), transactions.value_of(1, start, start + 5), write_time)
    await tables.put(TRANSACTIONS, cell)
    found, findings = await tables.scan(10)
    assert (found, [odd.key for odd in findings.odd]) == ([], [cell.key.hex()])
    before = tables.cells()
    by_hand = Found(TRANSACTIONS, 1, start, start + 5, "committed", cell)
    with pytest.raises(StepFailure, match="could not be removed"):
        await Remover(tables.cluster, KEYSPACE, "delete").remove(by_hand)
    assert await tables.reads_as(start) == f"committed at {start + 5}"
    assert tables.cells() == before


async def test_a_schema_3_cell_at_the_highest_write_time_of_all_is_told() -> None:
    tables = await Tables.made()
    start = STARTS[3]
    value = transactions.value_of(3, start, start + 5)
    await tables.put(TRANSACTIONS2, Cell(*transactions.locate(3, start), value, HIGHEST))
    with pytest.raises(StepFailure, match="could not be removed") as failure:
        await remove_all(tables, "delete")
    assert any(f"write time {HIGHEST}" in line for line in failure.value.evidence)


class TestTimeouts:
    @BOTH_DIALECTS
    @pytest.mark.parametrize("point", ["paxos.prepared", "paxos.accepted", "paxos.committed"])
    @pytest.mark.parametrize("schema", [1, 2])
    async def test_an_unknown_outcome_is_read_again_and_then_decided(
        self, dialect: Dialect, point: str, schema: int
    ) -> None:
        tables = await Tables.made(dialect)
        start = STARTS[schema]
        await tables.commit(start, start + 5)
        tables.cluster.faults.before(point, outcome_unknown)
        await remove_all(tables, "abort")
        assert await tables.reads_as(start) == "aborted"
        assert await tables.found(10) == []

    async def test_outcomes_that_stay_unknown_fail_and_say_so(self) -> None:
        tables = await Tables.made()
        await tables.commit(20, 25)
        for _ in range(3):
            tables.cluster.faults.before("paxos.prepared", outcome_unknown)
        with pytest.raises(StepFailure, match="could not be removed") as failure:
            await remove_all(tables, "abort")
        assert "after 3 attempts: value 19, write time" in " ".join(failure.value.evidence)

    @BOTH_METHODS
    @pytest.mark.parametrize("schema", [1, 2, 3])
    async def test_too_few_replicas_is_no_success(self, removal: str, schema: int) -> None:
        tables = await Tables.made()
        start = STARTS[schema]
        await tables.commit(start, start + 5)
        (found,) = await tables.found(10)
        tables.cluster.stop_node(tables.cluster.addresses[2])
        with pytest.raises((NotEnoughReplicas, OutcomeUnknown, StepFailure)):
            await Remover(tables.cluster, KEYSPACE, removal).remove(found)
        tables.cluster.start_node(tables.cluster.addresses[2])
        await Remover(tables.cluster, KEYSPACE, removal).remove(found)
        assert await tables.found(10) == []

    async def test_a_read_that_times_out_afterwards_is_no_success(self) -> None:
        tables = await Tables.made()
        await tables.commit(20, 25)
        (found,) = await tables.found(10)
        tables.cluster.faults.before("read", times_out)
        with pytest.raises(NotEnoughReplicas):
            await Remover(tables.cluster, KEYSPACE, "delete").remove(found)


class TestAnotherWriter:
    @BOTH_METHODS
    async def test_one_that_commits_it_again_is_told(self, removal: str) -> None:
        """A service that is still alive: what it writes is not silently taken for removed."""
        tables = await Tables.made()
        await tables.commit(20, 25)
        (found,) = await tables.found(10)
        newer = Cell(*found.cell.position, transactions.value_of(1, 20, 30), tables.cluster.wall.micros() + 10**9)

        def somebody_writes() -> None:
            for node in tables.cluster.nodes.values():
                table_id = tables.cluster.table(KEYSPACE, TRANSACTIONS).id
                node.store(table_id).merge(newer.position, (newer.write_time or 0, 0, newer.value, newer.value))

        tables.cluster.faults.before("delete" if removal == "delete" else "check_and_set", somebody_writes)
        with pytest.raises(StepFailure, match="could not be removed") as failure:
            await Remover(tables.cluster, KEYSPACE, removal).remove(found)
        assert any(newer.value.hex() in line for line in failure.value.evidence)
        assert "stop it first" in failure.value.remedy
        assert await tables.cluster.read(KEYSPACE, TRANSACTIONS, newer.position, consistency=ALL) == newer

    @BOTH_METHODS
    async def test_one_that_aborts_it_first_has_removed_it(self, removal: str) -> None:
        tables = await Tables.made()
        await tables.commit(20, 25)
        (found,) = await tables.found(10)
        abort = transactions.abort_value(1)
        await tables.cluster.check_and_set(KEYSPACE, TRANSACTIONS, found.cell.position, found.cell.value, abort)
        await Remover(tables.cluster, KEYSPACE, removal).remove(found)
        assert await tables.reads_as(20) == "aborted"
