"""Stores that somebody else's tool brought back, whole by its own account: what they lack is found before repair."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import msgspec
import pytest

from atlasdb_recovery.events import Event, GuardChecked, GuardOverruled, StepIntended
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.journal.report.telling import told
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.front_end import Choice, Overruled
from atlasdb_recovery.procedure.guards.backup_guards import SchemaKnown
from atlasdb_recovery.procedure.guards.replication_guard import ReplicationSound
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.step import Step
from atlasdb_recovery.procedure.store_methods import StoreContext
from atlasdb_recovery.procedure.store_methods.snapshot import SnapshotStore
from tests.restore.arena import CAREFUL, Arena, ScriptedFrontEnd

BY_HAND = {**CAREFUL, "store-restored": "with medusa, at 03:10"}


def intended(journal: MemoryJournal) -> list[str]:
    return [record.event.step for record in journal.records() if isinstance(record.event, StepIntended)]


def replicate(arena: Arena, factor: str) -> None:
    assert isinstance(arena.nodes, SimulatedPractice)
    cluster = arena.nodes.simulated
    keyspace = cluster.keyspaces[arena.exercise.keyspace]
    keyspace.replication = dict(keyspace.replication) | {"datacenter1": factor}
    cluster.schema_changed()


def forget_paxos(arena: Arena) -> None:
    """As an operator would whose tool may bring tables back under their old ids."""
    assert isinstance(arena.nodes, SimulatedPractice)
    for node in arena.nodes.simulated.nodes.values():
        node.paxos.clear()


async def with_one_replica(arena: Arena) -> None:
    replicate(arena, "1")


async def without_transactions2(arena: Arena) -> None:
    await arena.nodes.cluster.change_schema(f'DROP TABLE "{arena.exercise.keyspace}"."_transactions2"')


class OtherTool(SnapshotStore):
    """Loads every node's files, and leaves the keyspace as it should not be."""

    name = "command"

    def __init__(self, arena: Arena, left: Callable[[Arena], Awaitable[None]]) -> None:
        self._arena = arena
        self._left = left

    async def restore(self, context: StoreContext) -> AsyncIterator[Event]:
        async for event in super().restore(context):
            yield event
        await self._left(self._arena)


async def restored_by(
    arena: Arena, left: Callable[[Arena], Awaitable[None]], journal: MemoryJournal
) -> tuple[Outcome, ScriptedFrontEnd]:
    store(arena, backup_command="true", restore_command="true")
    forget_paxos(arena)
    front_end = ScriptedFrontEnd()
    return await arena.restore(front_end, journal=journal, store=OtherTool(arena, left)), front_end


def store(arena: Arena, **settings: str) -> None:
    changed = msgspec.structs.replace(arena.settings.store, **settings)
    arena.settings = msgspec.structs.replace(arena.settings, store=changed)


async def by_hand(arena: Arena) -> None:
    """The store is there before this program is asked."""
    assert await arena.restore(steps=restore_steps()[:2]) is Outcome.DONE
    store(arena, method="external")


async def test_a_store_with_fewer_replicas_than_the_backup_is_not_repaired(arena: Arena) -> None:
    journal = MemoryJournal()
    outcome, front_end = await restored_by(arena, with_one_replica, journal)
    assert outcome is Outcome.REFUSED
    assert intended(journal) == ["preflight", "restore-store"], front_end.refusals()
    assert "datacenter1 holds 1 replicas of its 3" in front_end.refusals()[ReplicationSound().name]
    await arena.exercise.lose_keyspace()
    assert await arena.restore() is Outcome.DONE
    assert (await arena.verdict()).is_right


async def test_nor_is_one_that_was_restored_before(arena: Arena) -> None:
    await by_hand(arena)
    replicate(arena, "2")
    journal, front_end = MemoryJournal(), ScriptedFrontEnd(BY_HAND)
    assert await arena.restore(front_end, journal=journal) is Outcome.REFUSED
    assert set(front_end.refusals()) == {ReplicationSound().name}
    assert intended(journal) == []


class Vouches(ScriptedFrontEnd):
    """For one guard, before anything is begun."""

    async def after_refusal(self, step: Step, refusals: Sequence[GuardChecked]) -> Choice | Overruled:
        if step.name != "preflight":
            return Choice.STOP
        return Overruled(refusals[0].guard, "seen and agreed, ticket 4711", "wizard")


async def test_what_was_overruled_at_preflight_has_to_be_said_again_before_the_repair(
    arena: Arena,
) -> None:
    await by_hand(arena)
    replicate(arena, "2")
    journal, front_end = MemoryJournal(), Vouches(BY_HAND)
    assert await arena.restore(front_end, journal=journal) is Outcome.REFUSED
    assert intended(journal) == ["preflight", "restore-store"]
    refused = [(each.step, each.guard) for each in front_end.events if isinstance(each, GuardOverruled | GuardChecked)]
    assert refused[-1][0] == "repair"
    story = told(journal.records())
    assert [each.guard for each in story.refusals] == [ReplicationSound().name]


@pytest.mark.parametrize("with_manifest", [True, False], ids=["manifest", "two files"])
async def test_a_store_without_a_transactions_table_is_not_gone_on_with(arena: Arena, with_manifest: bool) -> None:
    await by_hand(arena)
    await without_transactions2(arena)
    if not with_manifest:
        arena.restore_to(arena.backup_timestamp)
    journal, front_end = MemoryJournal(), ScriptedFrontEnd(BY_HAND)
    assert await arena.restore(front_end, journal=journal) is Outcome.REFUSED
    assert "_transactions2 is missing" in front_end.refusals()[SchemaKnown().name]
    assert intended(journal) == []


async def test_a_tool_that_leaves_a_transactions_table_out_fails_its_step(arena: Arena) -> None:
    journal = MemoryJournal()
    outcome, front_end = await restored_by(arena, without_transactions2, journal)
    assert outcome is Outcome.FAILED, front_end.refusals()
    assert front_end.failures() == [
        "9 tables expected (the backup's manifest); missing internal tables: _transactions2"
    ]
    assert intended(journal) == ["preflight", "restore-store"]
