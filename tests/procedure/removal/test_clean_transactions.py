"""`clean-transactions` as a step of a restore: exported and on disk before anything changes, and never on a guess."""

import os
from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.atlas import manifest, transactions
from atlasdb_recovery.atlas.transactions import TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.events import Event, FactEstablished, Progressed, StepFailed
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.simulated import Dialect, SimulatedCluster
from atlasdb_recovery.practice.simulated.storage import written
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.facts import EXPORT, FINDINGS
from atlasdb_recovery.procedure.removal.pre_images import ExportWriter, header_of, pre_images
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome
from tests.restore.arena import CAREFUL, Arena, ScriptedFrontEnd
from tests.restore.cells import transactions_of

BEFORE_IT = 3
"""How many steps of a restore come before the removal."""


class Cleaning:
    """A restore that stands before its removal; `clean` goes on in the same session."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.journal = MemoryJournal()
        assert isinstance(arena.nodes, SimulatedPractice)
        self.cluster: SimulatedCluster = arena.nodes.simulated

    async def clean(self, front_end: ScriptedFrontEnd | None = None) -> Outcome:
        return await self.arena.restore(front_end, steps=restore_steps()[: BEFORE_IT + 1], journal=self.journal)

    def exports(self) -> list[Path]:
        return sorted(self.arena.settings.export_dir.glob("pre-images-*.jsonl"))

    def write_everywhere(self, table: str, position: tuple[bytes, bytes, int], value: bytes, write_time: int) -> None:
        for node in self.cluster.nodes.values():
            store = node.store(self.cluster.table(self.arena.exercise.keyspace, table).id)
            store.merge(position, written(write_time, value, signed=self.cluster.dialect.compares_signed))

    def failure(self) -> StepFailed:
        (found,) = [record.event for record in self.journal.records() if isinstance(record.event, StepFailed)]
        return found

    def fact(self, name: str) -> dict[str, object]:
        events = [
            r.event for r in self.journal.records() if isinstance(r.event, FactEstablished) and r.event.name == name
        ]
        value = events[-1].value
        assert isinstance(value, dict)
        return value


@pytest.fixture(params=[Dialect.APACHE, Dialect.PALANTIR], ids=str)
async def cleaning(request: pytest.FixtureRequest, tmp_path: Path) -> Cleaning:
    arena = Arena(SimulatedPractice(request.param, data_root=tmp_path / "nodes"), tmp_path, stages=20)
    await arena.back_up_and_lose()
    made = Cleaning(arena)
    assert await arena.restore(steps=restore_steps()[:BEFORE_IT], journal=made.journal) is Outcome.DONE
    return made


async def test_the_export_is_on_disk_before_a_single_cell_changes(
    cleaning: Cleaning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, sealed, and fsynced with its directory, when the first write arrives at the cluster."""
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    at_the_first_write: list[tuple[bool, bool, int]] = []
    before = transactions_of(cleaning.arena)

    def first_write() -> None:
        (path,) = cleaning.exports()
        whole = sum(1 for _ in pre_images(path))
        at_the_first_write.append((str(path) in synced, str(path.parent) in synced, whole))
        assert transactions_of(cleaning.arena) == before

    monkeypatch.setattr(os, "fsync", fsync)
    for point in ("put", "delete", "check_and_set"):
        cleaning.cluster.faults.before(point, first_write)
    assert await cleaning.clean() is Outcome.DONE
    count = cleaning.fact(FINDINGS)["count"]
    assert count
    assert at_the_first_write[0] == (True, True, count)


async def test_the_export_tells_everything_about_the_session_and_the_cells(cleaning: Cleaning) -> None:
    before = transactions_of(cleaning.arena)
    assert await cleaning.clean() is Outcome.DONE
    (path,) = cleaning.exports()
    header = header_of(path)
    assert (header.session, header.cluster, header.keyspace) == ("a-session", "practice", "shop")
    assert (header.after, header.removal) == (cleaning.arena.backup_timestamp, "delete")
    assert header.timestamp_row
    for image in pre_images(path):
        cell = image.found.cell
        version = before[image.table][cell.position]
        assert (version[0], version[3]) == (cell.write_time, cell.value)
    assert cleaning.fact(EXPORT)["path"] == str(path)


async def test_a_disk_that_is_full_changes_nothing(cleaning: Cleaning, monkeypatch: pytest.MonkeyPatch) -> None:
    before = transactions_of(cleaning.arena)

    def full(self: object, count: int, digest: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ExportWriter, "seal", full)
    assert await cleaning.clean() is Outcome.FAILED
    assert "No space left on device" in cleaning.failure().problem
    assert transactions_of(cleaning.arena) == before
    monkeypatch.undo()
    assert await cleaning.clean() is Outcome.DONE
    assert len(cleaning.exports()) == 2, "the unfinished one is left where it is"


async def test_somebody_who_commits_between_plan_and_act_stops_it_before_anything_changes(cleaning: Cleaning) -> None:
    """The second scan must find what the first did: a service is still alive."""
    start = cleaning.arena.exercise.timestamps.last + 1_000
    value = transactions.value_of(3, start, start + 1)

    class Interferes(ScriptedFrontEnd):
        def show(self, event: Event, state: object) -> None:
            if isinstance(event, FactEstablished) and event.name == FINDINGS:
                cleaning.write_everywhere(TRANSACTIONS2, transactions.locate(3, start), value, 2**61)
            self.events.append(event)

    before = transactions_of(cleaning.arena)
    assert await cleaning.clean(Interferes()) is Outcome.FAILED
    assert "not the ones that were planned; nothing was removed" in cleaning.failure().problem
    assert "Make sure nobody is connected" in cleaning.failure().remedy
    after = transactions_of(cleaning.arena)
    del after[TRANSACTIONS2][transactions.locate(3, start)]
    assert after == before


async def test_somebody_who_commits_after_the_removal_is_found_by_the_last_scan(cleaning: Cleaning) -> None:
    start = cleaning.arena.exercise.timestamps.last + 1_000
    value = transactions.value_of(3, start, start + 1)

    class Interferes(ScriptedFrontEnd):
        def show(self, event: Event, state: object) -> None:
            if isinstance(event, Progressed) and event.scope == "remove":
                cleaning.write_everywhere(TRANSACTIONS2, transactions.locate(3, start), value, 2**61)
            self.events.append(event)

    assert await cleaning.clean(Interferes()) is Outcome.FAILED
    failed = cleaning.failure()
    assert "1 transactions committed after" in failed.problem
    assert "still there after the removal" in failed.problem
    assert failed.evidence == (f"start {start}, commit {start + 1}, schema 3",)


class TestOddCells:
    async def test_they_are_asked_for_by_their_number_and_never_touched(self, cleaning: Cleaning) -> None:
        cleaning.write_everywhere(TRANSACTIONS, (b"\x0a\x0a", b"t", -1), b"\x8f\xff", 7)
        unanswered = ScriptedFrontEnd()
        before = transactions_of(cleaning.arena)
        assert await cleaning.clean(unanswered) is Outcome.PARKED
        question = unanswered.questions[-1]
        assert question.name == "odd-cells"
        assert any("key 0x0a0a" in line and "value 0x8fff" in line for line in question.detail)
        assert transactions_of(cleaning.arena) == before
        assert not cleaning.exports()
        answered = ScriptedFrontEnd({**CAREFUL, "odd-cells": question.phrase})
        assert await cleaning.clean(answered) is Outcome.DONE
        position = (b"\x0a\x0a", b"t", -1)
        assert transactions_of(cleaning.arena)[TRANSACTIONS][position] == before[TRANSACTIONS][position]

    async def test_too_few_allowed_removals_remove_nothing(self, cleaning: Cleaning) -> None:
        before = transactions_of(cleaning.arena)
        too_few = ScriptedFrontEnd({"offline": True, "clean-transactions": {"remove_at_most": 1}})
        assert await cleaning.clean(too_few) is Outcome.PARKED
        assert transactions_of(cleaning.arena) == before
        assert not cleaning.exports()


async def test_an_unknown_schema_removes_nothing(cleaning: Cleaning) -> None:
    found = manifest.load(cleaning.arena.settings.backup_dir)
    assert found is not None
    assert found.schema_map is not None
    early = msgspec.structs.replace(found.schema_map, bound=found.schema_map.ranges[-1].lower)
    manifest.save(msgspec.structs.replace(found, schema_map=early), cleaning.arena.settings.backup_dir)
    before = transactions_of(cleaning.arena)
    assert await cleaning.clean() is Outcome.FAILED
    failed = cleaning.failure()
    assert "the schema of" in failed.problem
    assert "is not known" in failed.problem
    assert "Restore `_coordination` from the same backup" in failed.remedy
    assert transactions_of(cleaning.arena) == before
    assert not cleaning.exports()


class Crash(BaseException):
    """The process is gone."""


async def test_killed_after_half_of_it_the_rest_is_removed_and_exported_anew(cleaning: Cleaning) -> None:
    def die() -> None:
        raise Crash

    cleaning.cluster.faults.before("put", die, passes=2)
    with pytest.raises(Crash):
        await cleaning.clean()
    assert await cleaning.clean() is Outcome.DONE
    first, second = cleaning.exports()
    before, rest = ({(i.table, i.key, i.column1) for i in pre_images(path)} for path in (first, second))
    assert rest < before
    assert len(before) - len(rest) >= 2
