"""Replicas that disagree: a node down, pinned reads, read repair, repair and its transcript. One node stop a module."""

import pytest

from atlasdb_recovery.cassandra.activity import running_repairs_and_streams
from atlasdb_recovery.cassandra.ports import Cell, Consistency, NotEnoughReplicas, OutcomeUnknown
from atlasdb_recovery.cassandra.repair import Judgement, Verdict, judge
from tests.contract.contract_cluster import ContractCluster, make_keyspace

ALL, QUORUM, ONE = Consistency.ALL, Consistency.QUORUM, Consistency.ONE
KEYSPACE = "divided"
MISSED = [Cell(bytes([first, 1]), b"c", 1, b"missed", 10) for first in (0x00, 0x30, 0x60, 0x90, 0xC0)]
BOTH = [Cell(bytes([first, 2]), b"c", 1, b"both", 10) for first in (0x00, 0x30, 0x60, 0x90, 0xC0)]
REPAIRED_BY_READ = Cell(b"\x31", b"c", 1, b"read", 10)
DELETED = Cell(b"\x32", b"c", 1, b"deleted", 10)
WHILE_DOWN = (b"\x33", b"c", 1)
EVERYWHERE = {*BOTH, *MISSED, REPAIRED_BY_READ}


@pytest.fixture(scope="module")
async def behind(contract: ContractCluster) -> str:
    """The address of a node that missed writes, a tombstone among them, while it was down."""
    await make_keyspace(contract, KEYSPACE, "t", "_other")
    cluster = contract.cluster
    for cell in (*BOTH, DELETED):
        await cluster.put(KEYSPACE, "t", cell, consistency=ALL)
    behind = sorted(contract.data_directories)[-1]
    await contract.nodetool.run(behind, "flush", KEYSPACE)  # what a killed node had not synced is lost
    await contract.stop_node(behind)
    with pytest.raises(NotEnoughReplicas):
        await cluster.put(KEYSPACE, "t", Cell(b"\x34", b"c", 1, b"refused", 10), consistency=ALL)
    with pytest.raises(NotEnoughReplicas):
        await cluster.read(KEYSPACE, "t", DELETED.position, consistency=ALL)
    with pytest.raises(OutcomeUnknown):
        await cluster.put_unless_exists(KEYSPACE, "t", WHILE_DOWN, b"while down")
    for cell in (*MISSED, REPAIRED_BY_READ):
        await cluster.put(KEYSPACE, "t", cell, consistency=QUORUM)
    await cluster.delete(KEYSPACE, "t", DELETED.position, write_time=10, consistency=QUORUM)
    assert await cluster.read(KEYSPACE, "t", DELETED.position, consistency=QUORUM) is None
    await contract.start_node(behind)
    return behind


async def own_rows(contract: ContractCluster, address: str) -> set[Cell]:
    scan = contract.cluster.scan(KEYSPACE, "t", "", "", consistency=ONE, page_size=3, node=address)
    return {cell async for page in scan for cell in page if cell.position != WHILE_DOWN}


class TestInTurn:
    """Each test leaves the replicas as the next one needs them."""

    async def test_a_pinned_read_sees_that_nodes_rows_only(self, contract: ContractCluster, behind: str) -> None:
        for address in contract.data_directories:
            expected = {*BOTH, DELETED} if address == behind else {*BOTH, *MISSED, REPAIRED_BY_READ}
            assert await own_rows(contract, address) == expected
            partition = await contract.cluster.read_partition(KEYSPACE, "t", DELETED.key, consistency=ONE, node=address)
            assert partition == ((DELETED,) if address == behind else ())

    async def test_a_conditional_write_with_a_node_down_is_finished_by_a_serial_read(
        self, contract: ContractCluster, behind: str
    ) -> None:
        cell = await contract.cluster.read(KEYSPACE, "t", WHILE_DOWN, consistency=Consistency.SERIAL)
        assert cell is not None
        assert cell.value == b"while down"

    async def test_a_read_at_all_repairs_what_it_reads(self, contract: ContractCluster, behind: str) -> None:
        read = await contract.cluster.read(KEYSPACE, "t", REPAIRED_BY_READ.position, consistency=ALL)
        assert read == REPAIRED_BY_READ
        assert REPAIRED_BY_READ in await own_rows(contract, behind)
        assert not {*MISSED} & await own_rows(contract, behind)

    async def test_a_refused_repair_changes_nothing_and_is_not_repaired(
        self, contract: ContractCluster, behind: str
    ) -> None:
        before = await own_rows(contract, behind)
        judgement = await repaired(contract, behind, "nope")
        assert judgement.verdict is Verdict.NOT_REPAIRED
        assert await own_rows(contract, behind) == before

    async def test_primary_ranges_of_every_node_are_repaired_by_their_transcripts(
        self, contract: ContractCluster, behind: str
    ) -> None:
        for address in sorted(contract.data_directories):
            judgement = await repaired(contract, address, "t", "_other")
            assert judgement.verdict is Verdict.REPAIRED, judgement.reasons
            assert judgement.ranges_failed == frozenset()
            assert await running_repairs_and_streams(contract.nodetool, address) == ()

    async def test_replicas_agree_then_on_5_and_the_fork_may_have_left_differences(
        self, contract: ContractCluster, behind: str
    ) -> None:
        """Its Merkle trees call ranges consistent that are not (byte-ordered partitioner): no transcript shows it."""
        for address in contract.data_directories:
            differing = await own_rows(contract, address) ^ EVERYWHERE
            if contract.dialect.has_thrift:
                assert differing <= {*MISSED, DELETED}
            else:
                assert differing == set()

    async def test_a_scan_at_all_makes_the_replicas_agree_on_both(self, contract: ContractCluster, behind: str) -> None:
        scan = contract.cluster.scan(KEYSPACE, "t", "", "", consistency=ALL, page_size=3)
        found = {cell async for page in scan for cell in page if cell.position != WHILE_DOWN}
        assert found == EVERYWHERE
        for address in contract.data_directories:
            assert await own_rows(contract, address) == EVERYWHERE

    async def test_the_servers_remember_it(self, contract: ContractCluster, behind: str) -> None:
        records = await contract.cluster.repairs(KEYSPACE, "t", 0.0)
        done = [record for record in records if record.finished_at is not None and record.error is None]
        requested = {one for record in done for one in record.requested_ranges}
        assert requested == {f"({one.start},{one.end}]" for one in await contract.cluster.ranges(KEYSPACE)}
        assert all(record.successful_ranges == record.requested_ranges for record in done)
        assert all(record.tables == {"t", "_other"} for record in done)
        newest = max(record.started_at for record in records)
        assert await contract.cluster.repairs(KEYSPACE, "t", newest + 1) == ()


async def repaired(contract: ContractCluster, address: str, *tables: str) -> Judgement:
    """A full repair of this node's primary ranges, judged by its transcript."""
    full = () if contract.dialect.has_thrift else ("-full",)
    command = ("repair", *full, "-pr", "--", KEYSPACE, *tables)
    output = await contract.nodetool.run(address, *command, timeout=300)
    ranges = await contract.cluster.ranges(KEYSPACE)
    expected = frozenset((one.start, one.end) for one in ranges if one.replicas[0] == address)
    return judge(command, output.lines, exit_code=output.exit_code, expected=expected)
