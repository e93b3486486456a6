"""Guards against anybody else at the keyspace."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from atlasdb_recovery.atlas import timestamp_bound
from atlasdb_recovery.atlas.timestamp_bound import BOUND_POSITION, OLD_POSITION
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.practice.simulated import CommandFault, Dialect, SimulatedCluster, SimulatedNodetool
from atlasdb_recovery.practice.simulated.servers import places_on_loopback
from atlasdb_recovery.procedure.facts import TIMESTAMP_ROW
from atlasdb_recovery.procedure.guards.client_guards import NoClientsConnected, TimestampRowUnchanged
from atlasdb_recovery.procedure.guards.guard import LOOK_AGAIN
from tests.procedure.guards.scene import (
    FIRST,
    SECOND,
    THIRD,
    Scene,
    assert_blocked,
    assert_not_applicable,
    assert_passed,
    assert_unknown,
    assert_warned,
)

OWN_NETWORK = f"127.{100 + os.getpid() // 250 % 100}.{os.getpid() % 250}"
"""Loopback addresses of this process alone."""


@pytest.fixture
async def fork(tmp_path: Path) -> Scene:
    return await Scene.restored(Dialect.PALANTIR, tmp_path)


class TestNoClientsConnectedWhereTheyAreListed:
    async def test_nobody(self, restored: Scene) -> None:
        assert_passed(await restored.check(NoClientsConnected()), "nobody else is connected to 3 nodes")

    @pytest.mark.parametrize("address", [FIRST, SECOND, THIRD])
    async def test_an_idle_client_on_any_node_is_named(self, restored: Scene, address: str) -> None:
        client = restored.cluster.connect_client(address, "orders", "DataStax Java driver 3.11.5")
        result = await restored.check(NoClientsConnected())
        shown = f"{address}: 127.0.0.1:{client.port} (user orders, driver DataStax Java driver 3.11.5)"
        assert_blocked(result, shown, remedy="Stop every instance of the service")
        restored.cluster.disconnect_client(client)
        assert_passed(await restored.check(NoClientsConnected()))

    async def test_many_are_counted(self, restored: Scene) -> None:
        for _ in range(7):
            restored.cluster.connect_client(SECOND)
        assert_blocked(await restored.check(NoClientsConnected()), "and 2 more", remedy="Stop every instance")

    async def test_a_node_that_does_not_answer_is_unknown(self, restored: Scene) -> None:
        restored.cluster.stop_node(THIRD)
        assert_unknown(await restored.check(NoClientsConnected()), THIRD, remedy="Stop every instance")


class TestNoClientsConnectedOnTheFork:
    async def test_counters_that_stand_still_need_the_operators_word(self, fork: Scene) -> None:
        del fork.context.state.answers["offline"]
        result = await fork.check(NoClientsConnected())
        assert_warned(result, FIRST, "cannot list clients", "stand still", "nobody has said", remedy="offline: true")
        fork.answers(offline=True)
        assert_warned(
            await fork.check(NoClientsConnected()), "the operator says it is offline", remedy="every instance"
        )

    async def test_no_word_covers_a_client_at_work(self, fork: Scene) -> None:
        fork.answers(offline=True)
        client = fork.cluster.connect_client(SECOND, requests_per_second=20)
        result = await fork.check(NoClientsConnected())
        assert_blocked(result, f"{SECOND}: native requests rose from", remedy="Stop every instance")
        assert THIRD not in result.evidence
        fork.cluster.disconnect_client(client)
        assert_warned(await fork.check(NoClientsConnected()), "stand still", remedy="")

    async def test_a_thrift_client_shows_by_what_it_writes(self, fork: Scene) -> None:
        fork.cluster.connect_client(THIRD, protocol="thrift", writes_per_second=1)
        result = await fork.check(NoClientsConnected())
        assert_blocked(result, f"{THIRD}: writes to _transactions rose from", remedy="Stop every instance")

    async def test_where_thrift_requests_are_counted_they_count(self, fork: Scene) -> None:
        for requests in (100, 101, 102):
            fork.cluster.faults.commands.append(CommandFault(("tpstats",), FIRST, 0, tpstats(thrift=requests)))
        result = await fork.check(NoClientsConnected())
        assert_blocked(result, f"{FIRST}: Thrift requests rose from 101 to 102", remedy="Stop every instance")

    async def test_our_own_requests_once_are_not_somebody(self, fork: Scene) -> None:
        for requests in (1_000, 1_400, 1_402):
            fork.cluster.faults.commands.append(CommandFault(("tpstats",), FIRST, 0, tpstats(native=requests)))
        assert_warned(await fork.check(NoClientsConnected()), "stand still", remedy="")

    @pytest.mark.parametrize("report", ["tpstats", "cfstats"])
    async def test_counters_that_cannot_be_read_are_unknown(self, fork: Scene, report: str) -> None:
        fork.answers(offline=True)
        fork.cluster.faults.commands.append(CommandFault((report,), SECOND, 1, (), ("Connection refused",)))
        assert_unknown(await fork.check(NoClientsConnected()), f"nodetool {report}", remedy="Stop every instance")

    async def test_before_the_store_is_restored_there_are_only_requests(self, tmp_path: Path) -> None:
        scene = await Scene.lost(Dialect.PALANTIR, tmp_path)
        assert_warned(await scene.check(NoClientsConnected()), "stand still", remedy="offline: true")


def tpstats(*, native: int = 5, thrift: int | None = None) -> tuple[str, ...]:
    pools = {"MutationStage": 7, "Native-Transport-Requests": native} | (
        {} if thrift is None else {"RPC-Thread": thrift}
    )
    head = "Pool Name                    Active   Pending      Completed   Blocked  All time blocked"
    return (head, *(f"{name:25}{0:10}{0:10}{count:15}{0:10}{0:18}" for name, count in pools.items()), "")


CONNECTS = (
    "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2]))); print('in'); sys.stdin.read()"
)


@pytest.fixture
def node_address() -> str:
    return f"{OWN_NETWORK}.1"


@pytest.fixture
def connected(request: pytest.FixtureRequest, node_address: str) -> Iterator[int]:
    """Another process is connected to this port of the node."""
    with closing(socket.create_server((node_address, request.param))):
        command = [sys.executable, "-c", CONNECTS, node_address, str(request.param)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            assert client.stdout is not None
            client.stdout.readline()
            yield request.param
            client.terminate()


@pytest.mark.parametrize("connected", [9042, 9142, 9160], indirect=True)
async def test_on_a_node_of_this_machine_the_kernel_shows_who_is_connected(
    fork: Scene, node_address: str, connected: int
) -> None:
    """Thrift too, though the settings name no Thrift port."""
    cluster = SimulatedCluster(dialect=Dialect.PALANTIR, places=places_on_loopback(3, network=OWN_NETWORK))
    fork.context.cluster, fork.context.nodetool = cluster, SimulatedNodetool(cluster)
    fork.context.local_addresses = frozenset(cluster.addresses)
    assert fork.context.settings.service.thrift_hosts == ()
    result = await fork.check(NoClientsConnected())
    assert_blocked(result, f"{node_address}: 127.", f"on port {connected}", remedy="Stop every instance")


async def test_with_nobody_connected_to_nodes_of_this_machine_no_word_is_needed(fork: Scene) -> None:
    cluster = SimulatedCluster(dialect=Dialect.PALANTIR, places=places_on_loopback(3, network=OWN_NETWORK))
    fork.context.cluster, fork.context.nodetool = cluster, SimulatedNodetool(cluster)
    fork.context.local_addresses = frozenset(cluster.addresses)
    assert_passed(await fork.check(NoClientsConnected()), "nobody else is connected to 3 nodes")


class TestTimestampRowUnchanged:
    async def test_before_the_store_is_restored(self, lost: Scene) -> None:
        assert_not_applicable(await lost.check(TimestampRowUnchanged()), "not been restored yet")

    async def test_unchanged(self, restored: Scene) -> None:
        assert_passed(await restored.check(TimestampRowUnchanged()), "value and write time")

    async def test_another_hand_raised_it(self, restored: Scene) -> None:
        before = await restored.arena.exercise.timestamps.bound()
        restored.cluster.raise_bound(restored.keyspace, 5)
        result = await restored.check(TimestampRowUnchanged())
        assert_blocked(
            result, f"had bound {before} written at", f"has bound {(before or 0) + 5} written at", remedy="Stop it"
        )

    async def test_another_hand_wrote_the_same_value_again(self, restored: Scene) -> None:
        """Only the write time tells: a service that stopped and one that started."""
        restored.cluster.raise_bound(restored.keyspace, 0)
        assert_blocked(await restored.check(TimestampRowUnchanged()), "written at", remedy="begin again from the store")

    async def test_the_row_is_gone_or_has_another_cell(self, restored: Scene) -> None:
        old = Cell(*OLD_POSITION, timestamp_bound.encode(5), 1)
        await restored.cluster.put(restored.keyspace, "_timestamp", old, consistency=Consistency.ALL)
        column = OLD_POSITION[1].hex()
        assert_blocked(await restored.check(TimestampRowUnchanged()), f"column {column} value 0x", remedy="Stop it")
        then = restored.context.state.fact(TIMESTAMP_ROW)
        restored.establish(TIMESTAMP_ROW, {**then, column: [timestamp_bound.encode(5).hex(), 1]})
        assert_passed(await restored.check(TimestampRowUnchanged()))
        restored.cluster.truncate(restored.keyspace, "_timestamp")
        assert_blocked(await restored.check(TimestampRowUnchanged()), "and has no cell", remedy="Stop it")

    async def test_our_own_fast_forward_that_was_interrupted_is_not_another_hand(self, restored: Scene) -> None:
        target = restored.context.state.fact("fast-forward-timestamp")
        own = timestamp_bound.encode(target + timestamp_bound.ALLOCATION_BUFFER)
        now = await restored.cluster.read(restored.keyspace, "_timestamp", BOUND_POSITION, consistency=Consistency.ALL)
        assert now is not None
        await restored.cluster.check_and_set(restored.keyspace, "_timestamp", BOUND_POSITION, now.value, own)
        assert_blocked(await restored.check(TimestampRowUnchanged()), "written at", remedy="Stop it")
        restored.begin("fast-forward")
        assert_passed(await restored.check(TimestampRowUnchanged()), "this session's fast-forward")
        restored.cluster.raise_bound(restored.keyspace, 1)
        assert_blocked(await restored.check(TimestampRowUnchanged()), "written at", remedy="Stop it")

    async def test_a_keyspace_that_is_gone_is_unknown(self, restored: Scene) -> None:
        await restored.arena.exercise.lose_keyspace()
        assert_unknown(await restored.check(TimestampRowUnchanged()), "does not exist", remedy=LOOK_AGAIN)

    async def test_a_node_down_is_unknown(self, restored: Scene) -> None:
        restored.cluster.stop_node(SECOND)
        assert_unknown(await restored.check(TimestampRowUnchanged()), "ALL needs 3 replicas", SECOND, remedy=LOOK_AGAIN)
