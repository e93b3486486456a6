"""Guards where they stand in a restore: what they stop, before what, and what they let through."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.atlas import manifest, timestamp_bound, timestamp_file
from atlasdb_recovery.atlas.manifest import MANIFEST_NAME
from atlasdb_recovery.atlas.timestamp_bound import BOUND_POSITION
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.events import (
    CommandEnded,
    CommandStarted,
    Event,
    FactEstablished,
    SessionCompleted,
    StepFailed,
    StepIntended,
    StepPerformed,
)
from atlasdb_recovery.journal.record import MemoryJournal, Record
from atlasdb_recovery.practice.practice_timestamps import PracticeTimestamps
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.store_methods.external import ExternalStore
from tests.procedure.guards.scene import OneNodeForAll
from tests.restore.arena import CAREFUL, Arena, ScriptedFrontEnd
from tests.restore.cells import transactions_of

STAGES = 10


class Killed(BaseException):
    """The process ends here."""


class KilledAfter(MemoryJournal):
    """The process ends, once, when such an event is on record."""

    def __init__(self, is_last: Callable[[Event], bool]) -> None:
        super().__init__()
        self._is_last = is_last
        self._is_armed = True

    def append(self, event: Event, *, sync: bool = True) -> Record:
        record = super().append(event, sync=sync)
        if self._is_armed and self._is_last(event):
            self._is_armed = False
            raise Killed
        return record


@pytest.fixture(params=[Dialect.APACHE, Dialect.PALANTIR], ids=str)
async def arena(request: pytest.FixtureRequest, tmp_path: Path) -> Arena:
    made = Arena(SimulatedPractice(request.param, data_root=tmp_path / "nodes"), tmp_path, stages=STAGES)
    await made.back_up_and_lose()
    return made


def intended(journal: MemoryJournal) -> list[str]:
    return [record.event.step for record in journal.records() if isinstance(record.event, StepIntended)]


def simulated(arena: Arena) -> SimulatedPractice:
    assert isinstance(arena.nodes, SimulatedPractice)
    return arena.nodes


async def restored_by_hand(arena: Arena) -> None:
    """Somebody else's tool, in whatever way."""
    assert await arena.restore(steps=restore_steps()[:2]) is Outcome.DONE
    arena.settings = msgspec.structs.replace(
        arena.settings, store=msgspec.structs.replace(arena.settings.store, method="external")
    )


async def test_a_missing_permission_stops_it_before_anything_is_repaired_or_removed(arena: Arena) -> None:
    simulated(arena).simulated.faults.read_only.add("_transactions2")
    journal, front_end = MemoryJournal(), ScriptedFrontEnd()
    assert await arena.restore(front_end, journal=journal) is Outcome.REFUSED
    assert "no MODIFY permission" in front_end.refusals()["WritesPermitted"]
    assert intended(journal) == ["preflight", "restore-store"]
    simulated(arena).simulated.faults.read_only.clear()
    assert await arena.restore(journal=journal) is Outcome.DONE
    assert (await arena.verdict()).is_right


async def test_a_store_that_was_restored_by_hand_is_gone_on_with(arena: Arena) -> None:
    await restored_by_hand(arena)
    front_end = ScriptedFrontEnd({**CAREFUL, "store-restored": "with medusa, at 03:10"})
    assert await arena.restore(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    assert (await arena.verdict()).is_right


async def test_without_a_word_a_keyspace_with_tables_is_left_alone(arena: Arena) -> None:
    await restored_by_hand(arena)
    before = transactions_of(arena)
    journal, front_end = MemoryJournal(), ScriptedFrontEnd()
    assert await arena.restore(front_end, journal=journal) is Outcome.REFUSED
    assert "has 9 tables" in front_end.refusals()["KeyspaceEmpty"]
    assert intended(journal) == []
    assert transactions_of(arena) == before


async def test_a_bound_restored_by_hand_that_is_none_is_found_at_once(arena: Arena) -> None:
    await restored_by_hand(arena)
    cluster = simulated(arena).simulated
    invalidated = Cell(*BOUND_POSITION, b"\x00", cluster.wall.micros())
    await cluster.put(arena.exercise.keyspace, "_timestamp", invalidated, consistency=Consistency.ALL)
    front_end = ScriptedFrontEnd({**CAREFUL, "store-restored": True})
    before = transactions_of(arena)
    assert await arena.restore(front_end) is Outcome.REFUSED
    assert "migration to TimeLock" in front_end.refusals()["TimestampAuthorityKnown"]
    assert transactions_of(arena) == before


async def test_a_bound_that_the_store_brings_back_malformed_fails_that_step(arena: Arena) -> None:
    cluster = simulated(arena).simulated
    malformed = Cell(*BOUND_POSITION, b"\x01\x02\x03", 2**60)

    def somebody_writes() -> None:
        for node in cluster.nodes.values():
            table = cluster.table(arena.exercise.keyspace, "_timestamp")
            node.store(table.id).merge(BOUND_POSITION, (2**60, 0, malformed.value, malformed.value))

    cluster.faults.before("read_partition", somebody_writes)
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end) is Outcome.FAILED
    (failed,) = [event for event in front_end.events if isinstance(event, StepFailed)]
    assert failed.step == "restore-store"
    assert "not a number of 8 bytes" in failed.problem
    assert "belongs to B and F" in failed.remedy


async def test_f_far_above_the_bound_is_asked_for_by_name(arena: Arena) -> None:
    (arena.settings.backup_dir / MANIFEST_NAME).unlink()
    far = 10**12 + 50_000_000
    timestamp_file.write(arena.settings.backup_dir / "fast-forward.timestamp", far)
    journal, front_end = MemoryJournal(), ScriptedFrontEnd()
    assert await arena.restore(front_end, journal=journal) is Outcome.PARKED
    question = front_end.questions[-1]
    assert question.name == "far-fast-forward"
    assert question.phrase == f"practice fast-forward {arena.exercise.keyspace} to {far}"
    bound = await arena.exercise.timestamps.bound()
    assert bound is not None
    assert bound < far
    answered = ScriptedFrontEnd({**CAREFUL, "far-fast-forward": question.phrase})
    assert await arena.restore(answered, journal=journal) is Outcome.DONE
    assert await arena.exercise.timestamps.bound() == far + timestamp_bound.ALLOCATION_BUFFER


@pytest.mark.parametrize("above", [10**12, 1_000_000, 0])
async def test_f_up_to_a_trillion_above_the_bound_is_not_asked_for(arena: Arena, above: int) -> None:
    sealed = manifest.load(arena.settings.backup_dir)
    assert sealed is not None
    assert sealed.bound_at_backup is not None
    (arena.settings.backup_dir / MANIFEST_NAME).unlink()
    timestamp_file.write(arena.settings.backup_dir / "fast-forward.timestamp", sealed.bound_at_backup + above)
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    assert "far-fast-forward" not in {question.name for question in front_end.questions}


async def test_f_not_above_what_the_tables_hold_refuses_the_removal(arena: Arena) -> None:
    (arena.settings.backup_dir / MANIFEST_NAME).unlink()
    timestamp_file.write(arena.settings.backup_dir / "fast-forward.timestamp", arena.backup_timestamp + 1)
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end) is Outcome.FAILED
    assert f"F = {arena.backup_timestamp + 1} is not above every timestamp" in front_end.failures()[0]
    assert not list(arena.settings.export_dir.glob("*"))


async def test_thrift_is_switched_off_for_the_while_where_that_was_asked_for(arena: Arena) -> None:
    cluster = simulated(arena).simulated
    journal = MemoryJournal()
    front_end = ScriptedFrontEnd({**CAREFUL, "disable-thrift": True})
    assert await arena.restore(front_end, steps=restore_steps()[:5], journal=journal) is Outcome.DONE
    is_fork = cluster.dialect is Dialect.PALANTIR
    assert all(node.thrift_active is not is_fork for node in cluster.nodes.values())
    assert await arena.restore(front_end, journal=journal) is Outcome.DONE
    assert all(node.thrift_active for node in cluster.nodes.values())


@pytest.mark.parametrize("switched_off", [1, 2, 3])
async def test_killed_while_thrift_is_being_switched_off_it_is_on_everywhere_at_the_end(
    tmp_path: Path, switched_off: int
) -> None:
    arena = Arena(SimulatedPractice(Dialect.PALANTIR, data_root=tmp_path / "nodes"), tmp_path, stages=STAGES)
    await arena.back_up_and_lose()

    def thrift_is_on_at(address: str) -> bool:
        return simulated(arena).simulated.nodes[address].thrift_active

    def is_last(event: Event) -> bool:
        off = [address for address in arena.nodes.addresses if not thrift_is_on_at(address)]
        return isinstance(event, CommandEnded) and len(off) == switched_off

    journal, answers = KilledAfter(is_last), {**CAREFUL, "disable-thrift": True}
    with pytest.raises(Killed):
        await arena.restore(ScriptedFrontEnd(answers), journal=journal)
    assert [thrift_is_on_at(address) for address in arena.nodes.addresses].count(False) == switched_off
    assert await arena.restore(ScriptedFrontEnd(answers), journal=journal) is Outcome.DONE
    assert all(thrift_is_on_at(address) for address in arena.nodes.addresses)


async def test_a_node_restarted_with_thrift_on_stops_a_restore_that_had_it_off(tmp_path: Path) -> None:
    arena = Arena(SimulatedPractice(Dialect.PALANTIR, data_root=tmp_path / "nodes"), tmp_path, stages=STAGES)
    await arena.back_up_and_lose()
    journal = MemoryJournal()
    front_end = ScriptedFrontEnd({**CAREFUL, "disable-thrift": True})
    assert await arena.restore(front_end, steps=restore_steps()[:3], journal=journal) is Outcome.DONE
    simulated(arena).simulated.nodes["127.0.9.2"].thrift_active = True
    again = ScriptedFrontEnd()
    assert await arena.restore(again, journal=journal) is Outcome.REFUSED
    assert "on again at 127.0.9.2" in again.refusals()["ThriftStaysClosed"]


async def test_a_table_truncated_in_the_middle_of_the_repair_voids_its_words_of_success(arena: Arena) -> None:
    cluster = simulated(arena).simulated
    cluster.faults.before("repair.range", lambda: cluster.truncate(arena.exercise.keyspace, "_transactions2"), passes=1)
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end) is Outcome.FAILED
    (failed,) = [event for event in front_end.events if isinstance(event, StepFailed)]
    assert (failed.step, failed.problem) == ("repair", "the repair was not of the tables that are there now")
    assert "table _transactions2 was truncated" in failed.evidence[0]
    assert "Restore from the beginning" in failed.remedy


class TestBackup:
    async def test_a_second_backup_is_not_written_over_the_first(self, tmp_path: Path) -> None:
        arena = Arena(SimulatedPractice(data_root=tmp_path / "nodes"), tmp_path, stages=STAGES)
        await arena.exercise.make_history()
        timestamps = arena.exercise.timestamps
        answers = {"store-backed-up": True}
        first = ScriptedFrontEnd(answers)
        assert await arena.run("backup", backup_steps(), first, timestamps=timestamps) is Outcome.DONE
        kept = {path: path.read_bytes() for path in arena.settings.backup_dir.rglob("*") if path.is_file()}
        second, journal = ScriptedFrontEnd(answers), MemoryJournal()
        outcome = await arena.run(
            "backup", backup_steps(), second, timestamps=timestamps, journal=journal, session="b-2"
        )
        assert outcome is Outcome.REFUSED
        assert "sealed" in second.refusals()["BackupDirectoryUnused"]
        assert {path: path.read_bytes() for path in kept} == kept
        sealed = manifest.load(arena.settings.backup_dir)
        assert sealed is not None
        assert sealed.backup_timestamp == arena.backup_timestamp

    @pytest.mark.parametrize("content", ["", "7\n", None], ids=["empty", "another", "gone"])
    async def test_a_file_of_f_that_is_not_as_it_was_written_is_written_anew(
        self, tmp_path: Path, content: str | None
    ) -> None:
        arena = Arena(SimulatedPractice(data_root=tmp_path / "nodes"), tmp_path, stages=STAGES)
        await arena.exercise.make_history()
        file = arena.settings.backup_dir / "fast-forward.timestamp"
        journal = KilledAfter(lambda event: isinstance(event, StepPerformed) and "fast-forward" in event.step)
        front_end = ScriptedFrontEnd({"store-backed-up": True})
        timestamps = arena.exercise.timestamps
        with pytest.raises(Killed):
            await arena.run("backup", backup_steps(), front_end, journal=journal, timestamps=timestamps)
        fetched = timestamp_file.read(file)
        file.unlink() if content is None else file.write_text(content)
        outcome = await arena.run("backup", backup_steps(), front_end, journal=journal, timestamps=timestamps)
        assert outcome is Outcome.DONE, (front_end.refusals(), front_end.failures())
        sealed = manifest.load(arena.settings.backup_dir)
        assert sealed is not None
        assert timestamp_file.read(file) == sealed.fast_forward_timestamp > fetched

    async def test_a_stored_bound_on_the_fork_takes_the_operators_word(self, tmp_path: Path) -> None:
        arena = Arena(SimulatedPractice(Dialect.PALANTIR, data_root=tmp_path / "nodes"), tmp_path, stages=STAGES)
        await arena.exercise.make_history()
        bound = await arena.exercise.timestamps.bound()
        journal, front_end = MemoryJournal(), ScriptedFrontEnd({"store-backed-up": True})
        assert await arena.run("backup", backup_steps(), front_end, journal=journal) is Outcome.PARKED
        assert [question.name for question in front_end.questions] == ["offline"]
        assert await arena.exercise.timestamps.bound() == bound
        said = ScriptedFrontEnd({"store-backed-up": True, "offline": True})
        outcome = await arena.run("backup", backup_steps(), said, journal=journal)
        assert outcome is Outcome.DONE, (said.refusals(), said.failures())
        assert arena.backup_timestamp == (bound or 0) + 1

    async def test_where_clients_are_listed_nothing_is_asked(self, tmp_path: Path) -> None:
        arena = Arena(SimulatedPractice(Dialect.APACHE, data_root=tmp_path / "nodes"), tmp_path, stages=STAGES)
        await arena.exercise.make_history()
        front_end = ScriptedFrontEnd({"store-backed-up": True})
        assert await arena.run("backup", backup_steps(), front_end, store=ExternalStore()) is Outcome.DONE
        assert [question.name for question in front_end.questions] == ["store-backed-up"]

    async def test_b_is_fetched_before_the_first_copy_and_f_after_the_last(self, tmp_path: Path) -> None:
        arena = Arena(SimulatedPractice(data_root=tmp_path / "nodes"), tmp_path, stages=STAGES)
        await arena.exercise.make_history()
        journal, timestamps = MemoryJournal(), arena.exercise.timestamps
        front_end = ScriptedFrontEnd({"store-backed-up": True})
        assert (
            await arena.run("backup", backup_steps(), front_end, timestamps=timestamps, journal=journal) is Outcome.DONE
        )
        events = [record.event for record in journal.records()]
        facts = {e.name: at for at, e in enumerate(events) if isinstance(e, FactEstablished)}
        copies = [at for at, e in enumerate(events) if isinstance(e, CommandStarted) and "snapshot" in e.command]
        assert len(copies) == 3
        assert facts["backup-timestamp"] < copies[0] <= copies[-1] < facts["fast-forward-timestamp"]

    async def test_a_service_whose_timestamps_go_back_makes_no_backup(self, tmp_path: Path) -> None:
        arena = Arena(SimulatedPractice(data_root=tmp_path / "nodes"), tmp_path, stages=STAGES)
        await arena.exercise.make_history()

        class GoesBack(PracticeTimestamps):
            async def fresh_timestamp(self) -> int:
                return handed_out.pop(0)

        handed_out = [50_000, 50_000]
        timestamps = GoesBack(arena.nodes.cluster, arena.exercise.keyspace)
        front_end = ScriptedFrontEnd({"store-backed-up": True})
        assert await arena.run("backup", backup_steps(), front_end, timestamps=timestamps) is Outcome.FAILED
        (failed,) = [event for event in front_end.events if isinstance(event, StepFailed)]
        assert failed.problem == "F = 50000 is not above B = 50000: the timestamp service went back"
        assert "worthless" in failed.remedy
        assert not (arena.settings.backup_dir / MANIFEST_NAME).exists()
        assert not (arena.settings.backup_dir / "fast-forward.timestamp").exists()

    async def test_the_manifest_keeps_what_a_restore_elsewhere_needs(self, tmp_path: Path) -> None:
        arena = Arena(SimulatedPractice(data_root=tmp_path / "nodes"), tmp_path, stages=STAGES)
        await arena.back_up_and_lose()
        sealed = manifest.load(arena.settings.backup_dir)
        assert sealed is not None
        assert (sealed.backup_timestamp, sealed.keyspace) == (arena.backup_timestamp, arena.exercise.keyspace)
        assert sealed.fast_forward_timestamp > sealed.backup_timestamp
        assert sealed.schema_map == arena.exercise.writer.schema_map
        assert [len(node.tokens) for node in sealed.nodes] == [1, 1, 1]
        assert sealed.partitioner.endswith("ByteOrderedPartitioner")
        assert sealed.replication["datacenter1"] == "3"
        assert {table.name for table in sealed.tables} >= {"_transactions", "_transactions2", "shop__ledger"}
        assert all(table.id and table.bytes is not None and table.files is not None for table in sealed.tables)


class TestProof:
    async def test_without_the_fast_forward_it_is_not_complete_and_says_so(self, arena: Arena) -> None:
        """The restored clock has gone back: timestamps would be handed out again, without any error."""
        (arena.settings.backup_dir / MANIFEST_NAME).unlink()
        timestamp_file.write(arena.settings.backup_dir / "fast-forward.timestamp", 90_000_000)
        journal, front_end = MemoryJournal(), ScriptedFrontEnd()
        steps = [step for step in restore_steps() if step.name != "fast-forward"]
        assert await arena.restore(front_end, steps=steps, journal=journal) is Outcome.FAILED
        (failed,) = [event for event in front_end.events if isinstance(event, StepFailed)]
        assert failed.step == "prove"
        assert failed.problem == "the timestamp service is not above F: the restore is not complete"
        assert failed.remedy.startswith("Do not start the service.")
        assert not any(isinstance(record.event, SessionCompleted) for record in journal.records())

    async def test_without_the_repair_it_is_not_complete_and_says_so(self, arena: Arena) -> None:
        front_end = ScriptedFrontEnd()
        steps = [step for step in restore_steps() if step.name != "repair"]
        assert await arena.restore(front_end, steps=steps) is Outcome.FAILED
        assert "not proven" in front_end.failures()[0]


@pytest.mark.parametrize(("done", "step"), [(2, "repair"), (3, "clean-transactions")])
async def test_a_session_resumed_with_a_nodetool_that_reaches_one_node_only_is_stopped(
    arena: Arena, done: int, step: str
) -> None:
    """ "Nothing runs on 3 nodes" would be said of one, and its streams' late rows are what nobody would see."""
    journal, nodetool = MemoryJournal(), arena.nodetool
    assert await arena.restore(steps=restore_steps()[:done], journal=journal) is Outcome.DONE
    arena.nodetool = OneNodeForAll(nodetool)
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end, journal=journal) is Outcome.REFUSED
    assert set(front_end.refusals()) == {"NodetoolStillReachesItsNode"}
    assert step not in intended(journal)
    arena.nodetool = nodetool
    assert await arena.restore(journal=journal) is Outcome.DONE
    assert (await arena.verdict()).is_right
