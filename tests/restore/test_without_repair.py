"""Without the repair, and without reads at ALL that would mend as well, a later commit comes back."""

from pathlib import Path

import pytest

from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome
from tests.restore.arena import Arena, ScriptedFrontEnd


@pytest.fixture
async def arena(simulated: SimulatedPractice, tmp_path: Path) -> Arena:
    """The last node's snapshot holds commits that the others' do not."""
    made = Arena(simulated, tmp_path)
    await made.back_up_between_snapshots_and_lose()
    return made


async def test_without_it_a_commit_that_one_replica_has_comes_back(arena: Arena) -> None:
    arena.see_through(arena.nodes.addresses[:-1])
    steps = [step for step in restore_steps() if step.name not in {"repair", "prove"}]
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end, steps=steps) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    verdict = await arena.verdict()
    assert not verdict.is_right
    truth, backup = arena.exercise.writer.truth, arena.backup_timestamp
    later = {address for t in truth.committed_after(backup) for address in t.writes}
    in_doubt = {a for t in truth.transactions if t.start in truth.in_doubt_at(backup) for a in t.writes}
    differences = [difference for _, difference in verdict.differences]
    assert any(difference.surplus for difference in differences), "a commit after B has come back"
    assert all({*difference.surplus, *difference.other} <= later | in_doubt for difference in differences)
    assert all({*difference.missing} <= in_doubt for difference in differences), "some quorums see a commit by B"


async def test_with_the_repair_the_same_removal_is_right_on_5_0(tmp_path: Path) -> None:
    """The fork's Merkle trees overlook differences: there the removal's reads at ALL are needed as well."""
    arena = Arena(SimulatedPractice(Dialect.APACHE, data_root=tmp_path / "nodes"), tmp_path)
    await arena.back_up_between_snapshots_and_lose()
    arena.see_through(arena.nodes.addresses[:-1])
    await is_right(arena)


async def test_with_the_repair_and_reads_at_all_it_is_right_on_both(arena: Arena) -> None:
    await is_right(arena)


async def is_right(arena: Arena) -> None:
    front_end = ScriptedFrontEnd()
    assert await arena.restore(front_end) is Outcome.DONE, (front_end.refusals(), front_end.failures())
    verdict = await arena.verdict()
    assert verdict.is_right, verdict.describe()
