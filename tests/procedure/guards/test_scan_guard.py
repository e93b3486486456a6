"""The guard over a narrowed scan: only a sealed manifest proves where it may begin."""

from typing import Any

import msgspec
import pytest

from atlasdb_recovery.atlas import manifest
from atlasdb_recovery.atlas.manifest import BackedUpTimeLock
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.guards.scan_guard import ScanProven
from atlasdb_recovery.procedure.removal.scope import from_start
from atlasdb_recovery.procedure.step import StepFailure
from tests.procedure.guards.scene import Scene, assert_blocked, assert_not_applicable, assert_passed


def narrowed(scene: Scene) -> None:
    scene.context.settings = msgspec.structs.replace(scene.context.settings, scan="from-immutable-timestamp")


def seal(scene: Scene, immutable: int | None, **more: Any) -> None:
    found = manifest.load(scene.context.backup_dir)
    assert found is not None
    locked = BackedUpTimeLock(namespace=scene.keyspace, immutable_timestamp=immutable)
    manifest.save(msgspec.structs.replace(found, timelock=locked, **more), scene.context.backup_dir)


async def test_a_full_scan_needs_no_proof(lost: Scene) -> None:
    seal(lost, 7)
    assert_not_applicable(await lost.check(ScanProven()), "everything is read")
    assert await from_start(lost.context) == 1


async def test_a_sealed_immutable_timestamp_below_b(lost: Scene) -> None:
    narrowed(lost)
    seal(lost, 7)
    assert_passed(await lost.check(ScanProven()), "whatever began below 7 had ended before B was fetched")
    assert await from_start(lost.context) == 7


@pytest.mark.parametrize("immutable", [0, -1, 2**62])
async def test_one_that_proves_nothing(lost: Scene, immutable: int) -> None:
    narrowed(lost)
    seal(lost, immutable)
    assert_blocked(await lost.check(ScanProven()), f"{immutable} is not below B", remedy="`scan: full`")


async def test_nothing_was_locked(lost: Scene) -> None:
    narrowed(lost)
    assert_blocked(
        await lost.check(ScanProven()), "none was locked by the practice service's own", remedy="`scan: full`"
    )
    seal(lost, None)
    assert_blocked(await lost.check(ScanProven()), "the manifest has no immutable timestamp", remedy="`scan: full`")
    with pytest.raises(StepFailure, match="the scan cannot be narrowed: the manifest has no immutable timestamp"):
        await from_start(lost.context)


async def test_two_files_are_no_proof(lost: Scene) -> None:
    narrowed(lost)
    (lost.context.backup_dir / manifest.MANIFEST_NAME).unlink()
    assert_blocked(await lost.check(ScanProven()), "no sealed manifest that could prove", remedy="`scan: full`")


async def test_an_edited_manifest_is_no_proof(lost: Scene) -> None:
    narrowed(lost)
    seal(lost, 7)
    path = lost.context.backup_dir / manifest.MANIFEST_NAME
    path.write_text(path.read_text().replace('"immutable_timestamp": 7', '"immutable_timestamp": 9'))
    assert_blocked(await lost.check(ScanProven()), "does not match its seal", remedy="`scan: full`")


async def test_a_cut_below_the_backups_own(lost: Scene) -> None:
    narrowed(lost)
    seal(lost, 7)
    found = manifest.load(lost.context.backup_dir)
    assert found is not None
    lost.establish(facts.BACKUP_TIMESTAMP, found.backup_timestamp - 1)
    assert_blocked(await lost.check(ScanProven()), "of which alone the manifest tells", remedy="`scan: full`")


async def test_a_ring_in_another_order(lost: Scene) -> None:
    narrowed(lost)
    seal(lost, 7)
    lost.cluster.partitioner = "org.apache.cassandra.dht.Murmur3Partitioner"
    assert_blocked(await lost.check(ScanProven()), "rows are not in the order of their keys", remedy="`scan: full`")
