"""Replication: met by the nodes there are, and the backup's."""

from collections.abc import Mapping

import msgspec
import pytest

from atlasdb_recovery.atlas import manifest
from atlasdb_recovery.procedure.guards.replication_guard import ReplicationSound
from tests.procedure.guards.scene import (
    THIRD,
    Scene,
    assert_blocked,
    assert_not_applicable,
    assert_passed,
    assert_unknown,
    assert_warned,
)

NETWORK = {"class": "org.apache.cassandra.locator.NetworkTopologyStrategy"}
SIMPLE = {"class": "SimpleStrategy"}


async def test_what_the_backup_had_is_judged_before_there_is_a_keyspace(lost: Scene) -> None:
    assert_passed(await lost.check(ReplicationSound()), "NetworkTopologyStrategy", "datacenter1 3")


async def test_the_same_as_the_backups_under_its_full_class_name(lost: Scene) -> None:
    await lost.create_keyspace(NETWORK | {"datacenter1": "3"})
    assert_passed(await lost.check(ReplicationSound()), "datacenter1 3")


async def test_without_keyspace_and_manifest_there_is_nothing_to_look_at(lost: Scene) -> None:
    (lost.context.backup_dir / manifest.MANIFEST_NAME).unlink()
    assert_not_applicable(await lost.check(ReplicationSound()), "no manifest")


@pytest.mark.parametrize(
    ("replication", "evidence"),
    [
        (NETWORK | {"datacenter1": "4"}, "datacenter1 wants 4 replicas and has 3 nodes"),
        (NETWORK | {"elsewhere": "1"}, "elsewhere wants 1 replicas and has 0 nodes"),
        (NETWORK, "no data centre holds a replica"),
        (NETWORK | {"datacenter1": "0"}, "no data centre holds a replica"),
        (SIMPLE | {"replication_factor": "4"}, "there are 3 nodes"),
        (SIMPLE, "no data centre holds a replica"),
    ],
)
async def test_what_the_nodes_cannot_meet_is_refused(
    lost: Scene, replication: Mapping[str, str], evidence: str
) -> None:
    await lost.create_keyspace(replication)
    assert_blocked(await lost.check(ReplicationSound()), evidence, remedy="data centres that exist")


async def test_a_data_centre_of_the_backup_that_is_no_more(lost: Scene) -> None:
    for address in lost.cluster.addresses:
        lost.place(address, data_center="west")
    result = await lost.check(ReplicationSound())
    assert_blocked(result, "datacenter1 wants 3 replicas and has 0 nodes", remedy="Create the keyspace")


async def test_two_data_centres_are_counted_each_by_itself(lost: Scene) -> None:
    lost.place(THIRD, data_center="west")
    await lost.create_keyspace(NETWORK | {"datacenter1": "2", "west": "2"})
    assert_blocked(await lost.check(ReplicationSound()), "west wants 2 replicas and has 1 nodes", remedy="Create")


async def test_simple_strategy_warns_and_is_compared_as_well(lost: Scene) -> None:
    await lost.create_keyspace(SIMPLE | {"replication_factor": "3"})
    result = await lost.check(ReplicationSound())
    assert_warned(
        result, "SimpleStrategy, replication_factor 3", "the backup had NetworkTopologyStrategy", remedy="Create"
    )
    assert "AtlasDB wants NetworkTopologyStrategy" in result.evidence


async def test_simple_strategy_alone_warns(alive: Scene) -> None:
    await alive.replicate(SIMPLE | {"replication_factor": "3"})
    assert_warned(await alive.check(ReplicationSound()), "AtlasDB wants NetworkTopologyStrategy", remedy="Create")


def sealed_with(scene: Scene, replication: Mapping[str, str]) -> None:
    sealed = manifest.load(scene.context.backup_dir)
    assert sealed is not None
    manifest.save(msgspec.structs.replace(sealed, replication=dict(replication)), scene.context.backup_dir)


async def test_a_lower_factor_than_the_backups_is_refused(lost: Scene) -> None:
    await lost.create_keyspace(NETWORK | {"datacenter1": "2"})
    assert_blocked(
        await lost.check(ReplicationSound()),
        "datacenter1 2; the backup had NetworkTopologyStrategy, datacenter1 3",
        "datacenter1 holds 2 replicas of its 3",
        remedy="Create the keyspace with the backup's replication",
    )


@pytest.mark.parametrize("factor", ["1", "2"])
async def test_a_store_that_came_back_with_fewer_replicas_must_be_restored_again(restored: Scene, factor: str) -> None:
    assert_passed(await restored.check(ReplicationSound()), "datacenter1 3")
    await restored.replicate(NETWORK | {"datacenter1": factor})
    result = await restored.check(ReplicationSound())
    assert_blocked(result, f"datacenter1 holds {factor} replicas of its 3", remedy="Restore the store again")


@pytest.mark.parametrize(
    ("now", "lower"),
    [
        (NETWORK | {"datacenter1": "2"}, "west holds 0 replicas of its 1"),
        (NETWORK | {"datacenter1": "1", "west": "1"}, "datacenter1 holds 1 replicas of its 2"),
        (SIMPLE | {"replication_factor": "2"}, "the cluster holds 2 replicas of its 3"),
    ],
    ids=["one is missing", "one is lower", "fewer in all"],
)
async def test_each_data_centre_needs_what_it_had(lost: Scene, now: Mapping[str, str], lower: str) -> None:
    lost.place(THIRD, data_center="west")
    sealed_with(lost, NETWORK | {"datacenter1": "2", "west": "1"})
    await lost.create_keyspace(now)
    assert_blocked(await lost.check(ReplicationSound()), lower, remedy="Create the keyspace")


@pytest.mark.parametrize(
    ("sealed", "now", "more"),
    [
        (
            NETWORK | {"datacenter1": "2"},
            NETWORK | {"datacenter1": "2", "west": "1"},
            "west holds 1 replicas, and held 0",
        ),
        (NETWORK | {"datacenter1": "1"}, NETWORK | {"datacenter1": "2"}, "datacenter1 holds 2 replicas, and held 1"),
        (
            SIMPLE | {"replication_factor": "1"},
            NETWORK | {"datacenter1": "2"},
            "the cluster holds 2 replicas, and held",
        ),
    ],
    ids=["one more centre", "a higher factor", "more in all"],
)
async def test_what_new_replicas_lack_is_not_repaired_here(
    lost: Scene, sealed: Mapping[str, str], now: Mapping[str, str], more: str
) -> None:
    lost.place(THIRD, data_center="west")
    sealed_with(lost, sealed)
    await lost.create_keyspace(now)
    assert_blocked(await lost.check(ReplicationSound()), more, remedy="every table is repaired before")


@pytest.mark.parametrize(
    ("sealed", "now"),
    [
        (NETWORK | {"datacenter1": "2", "gone": "0"}, NETWORK | {"datacenter1": "2"}),
        (SIMPLE | {"replication_factor": "3"}, NETWORK | {"datacenter1": "2", "west": "1"}),
    ],
    ids=["a centre without replicas", "another strategy, as many"],
)
async def test_as_many_as_the_backup_had_warns(lost: Scene, sealed: Mapping[str, str], now: Mapping[str, str]) -> None:
    lost.place(THIRD, data_center="west")
    sealed_with(lost, sealed)
    await lost.create_keyspace(now)
    assert_warned(await lost.check(ReplicationSound()), "the backup had", remedy="Create the keyspace")


async def test_what_cannot_be_compared_with_the_backups_is_unknown(lost: Scene) -> None:
    sealed_with(lost, NETWORK | {"datacenter1": "3/1"})
    await lost.create_keyspace(NETWORK | {"datacenter1": "3"})
    assert_unknown(await lost.check(ReplicationSound()), "datacenter1 3/1", "lay is not known", remedy="Create")


@pytest.mark.parametrize(
    "replication",
    [NETWORK | {"datacenter1": "3/1"}, {"class": "EverywhereStrategy"}, {"class": "LocalStrategy"}],
)
async def test_a_strategy_that_cannot_be_judged_is_unknown(alive: Scene, replication: Mapping[str, str]) -> None:
    shown = alive.cluster.keyspaces[alive.keyspace]
    shown.replication = dict(replication)
    assert_unknown(await alive.check(ReplicationSound()), "is not known here", remedy="Create the keyspace")
