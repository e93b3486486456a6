"""Putting back on TimeLock, whose timestamps leave no trace in the keyspace: only the session's journal can tell."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from atlasdb_recovery.atlas import manifest, timestamp_file
from atlasdb_recovery.practice.simulated.timelock.http_servers import SimulatedTimeLock
from tests.cli.test_atlasdb import committed_after
from tests.cli.test_put_back import FAR, export_of, finish, put_back
from tests.restore.timelock_world import World

THREE = ("127.0.21.4", "127.0.21.5", "127.0.21.6")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with SimulatedTimeLock(THREE) as servers:
        world = World(tmp_path, servers)
        asyncio.run(world.live())
        monkeypatch.chdir(tmp_path)
        yield world


@pytest.fixture
def parked(world: World) -> World:
    """A restore that has removed, and waits before its fast-forward."""
    assert world.unattended("backup").code == 0
    asyncio.run(world.rehearsal.arena.exercise.writer.abandon())
    asyncio.run(world.lose())
    (world.rehearsal.backup_dir / manifest.MANIFEST_NAME).unlink()
    backup = timestamp_file.read(world.rehearsal.backup_dir / "backup.timestamp")
    (world.rehearsal.backup_dir / "backup.timestamp").unlink()
    timestamp_file.write(world.rehearsal.backup_dir / "backup.timestamp", backup - 200)
    timestamp_file.write(world.rehearsal.backup_dir / "fast-forward.timestamp", FAR)
    ended = world.unattended("restore")
    assert ended.code == 5, ended
    return world


def refused(world: World, said: str, remedy: str) -> None:
    export, count = export_of(world.rehearsal)
    before = world.rehearsal.cluster_state()
    told = put_back(world.rehearsal, export, count)
    assert told.code == 3, told
    assert "NotFastForwarded refuses: " in told.err
    assert said in told.err
    assert remedy in told.err
    assert world.rehearsal.cluster_state() == before


def test_before_the_fast_forward_the_sessions_journal_lets_it(parked: World) -> None:
    export, count = export_of(parked.rehearsal)
    cut = timestamp_file.read(parked.rehearsal.backup_dir / "backup.timestamp")
    assert count
    assert committed_after(parked.rehearsal, cut) == set()
    told = put_back(parked.rehearsal, export, count)
    assert told.code == 0, told
    assert "Go on only if no service was started" in told.out
    assert len(committed_after(parked.rehearsal, cut)) == count


def test_after_it_the_journal_does_not(parked: World) -> None:
    ended = finish(parked.rehearsal)
    assert ended.code == 0, ended
    refused(parked, "has fast-forwarded", "It is too late to put them back")


def test_without_that_journal_nothing_proves_that_it_is_not_too_late(parked: World) -> None:
    assert finish(parked.rehearsal).code == 0
    state = parked.rehearsal.directory / "state"
    state.rename(state.with_name("state of another machine"))
    refused(parked, "is not in ", "Run it where the state_dir of the restore that removed them is")


def test_a_removal_by_the_drop_in_has_no_journal(world: World) -> None:
    cut = world.timelock.fresh(world.keyspace) - 40
    line = f"--offline -c install.yml timestamp -t {cut} clean-transactions"
    assert world.rehearsal.atlasdb(*line.split()).code == 0
    line = f"--offline -c install.yml timestamp -t {cut + 5_000} fast-forward"
    assert world.rehearsal.atlasdb(*line.split()).code == 0
    refused(world, "does not show whether they were fast-forwarded", "restore again from the backup")
