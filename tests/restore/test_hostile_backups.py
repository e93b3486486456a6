"""Backups and clusters that could make a restore lose data silently, or leave it half done."""

from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.atlas import manifest, timestamp_file, transactions
from atlasdb_recovery.atlas.schema_ranges import SchemaMap
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome
from tests.restore.arena import Arena, ScriptedFrontEnd

FORWARD = "fast-forward.timestamp"
STORE_ONLY = [step for step in restore_steps() if step.name in {"preflight", "restore-store"}]


def commits(arena: Arena) -> list[int]:
    return sorted(t.commit for t in arena.exercise.writer.truth.transactions if t.commit is not None)


def copied(arena: Arena) -> int:
    """F, as the backup has it: whatever is in the copy is below."""
    return timestamp_file.read(arena.settings.backup_dir / FORWARD)


async def entries(arena: Arena) -> dict[int, Cell]:
    """The cells of both transactions tables by start timestamp."""
    found: dict[int, Cell] = {}
    for table in (transactions.TRANSACTIONS, transactions.TRANSACTIONS2):
        pages = arena.nodes.cluster.scan(
            arena.exercise.keyspace, table, "", "", consistency=Consistency.ALL, page_size=1_000
        )
        async for page in pages:
            found |= {transactions.start_of(table, c.key, c.column1, c.column2): c for c in page}
    return found


def reads_as_committed(arena: Arena, start: int, cell: Cell | None) -> bool:
    schema = arena.exercise.writer.schema_map.schema_at(start)
    assert schema is not None
    table = transactions.table_of(schema)
    return cell is not None and transactions.decode(schema, table, *cell.position, cell.value).commit is not None


async def test_a_commit_at_b_itself_stays_and_the_next_one_goes(arena: Arena) -> None:
    chosen = [c for c in commits(arena) if c < copied(arena)]
    backup, following = chosen[len(chosen) // 2], chosen[len(chosen) // 2 + 1]
    arena.restore_to(backup)
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    left = await entries(arena)
    by_commit = {t.commit: t.start for t in arena.exercise.writer.truth.transactions}
    for commit, stays in ((backup, True), (following, False)):
        start = by_commit[commit]
        assert reads_as_committed(arena, start, left.get(start)) is stays


async def test_with_b_above_every_commit_nothing_is_removed_and_nothing_is_asked(arena: Arena) -> None:
    arena.restore_to(copied(arena) - 1)
    (arena.settings.backup_dir / FORWARD).unlink()
    timestamp_file.write(arena.settings.backup_dir / FORWARD, commits(arena)[-1] + 10)
    arena.restore_to(commits(arena)[-1] + 5)
    front_end = ScriptedFrontEnd({"offline": True})
    assert await arena.restore(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    assert [question.name for question in front_end.questions] == ["offline"]
    assert not list(arena.settings.export_dir.glob("*"))


@pytest.mark.parametrize("above", [0, 1])
async def test_f_must_lie_above_every_timestamp_in_the_tables(arena: Arena, above: int) -> None:
    assert await arena.restore(steps=STORE_ONLY) is Outcome.DONE
    there = await entries(arena)
    known = [t for t in arena.exercise.writer.truth.transactions if t.start in there]
    highest = max(timestamp for t in known for timestamp in (t.start, t.commit or 0))
    await arena.exercise.lose_keyspace()
    arena.restore_to(arena.backup_timestamp)
    (arena.settings.backup_dir / FORWARD).unlink()
    timestamp_file.write(arena.settings.backup_dir / FORWARD, highest + above)
    front_end = ScriptedFrontEnd()
    outcome = await arena.restore(front_end)
    if above:
        assert outcome is Outcome.DONE, (front_end.refusals(), front_end.failures())
        assert ((await arena.exercise.timestamps.bound()) or 0) >= highest + above
    else:
        assert outcome is Outcome.FAILED
        (problem,) = front_end.failures()
        assert f"F = {highest} is not above every timestamp in the transactions tables" in problem
        assert not list(arena.settings.export_dir.glob("*"))


async def test_a_schema_map_that_ends_below_the_last_start_removes_nothing(arena: Arena) -> None:
    sealed = manifest.load(arena.settings.backup_dir)
    assert sealed is not None
    assert sealed.schema_map is not None
    short = SchemaMap(sealed.schema_map.ranges, sealed.backup_timestamp - 1)
    manifest.save(msgspec.structs.replace(sealed, schema_map=short), arena.settings.backup_dir)
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end) is Outcome.FAILED
    (problem,) = front_end.failures()
    assert problem.startswith("the schema of ")
    assert not list(arena.settings.export_dir.glob("*"))


async def test_a_manifest_edited_by_hand_is_refused_before_anything_is_made(arena: Arena) -> None:
    path = arena.settings.backup_dir / manifest.MANIFEST_NAME
    edited = path.read_text().replace(str(arena.backup_timestamp), str(arena.backup_timestamp + 100))
    path.write_text(edited)
    timestamp_file.write(arena.settings.backup_dir / "backup.timestamp", arena.backup_timestamp + 100)
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end) is not Outcome.DONE
    told = [*front_end.refusals().values(), *front_end.failures()]
    assert any("does not match its seal" in line for line in told), told
    assert await arena.nodes.cluster.keyspace(arena.exercise.keyspace) is None


async def test_the_same_backup_is_restored_again_and_again(arena: Arena) -> None:
    for removal in ("delete", "abort", "delete"):
        arena.settings = msgspec.structs.replace(arena.settings, removal=removal)
        front_end = ScriptedFrontEnd()
        assert await arena.restore(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
        verdict = await arena.verdict()
        assert verdict.is_right, verdict.describe()
        await arena.exercise.lose_keyspace()


async def test_nodes_with_other_tokens_get_no_files(arena: Arena, tmp_path: Path) -> None:
    others = SimulatedPractice(data_root=tmp_path / "others")
    for number, node in enumerate(others.simulated.nodes.values(), 1):
        node.place = msgspec.structs.replace(node.place, tokens=(bytes([number * 60]),))
    elsewhere = Arena(others, tmp_path)
    front_end = ScriptedFrontEnd()
    assert await elsewhere.restore(front_end) is not Outcome.DONE
    told = [*front_end.refusals().values(), *front_end.failures()]
    assert any("tokens" in line for line in told), told
    assert await others.simulated.keyspace(arena.exercise.keyspace) is None


async def test_a_cell_with_the_write_time_of_another_schema_is_shown_and_not_touched(arena: Arena) -> None:
    """Deleted at that write time, nobody could ever write it again; and it says that the schema map is wrong."""
    journal = MemoryJournal()
    assert await arena.restore(steps=STORE_ONLY, journal=journal) is Outcome.DONE
    start = max(part.lower for part in arena.exercise.writer.schema_map.ranges if part.schema == 2) + 7
    value = transactions.value_of(2, start, start + 10**9)
    strange = Cell(*transactions.locate(2, start), value, transactions.SET_ONCE_WRITE_TIME)
    keyspace, table = arena.exercise.keyspace, transactions.TRANSACTIONS2
    await arena.nodes.cluster.put(keyspace, table, strange, consistency=Consistency.ALL)
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end, journal=journal) is Outcome.PARKED
    (question,) = [question for question in front_end.questions if question.name == "odd-cells"]
    assert any("write time 9223372036854775797 is schema 3's" in line for line in question.detail)
    assert await arena.nodes.cluster.read(keyspace, table, strange.position, consistency=Consistency.ALL) == strange
