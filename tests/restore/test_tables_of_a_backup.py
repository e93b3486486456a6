"""Tables that come and go while a backup is taken: what is sealed is what was copied, or nothing is sealed."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from atlasdb_recovery.atlas import manifest
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.store_methods import StoreMethod
from atlasdb_recovery.procedure.store_methods.external import ExternalStore
from atlasdb_recovery.procedure.store_methods.snapshot import SnapshotStore
from tests.restore.arena import Arena, ScriptedFrontEnd

Change = Callable[[Arena], Awaitable[None]]

STAGES = 10
NEW, OLD = "shop__invoices", "shop__ledger"
AFTER = {"B": 2, "the store": 3, "F": 4}
"""How many steps of a backup are done then."""


@pytest.fixture
async def running(simulated: SimulatedPractice, tmp_path: Path) -> Arena:
    """There is a history, and no backup yet."""
    arena = Arena(simulated, tmp_path, stages=STAGES)
    await arena.exercise.make_history()
    return arena


async def create(arena: Arena) -> None:
    keyspace = await arena.nodes.cluster.keyspace(arena.exercise.keyspace)
    assert keyspace is not None
    await arena.nodes.cluster.change_schema(keyspace.tables[OLD].create.replace(OLD, NEW))


async def replace(arena: Arena) -> None:
    """Dropped, and created again."""
    keyspace = await arena.nodes.cluster.keyspace(arena.exercise.keyspace)
    assert keyspace is not None
    await arena.nodes.cluster.change_schema(f'DROP TABLE "{keyspace.name}"."{OLD}"')
    await arena.nodes.cluster.change_schema(keyspace.tables[OLD].create)


CHANGES = pytest.mark.parametrize("change", [create, replace], ids=["created", "replaced"])


async def back_up(
    arena: Arena, journal: MemoryJournal, steps: int, store: StoreMethod
) -> tuple[Outcome, ScriptedFrontEnd]:
    front_end = ScriptedFrontEnd({"store-backed-up": True, "offline": True})
    outcome = await arena.run(
        "backup",
        backup_steps()[:steps],
        front_end,
        timestamps=arena.exercise.timestamps,
        journal=journal,
        store=store,
    )
    return outcome, front_end


@CHANGES
async def test_snapshots_are_sealed_with_the_tables_that_were_copied(running: Arena, change: Change) -> None:
    keyspace = await running.nodes.cluster.keyspace(running.exercise.keyspace)
    assert keyspace is not None
    copied = {name: table.id for name, table in keyspace.tables.items()}
    journal = MemoryJournal()
    assert (await back_up(running, journal, AFTER["the store"], SnapshotStore()))[0] is Outcome.DONE
    await change(running)
    outcome, told = await back_up(running, journal, 5, SnapshotStore())
    assert outcome is Outcome.DONE, (told.refusals(), told.failures())
    sealed = manifest.load(running.settings.backup_dir)
    assert sealed is not None
    assert {table.name: table.id for table in sealed.tables} == copied
    await running.exercise.lose_keyspace()
    front_end = ScriptedFrontEnd()
    assert await running.restore(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    verdict = await running.verdict()
    assert verdict.is_right, verdict.describe()


@pytest.mark.parametrize("moment", AFTER)
@CHANGES
async def test_what_cannot_be_looked_into_is_not_sealed_once_tables_changed(
    running: Arena, change: Change, moment: str
) -> None:
    journal = MemoryJournal()
    assert (await back_up(running, journal, AFTER[moment], ExternalStore()))[0] is Outcome.DONE
    await change(running)
    outcome, told = await back_up(running, journal, 5, ExternalStore())
    assert outcome is Outcome.FAILED
    (problem,) = told.failures()
    assert problem.startswith("tables were created or dropped since B was fetched: ")
    assert (NEW in problem) is not (OLD in problem)
    assert not (running.settings.backup_dir / manifest.MANIFEST_NAME).exists()


async def test_tables_created_before_b_are_no_obstacle(running: Arena) -> None:
    journal = MemoryJournal()
    assert (await back_up(running, journal, 1, ExternalStore()))[0] is Outcome.DONE
    await create(running)
    outcome, told = await back_up(running, journal, 5, ExternalStore())
    assert outcome is Outcome.DONE, (told.refusals(), told.failures())
    sealed = manifest.load(running.settings.backup_dir)
    assert sealed is not None
    assert NEW in {table.name for table in sealed.tables}
