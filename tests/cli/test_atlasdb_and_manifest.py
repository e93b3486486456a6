"""`atlasdb` on a timestamp file beside which a sealed manifest lies: it must be this keyspace's, and the right one."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.atlas import manifest, timestamp_file
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome
from tests.cli.rehearsal import Ended, Rehearsal


@pytest.fixture
def restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    """The store is restored and repaired; removal and fast-forward are left to AtlasDB's own lines."""
    monkeypatch.chdir(tmp_path)
    rehearsal = Rehearsal(tmp_path).lose_and_forget()
    assert asyncio.run(rehearsal.arena.restore(steps=restore_steps()[:3])) is Outcome.DONE
    return rehearsal


def atlasdb(rehearsal: Rehearsal, file: Path, command: str) -> Ended:
    return rehearsal.atlasdb("--offline", "-c", "install.yml", "timestamp", "--file", str(file), command)


def test_both_lines_on_the_backups_own_files(restored: Rehearsal) -> None:
    assert atlasdb(restored, restored.backup_dir / "backup.timestamp", "clean-transactions").code == 0
    assert atlasdb(restored, restored.backup_dir / "fast-forward.timestamp", "fast-forward").code == 0
    verdict = asyncio.run(restored.arena.verdict())
    assert verdict.is_right, verdict.describe()


@pytest.mark.parametrize("command", ["clean-transactions", "fast-forward"])
def test_another_keyspaces_backup_is_refused(restored: Rehearsal, command: str) -> None:
    sealed = manifest.load(restored.backup_dir)
    assert sealed is not None
    other = restored.directory / "other"
    other.mkdir()
    manifest.save(msgspec.structs.replace(sealed, keyspace="invoices", backup_timestamp=100), other)
    timestamp_file.write(other / "backup.timestamp", 100)
    before = restored.cluster_state()
    told = atlasdb(restored, other / "backup.timestamp", command)
    assert told.code == 3, told
    assert "is of keyspace invoices; this is shop" in told.err
    assert "Nothing was changed." in told.err
    assert restored.cluster_state() == before


@pytest.mark.parametrize(
    ("file", "command", "not_the"),
    [("fast-forward.timestamp", "clean-transactions", "B"), ("backup.timestamp", "fast-forward", "F")],
)
def test_the_other_file_of_the_backup_is_refused(restored: Rehearsal, file: str, command: str, not_the: str) -> None:
    before = restored.cluster_state()
    told = atlasdb(restored, restored.backup_dir / file, command)
    assert told.code == 3, told
    assert f"is not the {not_the} of this backup" in told.err
    assert restored.cluster_state() == before


def test_a_coordination_row_that_is_behind_is_brought_up_to_the_manifests_map(restored: Rehearsal) -> None:
    table = restored.simulated.table(restored.keyspace, "_coordination")
    for node in restored.simulated.nodes.values():
        node.store(table.id).cells.clear()
    told = atlasdb(restored, restored.backup_dir / "backup.timestamp", "clean-transactions")
    assert told.code == 0, told
    verdict = asyncio.run(restored.arena.verdict())
    assert verdict.is_right, verdict.describe()
