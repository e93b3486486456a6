"""Rows of the real AtlasDB in the practice service's keyspace: judged by the oracle and by AtlasDB's own word."""

from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.runner import Outcome
from tests.restore.arena import Arena, ScriptedFrontEnd
from tests.restore.real_rows import BACKUPS, ExerciseOnRealRows, contradictions, schema_map, verdicts


@pytest.fixture
async def arena(simulated: SimulatedPractice, tmp_path: Path) -> Arena:
    made = Arena(simulated, tmp_path, exercise=ExerciseOnRealRows)
    await made.back_up_and_lose()
    return made


@pytest.mark.parametrize("removal", ["delete", "abort"])
@pytest.mark.parametrize("backup", [None, *BACKUPS])
async def test_rows_of_the_real_atlasdb_read_as_it_said(arena: Arena, removal: str, backup: int | None) -> None:
    arena.settings = msgspec.structs.replace(arena.settings, removal=removal)
    if backup is not None:
        arena.restore_to(backup)
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    verdict = await arena.verdict()
    assert verdict.is_right, verdict.describe()
    assert await contradictions(arena.nodes.cluster, arena.exercise.keyspace, arena.backup_timestamp) == []


async def test_before_the_removal_atlasdb_s_word_is_contradicted(arena: Arena) -> None:
    """The judgement above can fail."""
    front_end = ScriptedFrontEnd({"offline": True})
    assert await arena.restore(front_end) is Outcome.PARKED
    assert await contradictions(arena.nodes.cluster, arena.exercise.keyspace, arena.backup_timestamp) == []
    for backup in BACKUPS:
        found = await contradictions(arena.nodes.cluster, arena.exercise.keyspace, backup)
        assert {start for _, start, _, _ in found} == {s for s, commit in verdicts() if commit and commit > backup}


def test_its_transactions_are_of_all_three_schemas() -> None:
    known = schema_map()
    assert {known.schema_at(start) for start, _ in verdicts()} == {1, 2, 3}
    assert {known.schema_at(backup) for backup in BACKUPS} == {1, 2, 3}
