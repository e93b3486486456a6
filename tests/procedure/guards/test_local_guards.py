"""Guards over this machine, and those that try what later steps will need."""

import sys
from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.atlas.manifest import MANIFEST_NAME
from atlasdb_recovery.procedure.guards import local_guards
from atlasdb_recovery.procedure.guards.access_guards import StoreReachable, WritesPermitted
from atlasdb_recovery.procedure.guards.local_guards import BackupDirectoryUnused, DirectoriesWritable
from tests.procedure.guards.scene import (
    FIRST,
    SECOND,
    THIRD,
    Scene,
    assert_blocked,
    assert_not_applicable,
    assert_passed,
    assert_unknown,
)


class TestDirectoriesWritable:
    async def test_directories_that_are_not_there_yet_are_not_made(self, lost: Scene, tmp_path: Path) -> None:
        lost.context.state_directory = tmp_path / "later" / "state"
        assert_passed(await lost.check(DirectoriesWritable()), "later/state", "free")
        assert not (tmp_path / "later").exists()

    @pytest.mark.parametrize("which", ["state_directory", "export_directory"])
    async def test_a_file_in_the_place_of_a_directory(self, lost: Scene, which: str, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        setattr(lost.context, which, tmp_path / "file" / "below")
        result = await lost.check(DirectoriesWritable())
        assert_blocked(result, str(tmp_path / "file" / "below"), "Not a directory", remedy="state_dir, export_dir")

    @pytest.mark.parametrize("which", ["state_directory", "export_directory", "backup_dir"])
    async def test_where_nothing_can_be_written(self, lost: Scene, which: str) -> None:
        """In /proc nobody can make a file, root included."""
        if which == "backup_dir":
            lost.context.settings = msgspec.structs.replace(lost.context.settings, backup_dir=Path("/proc/backup"))
        else:
            setattr(lost.context, which, Path("/proc/backup"))
        assert_blocked(await lost.check(DirectoriesWritable()), "/proc/backup", remedy="this user may write")

    async def test_no_room(self, lost: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(local_guards, "ROOM_NEEDED", 2**80)
        result = await lost.check(DirectoriesWritable())
        assert_blocked(result, str(lost.context.state_directory), "has only", "left", remedy="with room")

    async def test_nothing_is_left_behind(self, lost: Scene) -> None:
        before = sorted(lost.context.backup_dir.rglob("*"))
        assert_passed(await lost.check(DirectoriesWritable()))
        assert sorted(lost.context.backup_dir.rglob("*")) == before


class TestBackupDirectoryUnused:
    async def test_unused(self, alive: Scene) -> None:
        assert_passed(await alive.check(BackupDirectoryUnused()), "holds no other backup")

    async def test_a_sealed_backup_is_never_written_over(self, lost: Scene) -> None:
        lost.context.session = "the-next-one"
        result = await lost.check(BackupDirectoryUnused())
        assert_blocked(result, "holds the backup that session a-session sealed", remedy="another backup_dir")

    @pytest.mark.parametrize("name", ["backup.timestamp", "fast-forward.timestamp"])
    async def test_nor_is_one_of_two_files(self, alive: Scene, name: str) -> None:
        alive.context.backup_dir.mkdir(parents=True)
        (alive.context.backup_dir / name).write_text("12\n")
        assert_blocked(await alive.check(BackupDirectoryUnused()), name, remedy="another backup_dir")
        alive.begin("fetch-backup-timestamp")
        assert_passed(await alive.check(BackupDirectoryUnused()))

    async def test_a_damaged_manifest_is_somebodys(self, lost: Scene) -> None:
        (lost.context.backup_dir / MANIFEST_NAME).write_text("{")
        assert_blocked(await lost.check(BackupDirectoryUnused()), MANIFEST_NAME, "damaged", remedy="another backup_dir")


class TestStoreReachable:
    async def test_snapshot_every_nodes_directory(self, lost: Scene) -> None:
        assert_passed(await lost.check(StoreReachable()), "data directories of 3 nodes")

    async def test_a_node_without_a_directory_in_the_settings(self, lost: Scene) -> None:
        directories = dict(lost.context.settings.store.data_directories)
        del directories[SECOND]
        lost.store("snapshot", data_directories=directories)
        assert_blocked(await lost.check(StoreReachable()), f"does not name node {SECOND}", remedy="Mend store.*")

    async def test_directories_that_cannot_be_used_are_all_named(self, lost: Scene, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        directories = dict(lost.context.settings.store.data_directories)
        lost.store("snapshot", data_directories=directories | {FIRST: tmp_path / "gone", THIRD: tmp_path / "file"})
        result = await lost.check(StoreReachable())
        assert_blocked(result, f"{tmp_path / 'gone'} of node {FIRST}", f"of node {THIRD} is not", remedy="Mend store.*")

    async def test_a_node_that_the_settings_do_not_know_of(self, lost: Scene) -> None:
        """A node joined since the settings were written."""
        node = lost.cluster.nodes.pop(THIRD)
        node.place = msgspec.structs.replace(node.place, address="127.0.9.4")
        lost.cluster.nodes["127.0.9.4"] = node
        assert_blocked(await lost.check(StoreReachable()), "does not name node 127.0.9.4", remedy="Mend store.*")

    async def test_commands_whose_program_is_there(self, lost: Scene) -> None:
        lost.store("command", backup_command=f"{sys.executable} x", restore_command="sh -c 'medusa {keyspace}'")
        assert_passed(await lost.check(StoreReachable()), "on the path")

    @pytest.mark.parametrize("which", ["backup_command", "restore_command"])
    async def test_a_program_that_is_not_there(self, lost: Scene, which: str) -> None:
        commands = {"backup_command": "true", "restore_command": "true"} | {which: "medusa-of-nowhere restore"}
        lost.store("command", **commands)
        result = await lost.check(StoreReachable())
        assert_blocked(result, "the program medusa-of-nowhere is not on the path", remedy="must be on the path")

    async def test_a_restore_needs_only_its_own_program(self, lost: Scene) -> None:
        lost.store("command", backup_command="medusa-of-nowhere backup", restore_command="true")
        lost.context.state.procedure = "restore"
        assert_passed(await lost.check(StoreReachable()), "on the path")
        lost.context.state.procedure = "backup"
        assert_blocked(await lost.check(StoreReachable()), "medusa-of-nowhere", remedy="must be on the path")

    async def test_by_hand_there_is_nothing_to_try(self, lost: Scene) -> None:
        lost.store("external")
        assert_not_applicable(await lost.check(StoreReachable()), "by hand")

    async def test_without_the_cluster_it_is_unknown(self, lost: Scene) -> None:
        for address in lost.cluster.addresses:
            lost.cluster.stop_node(address)
        assert_unknown(await lost.check(StoreReachable()), "could not look", remedy="Mend store.*")


class TestWritesPermitted:
    async def test_permitted(self, restored: Scene) -> None:
        assert_passed(
            await restored.check(WritesPermitted()),
            "_transactions, _transactions2, _coordination, _timestamp is permitted",
        )

    async def test_there_is_nothing_to_try_it_on_yet(self, lost: Scene) -> None:
        assert_not_applicable(await lost.check(WritesPermitted()), "no tables yet")

    @pytest.mark.parametrize("table", ["_transactions", "_transactions2", "_coordination", "_timestamp"])
    async def test_a_missing_permission_is_found_before_anything_is_destroyed(
        self, restored: Scene, table: str
    ) -> None:
        restored.cluster.faults.read_only.add(table)
        result = await restored.check(WritesPermitted())
        assert_blocked(result, f"{table}: User recovery has no MODIFY permission", remedy="MODIFY on the keyspace")

    async def test_trying_writes_nothing(self, restored: Scene) -> None:
        before = {a: {t: dict(s.cells) for t, s in n.stores.items()} for a, n in restored.cluster.nodes.items()}
        assert_passed(await restored.check(WritesPermitted()))
        after = {a: {t: dict(s.cells) for t, s in n.stores.items()} for a, n in restored.cluster.nodes.items()}
        assert after == before
        assert not any(node.paxos.keys() & set(node.stores) for node in restored.cluster.nodes.values())

    async def test_without_the_cluster_it_is_unknown(self, restored: Scene) -> None:
        for address in restored.cluster.addresses:
            restored.cluster.stop_node(address)
        assert_unknown(await restored.check(WritesPermitted()), "could not look", remedy="MODIFY")
