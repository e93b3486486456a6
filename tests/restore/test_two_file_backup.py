"""Backups that have only AtlasDB's two one-line files; and an F above the bound that was restored."""

from pathlib import Path

import pytest

from atlasdb_recovery.atlas import manifest, timestamp_file
from atlasdb_recovery.events import Event, FactEstablished, StepIntended
from atlasdb_recovery.journal.chain import Record
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.facts import FAST_FORWARDED
from atlasdb_recovery.procedure.runner import Outcome
from tests.restore.arena import Arena, ScriptedFrontEnd

FAR = 50_000_000


@pytest.fixture
async def two_files(simulated: SimulatedPractice, tmp_path: Path) -> Arena:
    """A backup without a manifest, whose F lies above the stored bound."""
    arena = Arena(simulated, tmp_path)
    await arena.back_up_and_lose()
    (arena.settings.backup_dir / manifest.MANIFEST_NAME).unlink()
    timestamp_file.write(arena.settings.backup_dir / "fast-forward.timestamp", FAR)
    return arena


async def test_a_backup_of_two_files_is_restored(two_files: Arena) -> None:
    front_end = ScriptedFrontEnd()
    assert await two_files.restore(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    assert (await two_files.exercise.timestamps.bound() or 0) >= FAR
    verdict = await two_files.verdict()
    assert verdict.is_right, verdict.describe()


async def test_killed_between_the_fast_forward_and_its_record_it_resumes(two_files: Arena) -> None:
    journal = JournalKilledBefore(FAST_FORWARDED)
    with pytest.raises(Crash):
        await two_files.restore(journal=journal)
    assert any(isinstance(r.event, StepIntended) and r.event.step == "fast-forward" for r in journal.records())
    front_end = ScriptedFrontEnd()
    assert await two_files.restore(front_end, journal=journal) is Outcome.DONE, front_end.refusals()
    assert (await two_files.verdict()).is_right


async def test_a_bound_written_by_another_hand_stops_the_restore(two_files: Arena) -> None:
    journal = JournalKilledBefore(FAST_FORWARDED)
    with pytest.raises(Crash):
        await two_files.restore(journal=journal)
    simulated = two_files.nodes
    assert isinstance(simulated, SimulatedPractice)
    simulated.simulated.raise_bound(two_files.exercise.keyspace)
    front_end = ScriptedFrontEnd()
    assert await two_files.restore(front_end, journal=journal) is Outcome.REFUSED
    assert set(front_end.refusals()) == {"TimestampRowUnchanged"}


class Crash(BaseException):
    """The process is gone."""


class JournalKilledBefore(MemoryJournal):
    """The process dies, once, before this fact is recorded."""

    def __init__(self, fact: str) -> None:
        super().__init__()
        self._fact = fact

    def append(self, event: Event, *, sync: bool = True) -> Record:
        if isinstance(event, FactEstablished) and event.name == self._fact:
            self._fact = ""
            raise Crash
        return super().append(event, sync=sync)
