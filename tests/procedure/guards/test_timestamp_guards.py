"""Guards over the timestamp service that is the authority."""

from pathlib import Path

import pytest

from atlasdb_recovery.atlas import timestamp_bound
from atlasdb_recovery.atlas.timestamp_bound import BOUND_POSITION, OLD_POSITION
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.timestamp_endpoint import TimestampEndpoint
from atlasdb_recovery.procedure.guards.timestamp_guards import TimestampAuthorityKnown, TimestampAuthorityUsable
from atlasdb_recovery.timestamps.bound_store import EmbeddedTimestamps
from atlasdb_recovery.timestamps.remote import RemoteTimestamps
from tests.procedure.guards.scene import (
    FIRST,
    THIRD,
    Scene,
    assert_blocked,
    assert_passed,
    assert_unknown,
    assert_warned,
)


def embedded(scene: Scene) -> None:
    async def nobody_connected() -> None:
        """Whether anybody is connected is the guard's business."""

    scene.context.timestamps = EmbeddedTimestamps(scene.cluster, scene.keyspace, nobody_connected)


async def put(scene: Scene, position: tuple[bytes, bytes, int], value: bytes) -> None:
    cell = Cell(*position, value, scene.cluster.wall.micros())
    await scene.cluster.put(scene.keyspace, "_timestamp", cell, consistency=Consistency.ALL)


class TestTimestampAuthorityKnown:
    async def test_before_there_is_a_keyspace(self, lost: Scene) -> None:
        assert_passed(await lost.check(TimestampAuthorityKnown()), "embedded timestamp service", "no keyspace yet")

    async def test_a_stored_bound_that_may_be_used(self, alive: Scene) -> None:
        embedded(alive)
        bound = await alive.arena.exercise.timestamps.bound()
        result = await alive.check(TimestampAuthorityKnown())
        assert_passed(result, "only while nobody is connected", f"the stored bound is {bound}")

    async def test_the_running_service(self, alive: Scene) -> None:
        assert_passed(await alive.check(TimestampAuthorityKnown()), "practice service's own timestamp service")

    @pytest.mark.parametrize("is_live", [True, False])
    async def test_a_bound_given_up_for_timelock(self, alive: Scene, is_live: bool) -> None:
        if not is_live:
            embedded(alive)
        await put(alive, BOUND_POSITION, b"\x00")
        await put(alive, OLD_POSITION, timestamp_bound.encode(2_010_001))
        result = await alive.check(TimestampAuthorityKnown())
        assert_blocked(result, "invalidated by a migration to TimeLock", "oldTs = 2010001", remedy="timelock blocks")

    @pytest.mark.parametrize("value", [b"", b"\x01\x02", bytes(9), b"\xff" * 8])
    async def test_a_bound_that_is_none(self, alive: Scene, value: bytes) -> None:
        embedded(alive)
        await put(alive, BOUND_POSITION, value)
        assert_blocked(await alive.check(TimestampAuthorityKnown()), "not a number of 8 bytes", remedy="configuration")

    async def test_both_bounds(self, alive: Scene) -> None:
        embedded(alive)
        await put(alive, OLD_POSITION, timestamp_bound.encode(5))
        assert_blocked(await alive.check(TimestampAuthorityKnown()), "which service is the authority", remedy="Check")

    async def test_a_keyspace_without_the_table(self, alive: Scene) -> None:
        await alive.cluster.change_schema(f'DROP TABLE {alive.keyspace}."_timestamp"')
        assert_passed(await alive.check(TimestampAuthorityKnown()), "no table _timestamp")
        embedded(alive)
        assert_blocked(await alive.check(TimestampAuthorityKnown()), "no table _timestamp", remedy="Check the leader")

    async def test_a_node_down_is_unknown(self, alive: Scene) -> None:
        alive.cluster.stop_node(THIRD)
        assert_unknown(await alive.check(TimestampAuthorityKnown()), THIRD, remedy="Check the leader")


class TestTimestampAuthorityUsable:
    async def test_a_stored_bound_while_nobody_is_connected(self, alive: Scene) -> None:
        embedded(alive)
        assert_passed(await alive.check(TimestampAuthorityUsable()), "nobody else is connected")

    async def test_a_stored_bound_beside_a_client(self, alive: Scene) -> None:
        embedded(alive)
        alive.cluster.connect_client(FIRST, "orders")
        result = await alive.check(TimestampAuthorityUsable())
        assert_blocked(result, FIRST, "user orders", remedy="makes B wrong and kills the service")

    async def test_where_clients_cannot_be_listed_it_takes_the_operators_word(self, tmp_path: Path) -> None:
        """An idle service shows in no counter: without a word its timestamps would be taken from under it."""
        scene = await Scene.alive(Dialect.PALANTIR, tmp_path)
        embedded(scene)
        result = await scene.check(TimestampAuthorityUsable())
        assert_unknown(result, "cannot list clients", "nobody has said", remedy="then answer offline: true")
        scene.answers(offline=True)
        assert_warned(await scene.check(TimestampAuthorityUsable()), "the operator says it is offline", remedy="stop")

    async def test_a_running_service_answers(self, alive: Scene) -> None:
        with TimestampEndpoint(alive.arena.exercise.timestamps) as endpoint:
            alive.context.timestamps = RemoteTimestamps([endpoint.uri])
            before = alive.arena.exercise.timestamps.last
            assert_passed(await alive.check(TimestampAuthorityUsable()), endpoint.uri, "answers")
            assert alive.arena.exercise.timestamps.last == before

    async def test_a_running_service_that_does_not_answer(self, alive: Scene) -> None:
        with TimestampEndpoint(alive.arena.exercise.timestamps) as endpoint:
            uri = endpoint.uri
        alive.context.timestamps = RemoteTimestamps([uri], total=4.0)
        result = await alive.check(TimestampAuthorityUsable())
        assert_blocked(result, uri, "No timestamp service answered", remedy="Start the service, or check the addresses")

    async def test_something_else_that_answers_there(self, alive: Scene) -> None:
        with TimestampEndpoint(alive.arena.exercise.timestamps) as endpoint:
            alive.context.timestamps = RemoteTimestamps([f"{endpoint.uri}/elsewhere"])
            result = await alive.check(TimestampAuthorityUsable())
        assert_warned(result, "does not answer its ping", "HTTP 404", remedy="The fetch that follows decides")
