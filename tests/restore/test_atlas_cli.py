"""Backup and restore of a keyspace on TimeLock, which is asked through AtlasDB's own command line."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from atlasdb_recovery.atlas import manifest, timestamp_bound
from atlasdb_recovery.atlas.timestamp_bound import BOUND_POSITION
from atlasdb_recovery.practice.simulated.timelock.http_servers import SimulatedTimeLock
from tests.restore import atlas_cli_on_timelock
from tests.restore.timelock_world import World


@pytest.fixture
def timelock() -> Iterator[SimulatedTimeLock]:
    with SimulatedTimeLock(["127.0.25.1"]) as servers:
        yield servers


@pytest.fixture
def world(tmp_path: Path, timelock: SimulatedTimeLock) -> World:
    """The service's configuration names a server that this program cannot reach; its command line can."""
    made = World(tmp_path, timelock)
    asyncio.run(made.live())
    made.rehearsal.write_service(timelock={"serversList": {"servers": ["https://127.0.25.9:1"]}})
    ask_through_command_line(made)
    return made


def ask_through_command_line(world: World) -> None:
    program = f"{sys.executable} {atlas_cli_on_timelock.__file__} {world.timelock.uris[0]} {world.keyspace}"
    world.change_settings(timestamps={"command": program, "namespace": world.keyspace})


def requests(timelock: SimulatedTimeLock) -> list[str]:
    return [what for _, what in timelock.asked]


def doctor(world: World, *words: str) -> dict[str, dict[str, str]]:
    ended = world.rehearsal.recovery("doctor", "--json", *words)
    return {line["guard"]: line for line in map(json.loads, ended.out.splitlines())}


def test_backup_and_restore(world: World, timelock: SimulatedTimeLock) -> None:
    found = doctor(world, "--for", "backup")
    assert found["TimestampAuthorityKnown"]["status"] == "passed", found["TimestampAuthorityKnown"]
    assert "TimeLock, through AtlasDB's command line" in found["TimestampAuthorityKnown"]["evidence"]
    assert "the keyspace has used timestamps up to" in found["TimestampAuthorityKnown"]["evidence"]
    assert found["SweepHeldBack"]["status"] == "warned"
    assert requests(timelock) == []
    backed_up = world.unattended("backup")
    assert backed_up.code == 0, backed_up
    sealed = manifest.load(world.rehearsal.backup_dir)
    assert sealed is not None
    assert sealed.timelock is not None
    assert (sealed.timelock.namespace, sealed.timelock.immutable_timestamp) == (world.keyspace, None)
    asyncio.run(world.rehearsal.arena.exercise.writer.run(40))
    asyncio.run(world.rehearsal.arena.exercise.writer.abandon())
    asyncio.run(world.lose())
    restored = world.unattended("restore")
    assert restored.code == 0, restored
    assert timelock.fresh(world.keyspace) > sealed.fast_forward_timestamp
    assert asyncio.run(world.oracle_says()) == "right"


def test_a_new_timelock_is_brought_above_f(world: World) -> None:
    assert world.unattended("backup").code == 0
    asyncio.run(world.lose())
    with SimulatedTimeLock(["127.0.25.2"]) as new:
        new.fresh(world.keyspace)
        new.fast_forward(world.keyspace, 20_000_000)  # as every start of the Java program makes it, from `oldTs`
        world.timelock = new
        ask_through_command_line(world)
        ended = world.unattended("restore")
        assert ended.code == 0, ended
        sealed = manifest.load(world.rehearsal.backup_dir)
        assert sealed is not None
        assert new.fresh(world.keyspace) > sealed.fast_forward_timestamp


def test_a_valid_bound_is_a_contradiction_and_nothing_is_run(world: World, timelock: SimulatedTimeLock) -> None:
    """The Java program would invalidate it at its start, and move TimeLock."""
    asyncio.run(world.put(BOUND_POSITION, timestamp_bound.encode(77)))
    ended = world.unattended("backup")
    assert ended.code == 3, ended
    assert "cannot be told which service is the authority" in ended.out
    assert requests(timelock) == []


def test_without_a_word_on_the_namespace_nothing_is_run(world: World, timelock: SimulatedTimeLock) -> None:
    command = f"{sys.executable} {atlas_cli_on_timelock.__file__} {timelock.uris[0]} {world.keyspace}"
    world.change_settings(timestamps={"command": command})
    ended = world.unattended("backup")
    assert ended.code in {2, 3}, ended
    assert f"`timestamps: {{namespace: {world.keyspace}}}`" in ended.out + ended.err
    assert requests(timelock) == []
