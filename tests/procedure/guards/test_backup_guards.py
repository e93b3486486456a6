"""Guards over the backup: its timestamps, its seal, its schema map, sweep."""

import base64
import json
from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.atlas import coordination, manifest, varlong
from atlasdb_recovery.atlas.coordination import SchemaMap, SchemaRange
from atlasdb_recovery.atlas.manifest import MANIFEST_NAME, Manifest
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.practice.practice_keyspace import table_statement
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.procedure.guards.backup_guards import (
    BackupSealed,
    SchemaKnown,
    SweepBelowBackup,
    TimestampsInOrder,
)
from tests.procedure.guards.scene import (
    THIRD,
    Scene,
    assert_blocked,
    assert_not_applicable,
    assert_passed,
    assert_unknown,
    assert_warned,
)

HIGHEST = 2**63 - 1


def write_files(scene: Scene, backup: object, fast_forward: object) -> None:
    (scene.context.backup_dir / "backup.timestamp").write_text(f"{backup}\n")
    (scene.context.backup_dir / "fast-forward.timestamp").write_text(f"{fast_forward}\n")


def two_files(scene: Scene, backup: object, fast_forward: object) -> None:
    (scene.context.backup_dir / MANIFEST_NAME).unlink(missing_ok=True)
    write_files(scene, backup, fast_forward)


def resealed(scene: Scene, **changes: object) -> Manifest:
    found = manifest.load(scene.context.backup_dir)
    assert found is not None
    return manifest.save(msgspec.structs.replace(found, **changes), scene.context.backup_dir)


class TestTimestampsInOrder:
    async def test_the_backups_own(self, lost: Scene) -> None:
        assert_passed(await lost.check(TimestampsInOrder()), f"B = {lost.arena.backup_timestamp}, F = ")

    @pytest.mark.parametrize(
        ("backup", "fast_forward"),
        [(1, 2), (5, 6), (1, HIGHEST - 10_000_000), (10_000, 10**12 + 20_000)],
    )
    async def test_anything_from_1_up_and_b_far_below_or_f_far_above_the_bound(
        self, lost: Scene, backup: int, fast_forward: int
    ) -> None:
        two_files(lost, backup, fast_forward)
        assert_passed(await lost.check(TimestampsInOrder()), f"B = {backup}, F = {fast_forward}")

    @pytest.mark.parametrize(
        ("backup", "fast_forward", "problem"),
        [
            (0, 10, "B is below 1"),
            (-1, 10, "B is below 1"),
            (10, 10, "B is not below F"),
            (11, 10, "B is not below F"),
            (10, HIGHEST - 9_999_999, "within 10,000,000 of the highest"),
            (10, HIGHEST, "within 10,000,000 of the highest"),
        ],
    )
    async def test_out_of_order(self, lost: Scene, backup: int, fast_forward: int, problem: str) -> None:
        two_files(lost, backup, fast_forward)
        result = await lost.check(TimestampsInOrder())
        assert_blocked(result, f"B = {backup}, F = {fast_forward}", problem, remedy="are not swapped")

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ("12\n13\n", "line 2: there is a second line"),
            ("\ufeff12\n", "byte order mark"),
            ("twelve\n", "line 1: “twelve” is not a timestamp"),
            ("", "it is empty"),
            ("9223372036854775808\n", "does not fit 64 bits"),
        ],
    )
    async def test_a_malformed_file_is_named_with_its_line(self, lost: Scene, content: str, problem: str) -> None:
        file = lost.context.backup_dir / "fast-forward.timestamp"
        file.write_text(content, "utf-8")
        assert_blocked(await lost.check(TimestampsInOrder()), str(file), problem, remedy="belong to this backup")

    async def test_a_missing_file(self, lost: Scene) -> None:
        file = lost.context.backup_dir / "backup.timestamp"
        file.unlink()
        result = await lost.check(TimestampsInOrder())
        assert_blocked(result, str(file), "No such file", "Check the path", remedy="belong to this backup")

    async def test_files_that_are_not_the_manifests(self, lost: Scene) -> None:
        sealed = manifest.load(lost.context.backup_dir)
        assert sealed is not None
        write_files(lost, sealed.backup_timestamp - 1, sealed.fast_forward_timestamp)
        result = await lost.check(TimestampsInOrder())
        assert_blocked(result, f"sealed with B = {sealed.backup_timestamp}", remedy="belong to this backup")

    async def test_a_backup_of_another_keyspace(self, lost: Scene) -> None:
        resealed(lost, keyspace="inventory")
        result = await lost.check(TimestampsInOrder())
        assert_blocked(result, "the backup is of keyspace inventory, the settings name shop", remedy="this backup")

    async def test_files_exchanged_while_the_session_was_parked(self, restored: Scene) -> None:
        assert_passed(await restored.check(TimestampsInOrder()))
        began = restored.arena.backup_timestamp
        two_files(restored, 12, 13)
        assert_blocked(
            await restored.check(TimestampsInOrder()), f"this session began with B = {began}", remedy="backup"
        )

    async def test_a_damaged_manifest(self, lost: Scene) -> None:
        damage(lost.context.backup_dir / MANIFEST_NAME)
        assert_blocked(await lost.check(TimestampsInOrder()), MANIFEST_NAME, "seal", remedy="belong to this backup")


def damage(path: Path) -> None:
    text = path.read_text()
    path.write_text(text.replace('"durable_writes": true', '"durable_writes": false'))
    assert path.read_text() != text


class TestBackupSealed:
    async def test_whole(self, dialect: Dialect, tmp_path: Path) -> None:
        scene = await Scene.lost(dialect, tmp_path)
        assert_passed(await scene.check(BackupSealed()), "sealed at", "SHA-256 are right, nothing is missing")

    async def test_a_backup_of_two_files_has_no_seal_to_check(self, lost: Scene) -> None:
        (lost.context.backup_dir / MANIFEST_NAME).unlink()
        assert_not_applicable(await lost.check(BackupSealed()), "no manifest")

    async def test_a_manifest_that_was_edited(self, lost: Scene) -> None:
        damage(lost.context.backup_dir / MANIFEST_NAME)
        result = await lost.check(BackupSealed())
        assert_blocked(result, MANIFEST_NAME, "does not match its seal", remedy="Fetch the backup again")

    async def test_a_byte_changed_in_the_stores_copy(self, lost: Scene) -> None:
        victim = max((lost.context.backup_dir / "store").rglob("*-Data.db"), key=lambda path: path.stat().st_size)
        content = bytearray(victim.read_bytes())
        content[-1] ^= 1
        victim.write_bytes(content)
        result = await lost.check(BackupSealed())
        assert_blocked(result, victim.name, remedy="")
        assert result.remedy

    @pytest.mark.parametrize("missing", ["*-Data.db", "index.json"])
    async def test_a_file_missing_from_the_stores_copy(self, lost: Scene, missing: str) -> None:
        store = lost.context.backup_dir / "store"
        victim = next(iter(sorted(store.rglob(missing))), None) or next(iter(sorted(store.glob("*.json"))))
        victim.unlink()
        result = await lost.check(BackupSealed())
        assert_blocked(result, victim.name, remedy="")

    @pytest.mark.parametrize("method", ["external", "command"])
    async def test_where_it_cannot_look_into_the_copy_it_says_so(self, lost: Scene, method: str) -> None:
        lost.store(method)
        assert_passed(await lost.check(BackupSealed()), "sealed at", "cannot look into it")

    async def test_a_copy_of_any_size_may_take_its_time(self) -> None:
        assert BackupSealed().deadline is None


class TestSchemaKnown:
    async def test_the_manifests_map_before_there_are_tables(self, lost: Scene) -> None:
        assert_passed(await lost.check(SchemaKnown()), "from 1 schema 1", "schema 2", "schema 3", "valid to")

    async def test_nothing_to_look_at_yet(self, lost: Scene) -> None:
        (lost.context.backup_dir / MANIFEST_NAME).unlink()
        assert_not_applicable(await lost.check(SchemaKnown()), "before the store is restored")

    async def test_the_stored_map_where_there_is_no_manifest(self, restored: Scene) -> None:
        (restored.context.backup_dir / MANIFEST_NAME).unlink()
        assert_passed(await restored.check(SchemaKnown()), "from 1 schema 1", "schema 3", "valid to")

    async def test_two_maps_that_contradict_each_other(self, restored: Scene) -> None:
        sealed = manifest.load(restored.context.backup_dir)
        assert sealed is not None
        assert sealed.schema_map is not None
        only_2 = SchemaMap((SchemaRange(1, None, 2),), sealed.schema_map.bound)
        resealed(restored, schema_map=only_2)
        result = await restored.check(SchemaKnown())
        assert_blocked(result, "start 1 is schema 2 in the one, 1 in the other", remedy="from the same backup")

    async def test_a_stored_map_that_is_merely_older_does_not_contradict(self, restored: Scene) -> None:
        sealed = manifest.load(restored.context.backup_dir)
        assert sealed is not None
        assert sealed.schema_map is not None
        resealed(restored, schema_map=msgspec.structs.replace(sealed.schema_map, bound=10**9))
        assert_passed(await restored.check(SchemaKnown()), "valid to 1000000000")

    @pytest.mark.parametrize("with_manifest", [True, False])
    async def test_no_map_and_rows_of_schema_2_or_3(self, restored: Scene, with_manifest: bool) -> None:
        restored.cluster.truncate(restored.keyspace, "_coordination")
        if with_manifest:
            resealed(restored, schema_map=coordination.EVERYTHING_SCHEMA_1)
        else:
            (restored.context.backup_dir / MANIFEST_NAME).unlink()
        result = await restored.check(SchemaKnown())
        assert_blocked(result, "_transactions2 holds transactions", remedy="Restore `_coordination`")

    async def test_no_map_is_schema_1_where_only_schema_1_was_used(self, restored: Scene) -> None:
        (restored.context.backup_dir / MANIFEST_NAME).unlink()
        for table in ("_coordination", "_transactions2"):
            restored.cluster.truncate(restored.keyspace, table)
        assert_passed(await restored.check(SchemaKnown()), "from 1 schema 1; no bound")
        await restored.cluster.change_schema(f'DROP TABLE {restored.keyspace}."_coordination"')
        assert_passed(await restored.check(SchemaKnown()), "from 1 schema 1; no bound")

    @pytest.mark.parametrize("with_manifest", [True, False])
    @pytest.mark.parametrize("table", ["_transactions", "_transactions2"])
    async def test_a_table_of_a_schema_in_use_that_is_missing(
        self, restored: Scene, table: str, with_manifest: bool
    ) -> None:
        if not with_manifest:
            (restored.context.backup_dir / MANIFEST_NAME).unlink()
        await restored.cluster.change_schema(f'DROP TABLE {restored.keyspace}."{table}"')
        result = await restored.check(SchemaKnown())
        assert_blocked(result, "from 1 schema 1", f"{table} is missing", remedy=f"Restore {table} from the same backup")

    async def test_a_table_that_no_schema_in_use_needs_may_be_missing(self, restored: Scene) -> None:
        (restored.context.backup_dir / MANIFEST_NAME).unlink()
        for table in ("_coordination", "_transactions2"):
            await restored.cluster.change_schema(f'DROP TABLE {restored.keyspace}."{table}"')
        assert_passed(await restored.check(SchemaKnown()), "from 1 schema 1; no bound")

    async def test_an_unreadable_map_is_shown(self, restored: Scene) -> None:
        (restored.context.backup_dir / MANIFEST_NAME).unlink()
        await write_coordination(restored, coordination.POINTER_COLUMN, b"not json")
        assert_blocked(await restored.check(SchemaKnown()), "the pointer of `_coordination`", remedy="Restore")

    async def test_a_fourth_schema_is_refused(self, restored: Scene) -> None:
        (restored.context.backup_dir / MANIFEST_NAME).unlink()
        for column1, _, value in coordination.cells_of(SchemaMap((SchemaRange(1, None, 3),), 10**9), 77):
            await write_coordination(restored, column1, as_fourth(value))
        result = await restored.check(SchemaKnown())
        assert_blocked(result, "transactions schema 4", "only 1, 2 and 3 are known", remedy="cannot be cleaned")

    async def test_a_pointer_to_a_value_that_is_not_there(self, restored: Scene) -> None:
        (restored.context.backup_dir / MANIFEST_NAME).unlink()
        await write_coordination(restored, coordination.POINTER_COLUMN, b'{"sequence":999,"bound":5}')
        assert_blocked(await restored.check(SchemaKnown()), "points at value 999", remedy="Restore `_coordination`")

    async def test_a_damaged_manifest(self, lost: Scene) -> None:
        damage(lost.context.backup_dir / MANIFEST_NAME)
        assert_blocked(await lost.check(SchemaKnown()), "does not match its seal", remedy="the same backup")

    async def test_a_node_down_is_unknown(self, restored: Scene) -> None:
        restored.cluster.stop_node(THIRD)
        assert_unknown(await restored.check(SchemaKnown()), THIRD, remedy="Restore `_coordination`")


def as_fourth(value: bytes) -> bytes:
    """The payload of a coordination value with its last schema raised to 4."""
    read = json.loads(value)
    if "payload" not in read:
        return value
    payload = json.loads(base64.b64decode(read["payload"]))
    payload["timestampToTransactionsTableSchemaVersion"]["timestampMappings"][-1]["value"] = 4
    read["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    return json.dumps(read).encode()


async def write_coordination(scene: Scene, column1: bytes, value: bytes) -> None:
    cell = Cell(coordination.ROW, column1, -1, value, scene.cluster.wall.micros())
    await scene.cluster.put(scene.keyspace, "_coordination", cell, consistency=Consistency.ALL)


class TestSweepBelowBackup:
    async def sweep(self, scene: Scene, value: bytes, *, only: str = "", key: bytes = b"shard") -> None:
        others = [address for address in scene.cluster.addresses if only and address != only]
        for address in others:
            scene.cluster.lose_writes(address)
        cell = Cell(key, b"v", -1, value, scene.cluster.wall.micros())
        table = "sweep__sweepProgressPerShard"
        await scene.cluster.put(scene.keyspace, table, cell, consistency=Consistency.ONE)
        for address in others:
            scene.cluster.lose_writes(address, lose=False)

    async def test_no_progress_table(self, restored: Scene) -> None:
        await restored.cluster.change_schema(f'DROP TABLE {restored.keyspace}."sweep__sweepProgressPerShard"')
        assert_not_applicable(await restored.check(SweepBelowBackup()), "no progress of sweep")

    async def test_before_there_is_a_keyspace(self, lost: Scene) -> None:
        assert_not_applicable(await lost.check(SweepBelowBackup()), "no progress of sweep")

    @pytest.mark.parametrize("beyond", [0, -1, -5_000])
    async def test_up_to_b_is_below(self, restored: Scene, beyond: int) -> None:
        await self.sweep(restored, varlong.encode(restored.arena.backup_timestamp + beyond))
        assert_passed(await restored.check(SweepBelowBackup()), "1 sweep progress cells, none beyond B")

    async def test_beyond_b_is_said_plainly_and_goes_on(self, restored: Scene) -> None:
        backup = restored.arena.backup_timestamp
        await self.sweep(restored, varlong.encode(backup + 1))
        await self.sweep(restored, varlong.encode(backup), key=b"another")
        result = await restored.check(SweepBelowBackup())
        assert_warned(
            result,
            f"1 of 2 sweep progress cells lie beyond B = {backup}",
            "unproven",
            remedy="Stop sweep before the next",
        )
        assert result.status.lets_pass

    async def test_progress_that_one_replica_alone_has_counts(self, restored: Scene) -> None:
        await self.sweep(restored, varlong.encode(restored.arena.backup_timestamp + 1), only=THIRD)
        assert_warned(await restored.check(SweepBelowBackup()), "1 of 1", "beyond B", remedy="Stop sweep")

    async def test_a_value_that_cannot_be_read_is_no_pass(self, restored: Scene) -> None:
        await self.sweep(restored, b"\xff")
        assert_warned(await restored.check(SweepBelowBackup()), "1 of 1", "could not be read", remedy="Stop sweep")

    @pytest.mark.parametrize("table", ["_sweep_progress3", "sweep__sweepProgressPerBucket"])
    async def test_progress_in_a_form_that_is_not_read_here(self, restored: Scene, table: str) -> None:
        await restored.cluster.change_schema(table_statement(restored.keyspace, table, Dialect.APACHE))
        assert_passed(await restored.check(SweepBelowBackup()))
        cell = Cell(b"shop.accounts", b"p", -1, b"{}", 1)
        await restored.cluster.put(restored.keyspace, table, cell, consistency=Consistency.ALL)
        result = await restored.check(SweepBelowBackup())
        assert_warned(result, f"the sweep of {table}", "unproven", remedy="Stop sweep before the next backup")

    async def test_without_b_it_is_unknown(self, restored: Scene) -> None:
        await self.sweep(restored, b"\x01")
        (restored.context.backup_dir / "backup.timestamp").unlink()
        assert_unknown(await restored.check(SweepBelowBackup()), "backup.timestamp", remedy="Stop sweep")
