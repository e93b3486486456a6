"""B and F of another service: a backup with them is not sealed, a restore with them removes nothing and says so."""

from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.atlas import manifest, timestamp_file
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.timestamps.remote import RemoteTimestamps
from tests.restore.arena import Arena, ScriptedFrontEnd

OF_ANOTHER_KEYSPACE = (52_004_711, 52_031_940)


class OfAnotherService(RemoteTimestamps):
    """A running service with higher numbers, whose address was taken for this one's."""

    def __init__(self) -> None:
        super().__init__(["http://127.0.0.1:1/billing/api"])
        self._last = OF_ANOTHER_KEYSPACE[0]

    async def ping(self) -> str:
        return "http://127.0.0.1:1/billing/api"

    async def fresh_timestamp(self) -> int:
        self._last += 27_229
        return self._last


async def test_a_backup_stops_at_the_first_of_them(simulated: SimulatedPractice, tmp_path: Path) -> None:
    arena = Arena(simulated, tmp_path)
    await arena.exercise.make_history()
    arena.exercise.start_service()
    front_end = ScriptedFrontEnd()
    assert await arena.run("backup", backup_steps(), front_end, timestamps=OfAnotherService()) is not Outcome.DONE
    [failure] = set(front_end.failures())
    assert "never handed it out" in failure
    assert not (arena.settings.backup_dir / "backup.timestamp").exists()
    assert manifest.load(arena.settings.backup_dir) is None


async def test_a_restore_of_two_files_stops_before_the_repair(arena: Arena) -> None:
    directory = arena.settings.backup_dir
    (directory / manifest.MANIFEST_NAME).unlink()
    for name, value in zip(("backup.timestamp", "fast-forward.timestamp"), OF_ANOTHER_KEYSPACE, strict=True):
        timestamp_file.write(directory / name, value)
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end) is Outcome.REFUSED
    assert set(front_end.refusals()) == {"BackupTimestampHandedOut"}


async def test_a_manifest_that_contradicts_itself_stops_the_preflight(arena: Arena) -> None:
    """As it was sealed before a backup looked at the bound."""
    directory = arena.settings.backup_dir
    sealed = manifest.load(directory)
    assert sealed is not None
    assert sealed.bound_at_backup is not None
    manifest.save(msgspec.structs.replace(sealed, bound_at_backup=sealed.backup_timestamp - 1), directory)
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end) is Outcome.REFUSED
    assert set(front_end.refusals()) == {"TimestampsInOrder"}


@pytest.mark.parametrize("above", [0, 1])
async def test_the_bound_itself_can_have_been_handed_out(arena: Arena, above: int) -> None:
    directory = arena.settings.backup_dir
    sealed = manifest.load(directory)
    assert sealed is not None
    assert sealed.bound_at_backup is not None
    (directory / manifest.MANIFEST_NAME).unlink()
    timestamp_file.write(directory / "backup.timestamp", sealed.bound_at_backup + above)
    timestamp_file.write(directory / "fast-forward.timestamp", sealed.bound_at_backup + 1_000)
    front_end = ScriptedFrontEnd()
    ended = await arena.restore(front_end)
    assert ended is (Outcome.REFUSED if above else Outcome.DONE), (front_end.refusals(), front_end.failures())
