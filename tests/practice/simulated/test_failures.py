"""What goes wrong in a simulation goes wrong as it does in a real cluster."""

from functools import partial

import pytest

from atlasdb_recovery.atlas import timestamp_bound
from atlasdb_recovery.cassandra import node_reports as reports
from atlasdb_recovery.cassandra.activity import running_repairs_and_streams
from atlasdb_recovery.cassandra.ports import (
    Cell,
    ClusterUnreachable,
    Consistency,
    Finished,
    NodetoolFailed,
    NotEnoughReplicas,
    OutcomeUnknown,
    Output,
)
from atlasdb_recovery.cassandra.repair import Verdict, judge
from atlasdb_recovery.practice.simulated import CommandFault, Dialect, RepairFault, SimulatedCluster, SimulatedNodetool
from atlasdb_recovery.practice.simulated.faults import outcome_unknown, times_out
from atlasdb_recovery.practice.simulated.images import load_image, take_image
from atlasdb_recovery.practice.simulated.topology import Place, Ring
from tests.contract.contract_cluster import TABLE_OPTIONS

ONE, QUORUM, ALL, SERIAL = Consistency.ONE, Consistency.QUORUM, Consistency.ALL, Consistency.SERIAL
FIRST, SECOND, THIRD = "127.0.9.1", "127.0.9.2", "127.0.9.3"
CELL = Cell(b"k", b"t", -1, b"v", 10)
BOTH_DIALECTS = pytest.mark.parametrize("dialect", Dialect)


async def simulated(dialect: Dialect = Dialect.APACHE, **servers: object) -> SimulatedCluster:
    cluster = SimulatedCluster(dialect=dialect, **{"repair_blindness": 0.0, **servers})
    await cluster.change_schema(
        "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}"
    )
    for table in ("t", "_timestamp"):
        await cluster.change_schema(f"CREATE TABLE ks.{table} {TABLE_OPTIONS}")
    return cluster


async def divided(dialect: Dialect) -> SimulatedCluster:
    """Ten cells in each range, which the third node lacks."""
    cluster = await simulated(dialect)
    cluster.lose_writes(THIRD)
    for number in range(30):
        cell = Cell(bytes([0xF0 - 8 * number]), b"t", -1, b"v", 10)
        await cluster.put("ks", "t", cell, consistency=QUORUM)
    cluster.lose_writes(THIRD, lose=False)
    return cluster


def held(cluster: SimulatedCluster, address: str) -> int:
    return len(cluster.nodes[address].store(cluster.table("ks", "t").id).cells)


async def verdict(cluster: SimulatedCluster, *, knows_default: bool = True) -> Verdict:
    """What is made of the first node's repair by its transcript, and by what its nodetool says of its default."""
    output = await repaired(cluster)
    command = output.command[output.command.index("repair") :]
    expected = frozenset((one.start, one.end) for one in cluster.ring("ks").ranges())
    default = knows_default and cluster.dialect is Dialect.PALANTIR
    return judge(command, output.lines, exit_code=output.exit_code, expected=expected, full_by_default=default).verdict


async def repaired(cluster: SimulatedCluster, address: str = FIRST, *options: str) -> Output:
    full = () if cluster.dialect is Dialect.PALANTIR else ("-full",)
    return await SimulatedNodetool(cluster).run(address, "repair", *full, *options, "--", "ks", "t")


class TestWrites:
    async def test_a_lost_write_makes_all_fail_and_quorum_succeed(self) -> None:
        cluster = await simulated()
        cluster.lose_writes(THIRD)
        await cluster.put("ks", "t", CELL, consistency=QUORUM)
        with pytest.raises(NotEnoughReplicas, match="answered in time"):
            await cluster.put("ks", "t", CELL, consistency=ALL)
        assert [held(cluster, address) for address in cluster.addresses] == [1, 1, 0]

    async def test_losses_come_from_the_seed(self) -> None:
        found = []
        for seed in (1, 1, 2):
            cluster = await simulated(seed=seed)
            cluster.faults.loss = 0.3
            for number in range(50):
                try:
                    await cluster.put("ks", "t", Cell(bytes([number]), b"t", -1, b"v", 1), consistency=ONE)
                except NotEnoughReplicas:
                    continue
            found.append([held(cluster, address) for address in cluster.addresses])
        assert found[0] == found[1] != found[2]
        assert all(20 < count < 50 for count in found[0])

    async def test_a_timeout_by_script_happens_at_its_turn(self) -> None:
        cluster = await simulated()
        cluster.faults.before("put", times_out, passes=1)
        await cluster.put("ks", "t", CELL, consistency=ALL)
        with pytest.raises(NotEnoughReplicas):
            await cluster.put("ks", "t", CELL, consistency=ALL)
        await cluster.put("ks", "t", CELL, consistency=ALL)

    async def test_no_node_up_or_a_pinned_one_down_is_unreachable(self) -> None:
        cluster = await simulated()
        cluster.stop_node(FIRST)
        with pytest.raises(ClusterUnreachable, match=FIRST):
            await cluster.node(FIRST)
        for address in (SECOND, THIRD):
            cluster.stop_node(address)
        with pytest.raises(ClusterUnreachable):
            await cluster.identity()


class TestConditionalWrites:
    @pytest.mark.parametrize(
        ("point", "seen"), [("paxos.prepared", None), ("paxos.accepted", b"v"), ("paxos.committed", b"v")]
    )
    async def test_a_timeout_leaves_the_outcome_to_the_next_serial_read(self, point: str, seen: bytes | None) -> None:
        cluster = await simulated()
        cluster.faults.before(point, outcome_unknown)
        with pytest.raises(OutcomeUnknown):
            await cluster.put_unless_exists("ks", "t", CELL.position, b"v")
        plain = await cluster.read("ks", "t", CELL.position, consistency=ALL)
        assert (plain is None) == (point != "paxos.committed")
        serial = await cluster.read("ks", "t", CELL.position, consistency=SERIAL)
        assert (None if serial is None else serial.value) == seen

    async def test_the_old_id_brings_an_unfinished_write_back_and_a_new_id_does_not(self) -> None:
        for old_ids in (True, False):
            cluster = await simulated()
            backup = take_image(cluster, "ks")
            cluster.faults.before("paxos.accepted", outcome_unknown)
            with pytest.raises(OutcomeUnknown):
                await cluster.put_unless_exists("ks", "t", CELL.position, b"after the backup")
            await cluster.change_schema("DROP KEYSPACE ks")
            load_image(cluster, backup, old_ids=old_ids)
            found = await cluster.read("ks", "t", CELL.position, consistency=SERIAL)
            assert (found is not None) == old_ids

    async def test_so_does_a_commit_that_one_replica_missed(self) -> None:
        cluster = await simulated(Dialect.PALANTIR)
        backup = take_image(cluster, "ks")
        cluster.stop_node(THIRD)
        with pytest.raises(OutcomeUnknown):
            await cluster.put_unless_exists("ks", "t", CELL.position, b"after the backup")
        cluster.start_node(THIRD)
        await cluster.change_schema("DROP KEYSPACE ks")
        load_image(cluster, backup, old_ids=True)
        assert await cluster.read("ks", "t", CELL.position, consistency=ALL) is None
        assert await cluster.read("ks", "t", CELL.position, consistency=SERIAL) is not None

    async def test_a_read_whose_repair_is_lost_does_not_answer(self) -> None:
        cluster = await simulated()
        cluster.lose_writes(THIRD)
        await cluster.put("ks", "t", CELL, consistency=QUORUM)
        for _ in range(2):
            with pytest.raises(NotEnoughReplicas):
                await cluster.read("ks", "t", CELL.position, consistency=ALL)
        cluster.lose_writes(THIRD, lose=False)
        assert await cluster.read("ks", "t", CELL.position, consistency=ALL) == CELL
        assert held(cluster, THIRD) == 1

    async def test_with_a_node_down_5_accepts_and_does_not_commit(self) -> None:
        cluster = await simulated(Dialect.APACHE)
        cluster.stop_node(THIRD)
        with pytest.raises(OutcomeUnknown):
            await cluster.put_unless_exists("ks", "t", CELL.position, b"v")
        assert held(cluster, FIRST) == 0
        assert await cluster.read("ks", "t", CELL.position, consistency=SERIAL) is not None

    async def test_a_skewed_clock_ahead_hides_the_writes_of_the_others(self) -> None:
        cluster = await simulated()
        cluster.nodes[FIRST].skew = 5.0
        assert (await cluster.clock(FIRST)).offset == 5.0
        assert (await cluster.put_unless_exists("ks", "t", CELL.position, b"v")).applied
        ahead = await cluster.read("ks", "t", CELL.position, consistency=ALL)
        await cluster.delete("ks", "t", CELL.position, write_time=cluster.wall.micros(), consistency=ALL)
        assert await cluster.read("ks", "t", CELL.position, consistency=ALL) == ahead

    async def test_a_rival_timestamp_service_raises_the_bound(self) -> None:
        cluster = await simulated()
        position = timestamp_bound.BOUND_POSITION
        await cluster.put_unless_exists("ks", "_timestamp", position, timestamp_bound.encode(10_000))
        cluster.raise_bound("ks", 5)
        found = await cluster.read("ks", "_timestamp", position, consistency=ALL)
        assert found is not None
        assert found.value == timestamp_bound.encode(10_005)


@BOTH_DIALECTS
class TestRepair:
    async def test_a_node_dies_in_the_middle(self, dialect: Dialect) -> None:
        cluster = await divided(dialect)
        cluster.faults.before("repair.range", lambda: cluster.stop_node(THIRD), passes=1)
        output = await repaired(cluster)
        assert "completed successfully" not in output.stdout
        if dialect is Dialect.PALANTIR:
            assert output.exit_code == 0
            assert "failed with error Endpoint /127.0.9.3 died (progress: 100%)" in output.stdout
            assert "] Some repair failed\n" in output.stdout
            assert "finished in 1 second for keyspace ks" in output.stdout
        else:
            assert output.exit_code == 2
            assert "failed with error Endpoint /127.0.9.3:7000 died\n" in output.stdout
            assert output.stderr.startswith("error: Repair job has failed with the error message: Repair command #1")
        assert 0 < held(cluster, THIRD) < 30
        cluster.start_node(THIRD)
        assert (await repaired(cluster)).stdout.count("Repair completed successfully") >= 1
        assert held(cluster, THIRD) == 30

    async def test_the_coordinator_dies_in_the_middle(self, dialect: Dialect) -> None:
        cluster = await divided(dialect)
        cluster.faults.before("repair.range", lambda: cluster.stop_node(FIRST), passes=1)
        output = await repaired(cluster)
        assert output.exit_code == 2
        assert "JMX connection closed" in output.stderr
        assert cluster.history[-1].finished_at is None

    async def test_success_words_with_nothing_done(self, dialect: Dialect) -> None:
        cluster = await divided(dialect)
        cluster.faults.in_next_repair(FIRST, RepairFault(hollow=True, lost_start=True))
        output = await repaired(cluster)
        assert output.exit_code == 0
        assert "Repair completed successfully" in output.stdout
        assert "Starting repair command" not in output.stdout
        assert held(cluster, THIRD) == 0

    async def test_one_session_fails(self, dialect: Dialect) -> None:
        cluster = await divided(dialect)
        cluster.faults.in_next_repair(FIRST, RepairFault(failed_session=0, error="Validation failed in /127.0.9.2"))
        output = await repaired(cluster)
        assert output.exit_code == (0 if dialect is Dialect.PALANTIR else 2)
        assert "failed with error Validation failed in /127.0.9.2" in output.stdout
        assert held(cluster, THIRD) < 30

    async def test_nodetool_killed_while_the_server_goes_on(self, dialect: Dialect) -> None:
        cluster = await divided(dialect)
        nodetool = SimulatedNodetool(cluster)
        cluster.faults.in_next_repair(FIRST, RepairFault(killed_after=1, goes_on_for=20))
        output = await repaired(cluster)
        assert output.exit_code == -9
        assert len(output.lines) == 1
        assert held(cluster, THIRD) < 30
        assert await running_repairs_and_streams(nodetool, FIRST)
        cluster.wall.advance(25)
        assert await running_repairs_and_streams(nodetool, FIRST) == ()
        assert held(cluster, THIRD) == 30
        record = (await cluster.repairs("ks", "t", 0))[-1]
        assert record.successful_ranges == record.requested_ranges

    async def test_not_reading_on_is_as_killing_it(self, dialect: Dialect) -> None:
        cluster = await divided(dialect)
        full = () if dialect is Dialect.PALANTIR else ("-full",)
        stream = SimulatedNodetool(cluster).stream(FIRST, "repair", *full, "--", "ks", "t")
        assert not isinstance(await anext(stream), Finished)
        await stream.aclose()
        assert held(cluster, THIRD) < 30
        cluster.wall.advance(25)
        assert held(cluster, THIRD) == 30

    async def test_a_node_stopped_meanwhile_does_not_go_on_after_its_restart(self, dialect: Dialect) -> None:
        cluster = await divided(dialect)
        cluster.faults.in_next_repair(FIRST, RepairFault(killed_after=0, goes_on_for=20))
        await repaired(cluster)
        before = held(cluster, THIRD)
        cluster.stop_node(FIRST)
        cluster.start_node(FIRST)
        cluster.wall.advance(25)
        assert held(cluster, THIRD) == before

    async def test_the_verdict_on_each(self, dialect: Dialect) -> None:
        for fault, expected in [
            (RepairFault(), Verdict.REPAIRED),
            (RepairFault(lost_start=True), Verdict.REPAIRED),
            (RepairFault(failed_session=0), Verdict.NOT_REPAIRED),
            (RepairFault(killed_after=0), Verdict.UNKNOWN),
            (RepairFault(killed_after=1), Verdict.UNKNOWN),
            (RepairFault(killed_after=2), Verdict.UNKNOWN),
        ]:
            cluster = await divided(dialect)
            cluster.faults.in_next_repair(FIRST, fault)
            assert await verdict(cluster) is expected, fault
            if expected is Verdict.REPAIRED:
                assert held(cluster, THIRD) == 30
        for address in (FIRST, THIRD):
            cluster = await divided(dialect)
            cluster.faults.before("repair.range", partial(cluster.stop_node, address), passes=1)
            assert await verdict(cluster) is not Verdict.REPAIRED

    async def test_a_lost_first_line_may_hide_an_incremental_repair_where_the_default_is_not_known(
        self, dialect: Dialect
    ) -> None:
        cluster = await divided(dialect)
        cluster.faults.in_next_repair(FIRST, RepairFault(lost_start=True))
        found = await verdict(cluster, knows_default=False)
        assert found is (Verdict.UNKNOWN if dialect is Dialect.PALANTIR else Verdict.REPAIRED)

    async def test_a_table_truncated_in_the_middle_ends_in_success_words(self, dialect: Dialect) -> None:
        cluster = await divided(dialect)
        cluster.faults.before("repair.range", lambda: cluster.truncate("ks", "t"), passes=1)
        assert "Repair completed successfully" in (await repaired(cluster)).stdout
        assert held(cluster, FIRST) < 30
        assert await cluster.truncations(FIRST)

    async def test_a_subset_of_the_hosts_leaves_the_third_as_it_was(self, dialect: Dialect) -> None:
        cluster = await divided(dialect)
        output = await repaired(cluster, FIRST, "-hosts", f"{FIRST},{SECOND}")
        assert "Repair completed successfully" in output.stdout
        assert held(cluster, THIRD) == 0

    async def test_one_replica_has_nothing_to_repair(self, dialect: Dialect) -> None:
        cluster = await simulated(dialect)
        await cluster.change_schema(
            "CREATE KEYSPACE rf1 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
        )
        output = await SimulatedNodetool(cluster).run(FIRST, "repair", "-pr", "--", "rf1")
        nothing = "Nothing to repair" if dialect is Dialect.PALANTIR else "No repair is needed"
        assert output.exit_code == 0
        assert nothing in output.stdout


class TestNodetool:
    async def test_a_command_fails_once_as_told(self) -> None:
        cluster = await simulated()
        nodetool = SimulatedNodetool(cluster)
        cluster.faults.commands.append(CommandFault(("info",), SECOND, 2, (), ("error: Authentication failed!",)))
        cluster.faults.commands.append(CommandFault(("status",), hangs=True))
        assert (await nodetool.run(FIRST, "info")).exit_code == 0
        failed = await nodetool.run(SECOND, "info")
        assert (failed.exit_code, failed.stderr) == (2, "error: Authentication failed!")
        assert (await nodetool.run(SECOND, "info")).exit_code == 0
        with pytest.raises(NodetoolFailed, match="did not end in time"):
            await nodetool.run(FIRST, "status")

    async def test_a_node_that_is_down(self) -> None:
        cluster = await simulated()
        cluster.stop_node(THIRD)
        nodetool = SimulatedNodetool(cluster)
        output = await nodetool.run(THIRD, "info")
        assert (output.exit_code, output.stdout) == (1, "")
        assert output.stderr.startswith("nodetool: Failed to connect to '127.0.9.3:7199' - ConnectException")
        rows = reports.read_status((await nodetool.run(FIRST, "status")).stdout).not_up_and_normal
        assert [row.address for row in rows] == [THIRD]
        described = reports.read_describecluster((await nodetool.run(FIRST, "describecluster")).stdout)
        assert described.unreachable == (THIRD,)

    async def test_streams_hints_and_a_schema_disagreement_are_seen(self) -> None:
        cluster = await simulated()
        nodetool = SimulatedNodetool(cluster)
        cluster.start_stream(FIRST, SECOND, "ks", "t", seconds=30)
        cluster.nodes[SECOND].hints = 3
        cluster.disagree_on_schema(THIRD)
        for address in (FIRST, SECOND):
            assert len(await running_repairs_and_streams(nodetool, address)) == 1
        assert await cluster.pending_hints(SECOND) == 3
        assert len({node.schema_version for node in (await cluster.identity()).nodes}) == 2
        cluster.wall.advance(30)
        cluster.disagree_on_schema(THIRD, disagree=False)
        assert await running_repairs_and_streams(nodetool, FIRST) == ()
        assert len({node.schema_version for node in (await cluster.identity()).nodes}) == 1

    async def test_a_busy_client_is_listed_on_5_and_moves_the_counters_of_the_fork(self) -> None:
        for dialect in Dialect:
            cluster = await simulated(dialect)
            nodetool = SimulatedNodetool(cluster)

            async def requests(nodetool: SimulatedNodetool = nodetool) -> int:
                return reports.read_tpstats((await nodetool.run(FIRST, "tpstats")).stdout).native_requests

            still = await requests()
            assert await requests() == still
            client = cluster.connect_client(FIRST, "orders", "Java driver 4.1", requests_per_second=10)
            seen = await cluster.clients(FIRST)
            assert seen.others == ((client,) if dialect is Dialect.APACHE else ())
            cluster.wall.advance(10)
            assert await requests() >= still + 100
            if dialect is Dialect.APACHE:
                listed = reports.read_clientstats((await nodetool.run(FIRST, "clientstats", "--all")).stdout)
                assert [(one.user, one.driver, one.port) for one in listed] == [
                    ("orders", "Java driver 4.1", client.port)
                ]
            cluster.disconnect_client(client)
            assert (await cluster.clients(FIRST)).others == ()

    async def test_another_machine_under_the_same_address(self) -> None:
        cluster = await simulated()
        before = await cluster.node(SECOND)
        cluster.replace_node(SECOND)
        assert (await cluster.node(SECOND)).host_id != before.host_id


def test_network_topology_prefers_distinct_racks_and_counts_by_data_centre() -> None:
    places = [
        Place(f"10.0.0.{number}", center, rack, (bytes([16 * number]),))
        for number, (center, rack) in enumerate(
            [("a", "r1"), ("a", "r1"), ("b", "r1"), ("a", "r2"), ("b", "r1"), ("b", "r2")], 1
        )
    ]
    ring = Ring(places, {"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "a": "2", "b": "1"})
    assert ring.replicas(b"\x10") == ("10.0.0.1", "10.0.0.3", "10.0.0.4")
    assert ring.replicas(b"\x11") == ("10.0.0.2", "10.0.0.3", "10.0.0.4")
    assert ring.replicas(b"\xff") == ("10.0.0.1", "10.0.0.3", "10.0.0.4")
    assert all(len(one.replicas) == 3 for one in ring.ranges())


async def test_the_fork_overlooks_the_same_cells_however_often_it_repairs() -> None:
    cluster = await simulated(Dialect.PALANTIR, repair_blindness=0.5)
    cluster.lose_writes(THIRD)
    for number in range(30):
        await cluster.put("ks", "t", Cell(bytes([8 * number, 1]), b"t", -1, b"v", 10), consistency=QUORUM)
    cluster.lose_writes(THIRD, lose=False)
    counts = set()
    for _ in range(3):
        assert await verdict(cluster) is Verdict.REPAIRED
        counts.add(held(cluster, THIRD))
    assert len(counts) == 1
    assert 5 < counts.pop() < 25
    async for _ in cluster.scan("ks", "t", "", "", consistency=ALL, page_size=7):
        pass
    assert held(cluster, THIRD) == 30
