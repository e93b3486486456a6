"""The whole procedure on the simulated cluster, judged by the oracle."""

from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.events import Event
from atlasdb_recovery.journal.chain import Record
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome
from tests.restore.arena import Arena, ScriptedFrontEnd


@pytest.mark.parametrize("removal", ["delete", "abort"])
async def test_a_restore_shows_what_was_committed_by_b_and_nothing_later(arena: Arena, removal: str) -> None:
    arena.settings = msgspec.structs.replace(arena.settings, removal=removal)
    front_end = ScriptedFrontEnd()
    outcome = await arena.restore(front_end)
    assert outcome is Outcome.DONE, (front_end.refusals(), front_end.failures())
    verdict = await arena.verdict()
    assert verdict.is_right, verdict.describe()
    assert arena.exercise.writer.truth.straddling(arena.backup_timestamp)
    assert set(arena.exercise.schemas_in_history()) == {1, 2, 3}


async def test_without_the_removal_the_oracle_sees_later_transactions(arena: Arena) -> None:
    steps = [step for step in restore_steps() if step.name != "clean-transactions"]
    assert await arena.restore(steps=steps) is Outcome.DONE
    verdict = await arena.verdict()
    assert not verdict.is_right
    assert any(difference.surplus or difference.other for _, difference in verdict.differences)


async def test_a_finished_restore_asks_nothing_beyond_three_answers(arena: Arena) -> None:
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end) is Outcome.DONE
    assert {question.name for question in front_end.questions} <= {"offline", "store-restored", "clean-transactions"}


class Crash(BaseException):
    """The process is gone."""


class CrashingJournal(MemoryJournal):
    """The process dies right after this many records are written."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    def append(self, event: Event, *, sync: bool = True) -> Record:
        record = super().append(event, sync=sync)
        self._after -= 1
        if self._after == 0:
            raise Crash
        return record


@pytest.mark.parametrize("removal", ["delete", pytest.param("abort", marks=pytest.mark.deep)])
async def test_killed_after_any_journal_record_it_resumes_to_the_same_end(tmp_path: Path, removal: str) -> None:
    killed, after = 0, 0
    while True:
        after += 1
        arena = Arena(SimulatedPractice(data_root=tmp_path / f"{after}" / "nodes"), tmp_path / f"{after}", stages=15)
        arena.settings = msgspec.structs.replace(arena.settings, removal=removal)
        await arena.back_up_and_lose()
        journal = CrashingJournal(after)
        try:
            assert await arena.restore(journal=journal) is Outcome.DONE
            break
        except Crash:
            killed += 1
        front_end = ScriptedFrontEnd()
        outcome = await arena.restore(front_end, journal=journal)
        assert outcome is Outcome.DONE, (after, front_end.refusals(), front_end.failures())
        verdict = await arena.verdict()
        assert verdict.is_right, (after, verdict.describe())
    assert killed > 50
