"""Guards over the keyspace and its tables."""

from pathlib import Path

import pytest

from atlasdb_recovery.atlas import manifest
from atlasdb_recovery.atlas.names import METADATA
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.practice.practice_keyspace import table_statement
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.procedure.guards.guard import LOOK_AGAIN
from atlasdb_recovery.procedure.guards.keyspace_guards import (
    KeyspaceEmpty,
    KeyspaceIsAtlas,
    TablesPresent,
    TablesUnchanged,
)
from tests.procedure.guards.scene import (
    SECOND,
    THIRD,
    Scene,
    assert_blocked,
    assert_not_applicable,
    assert_passed,
    assert_unknown,
    assert_warned,
)


async def drop(scene: Scene, table: str) -> None:
    await scene.cluster.change_schema(f'DROP TABLE "{scene.keyspace}"."{table}"')


async def create(scene: Scene, table: str) -> None:
    await scene.cluster.change_schema(table_statement(scene.keyspace, table, Dialect.APACHE))


class TestKeyspaceEmpty:
    async def test_absent(self, lost: Scene) -> None:
        assert_passed(await lost.check(KeyspaceEmpty()), "is absent")

    async def test_present_without_tables_is_empty(self, lost: Scene) -> None:
        await lost.create_keyspace()
        assert_passed(await lost.check(KeyspaceEmpty()), "present without tables")

    async def test_one_table_is_not_empty(self, lost: Scene) -> None:
        await lost.create_keyspace()
        await create(lost, "_timestamp")
        result = await lost.check(KeyspaceEmpty())
        assert_blocked(result, "keyspace shop has 1 tables", remedy="DROP KEYSPACE")
        assert "store-restored" in result.remedy

    async def test_restored_by_hand_already_with_the_operators_word(self, alive: Scene) -> None:
        alive.store("external")
        assert_blocked(await alive.check(KeyspaceEmpty()), "has 9 tables", remedy="store-restored")
        alive.answers(store_restored="medusa restore-cluster at 03:10, ticket 4711")
        result = await alive.check(KeyspaceEmpty())
        assert_warned(result, "the operator says", remedy="Tables, bound and stillness are verified instead")

    @pytest.mark.parametrize("answer", [False, "", "  ", None, {"remove_at_most": 5}])
    async def test_what_is_no_word_does_not_help(self, alive: Scene, answer: object) -> None:
        alive.store("external")
        alive.answers(store_restored=answer)
        assert_blocked(await alive.check(KeyspaceEmpty()), "has 9 tables", remedy="how it was done")

    async def test_a_doubt_is_named(self, alive: Scene) -> None:
        alive.store("external")
        alive.answers(store_restored="no, half of it only")
        assert_blocked(
            await alive.check(KeyspaceEmpty()), "“no, half of it only” is no plain yes", remedy="how it was done"
        )

    @pytest.mark.parametrize("method", ["snapshot", "command"])
    async def test_the_word_is_worth_nothing_where_the_program_restores_itself(self, alive: Scene, method: str) -> None:
        alive.store(method)
        alive.answers(store_restored="by hand")
        result = await alive.check(KeyspaceEmpty())
        counts = f"only where store.method is external; it is {method}"
        assert_blocked(result, "has 9 tables", counts, remedy="set store.method to external")

    async def test_what_this_session_is_restoring_is_its_own(self, alive: Scene) -> None:
        alive.begin("restore-store")
        assert_passed(await alive.check(KeyspaceEmpty()), "this session is restoring them")


class TestKeyspaceIsAtlas:
    async def test_it_is(self, alive: Scene) -> None:
        assert_passed(await alive.check(KeyspaceIsAtlas()), "9 tables")

    async def test_absent(self, lost: Scene) -> None:
        assert_blocked(await lost.check(KeyspaceIsAtlas()), "is absent", remedy="the service's configuration names")

    async def test_something_elses(self, alive: Scene) -> None:
        await drop(alive, "_transactions")
        result = await alive.check(KeyspaceIsAtlas())
        assert_blocked(result, "has no table _transactions", remedy="the service's configuration names")


class TestTablesPresent:
    async def test_the_manifests_are_all_there(self, restored: Scene) -> None:
        assert_passed(await restored.check(TablesPresent()), "9 tables expected (the backup's manifest)")

    async def test_before_the_store_is_restored_there_is_nothing_to_look_at(self, lost: Scene) -> None:
        assert_not_applicable(await lost.check(TablesPresent()), "not been restored yet")

    async def test_a_restore_that_left_nothing(self, restored: Scene) -> None:
        await restored.arena.exercise.lose_keyspace()
        assert_blocked(await restored.check(TablesPresent()), "absent or has no tables", remedy="Restore the store")

    async def test_a_missing_user_table_refuses(self, restored: Scene) -> None:
        await drop(restored, "shop__ledger")
        assert_blocked(await restored.check(TablesPresent()), "missing: shop__ledger", remedy="incomplete")

    async def test_a_missing_internal_table_warns(self, restored: Scene) -> None:
        await drop(restored, "_punch")
        result = await restored.check(TablesPresent())
        assert_warned(result, "missing internal tables: _punch", remedy="AtlasDB creates missing internal tables")

    @pytest.mark.parametrize("table", ["_transactions", "_transactions2"])
    async def test_a_transactions_table_is_internal_and_refuses(self, restored: Scene, table: str) -> None:
        await drop(restored, table)
        result = await restored.check(TablesPresent())
        assert_blocked(result, f"missing internal tables: {table}", remedy="incomplete")

    async def test_without_a_manifest_the_names_in_metadata_count(self, restored: Scene) -> None:
        (restored.context.backup_dir / manifest.MANIFEST_NAME).unlink()
        assert_passed(await restored.check(TablesPresent()), "3 tables expected", "_metadata, for want of a manifest")
        await drop(restored, "shop__accounts")
        assert_blocked(await restored.check(TablesPresent()), "missing: shop__accounts", remedy="incomplete")

    async def test_a_name_that_one_replica_alone_has_counts(self, restored: Scene) -> None:
        (restored.context.backup_dir / manifest.MANIFEST_NAME).unlink()
        for address in restored.cluster.addresses[:2]:
            restored.cluster.lose_writes(address)
        named = Cell(b"shop.invoices", b"m", ~7, b"\x0a\x00", 7)
        await restored.cluster.put(restored.keyspace, METADATA, named, consistency=Consistency.ONE)
        for address in restored.cluster.addresses[:2]:
            restored.cluster.lose_writes(address, lose=False)
        assert_blocked(await restored.check(TablesPresent()), "missing: shop__invoices", remedy="incomplete")

    async def test_a_replica_that_does_not_answer_is_unknown(self, restored: Scene) -> None:
        (restored.context.backup_dir / manifest.MANIFEST_NAME).unlink()
        restored.cluster.stop_node(THIRD)
        assert_unknown(await restored.check(TablesPresent()), THIRD, remedy="Restore the missing tables")


class TestTablesUnchanged:
    async def test_before_the_store_is_restored(self, lost: Scene) -> None:
        assert_not_applicable(await lost.check(TablesUnchanged()), "not been restored yet")

    async def test_unchanged(self, dialect: Dialect, tmp_path: Path) -> None:
        scene = await Scene.restored(dialect, tmp_path)
        assert_passed(await scene.check(TablesUnchanged()), "ids of 9 tables")

    async def test_a_table_truncated_on_every_node_is_named(self, dialect: Dialect, tmp_path: Path) -> None:
        scene = await Scene.restored(dialect, tmp_path)
        scene.cluster.truncate(scene.keyspace, "_transactions2")
        result = await scene.check(TablesUnchanged())
        assert_blocked(result, f"{SECOND}: table _transactions2 was truncated", remedy="Restore from the beginning")

    async def test_a_truncation_of_another_keyspace_is_not_ours(self, restored: Scene) -> None:
        restored.cluster.nodes[SECOND].truncated_at["6318da1a-bffa-3c03-b48b-3f72c1fe6e05"] = "17"
        assert_passed(await restored.check(TablesUnchanged()))

    async def test_a_table_created_again_gone_or_new(self, restored: Scene) -> None:
        before = restored.cluster.table(restored.keyspace, "_transactions").id
        await drop(restored, "_transactions")
        await create(restored, "_transactions")
        after = restored.cluster.table(restored.keyspace, "_transactions").id
        await drop(restored, "_punch")
        await create(restored, "shop__later")
        result = await restored.check(TablesUnchanged())
        assert_blocked(
            result,
            f"table _transactions is another one now: its id was {before}, is {after}",
            "table _punch is gone",
            "table shop__later is new",
            "schema version was",
            remedy="Restore from the beginning",
        )

    async def test_one_node_with_another_schema(self, restored: Scene) -> None:
        restored.cluster.disagree_on_schema(THIRD)
        result = await restored.check(TablesUnchanged())
        assert_blocked(result, f"{THIRD}: schema version was", remedy="Restore from the beginning")
        assert SECOND not in result.evidence

    async def test_a_node_more_or_less(self, restored: Scene) -> None:
        del restored.cluster.nodes[THIRD]
        result = await restored.check(TablesUnchanged())
        assert_blocked(result, f"node {THIRD} was not there before, or is gone", remedy="Restore from the beginning")

    async def test_a_node_that_does_not_answer_is_unknown(self, restored: Scene) -> None:
        restored.cluster.stop_node(THIRD)
        assert_unknown(await restored.check(TablesUnchanged()), THIRD, remedy=LOOK_AGAIN)
