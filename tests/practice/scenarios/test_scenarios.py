"""Every scenario finished by one who knows, and by one who does the wrong thing first."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from atlasdb_recovery.events import ActedInPractice, SessionParked, StepFailed
from atlasdb_recovery.journal.record import Record
from atlasdb_recovery.practice.scenarios.catalogue import EVERYTHING_FINE, SCENARIOS
from atlasdb_recovery.practice.scenarios.drill import Drill
from atlasdb_recovery.practice.scenarios.noticing import refusal
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.step import Danger
from tests.practice.scenarios.played import machines, paged, played

GOES_WRONG = [name for name in SCENARIOS if name != EVERYTHING_FINE]
"""By each operator on the one server; on the other only in the long run."""
RIGHT_ON = [
    pytest.param(name, dialect, marks=[] if dialect is Dialect.APACHE else [pytest.mark.deep])
    for name in SCENARIOS
    for dialect in Dialect
]
WRONG_ON = [
    pytest.param(name, dialect, marks=[] if dialect is Dialect.PALANTIR else [pytest.mark.deep])
    for name in SCENARIOS
    for dialect in Dialect
]


@pytest.mark.parametrize(("name", "dialect"), RIGHT_ON)
async def test_who_knows_finishes_it_and_the_oracle_is_content(name: str, dialect: Dialect, tmp_path: Path) -> None:
    async with paged(name, machines(tmp_path, dialect), tmp_path) as drill:
        outcome, debrief = await played(drill, drill.scenario.right)
        assert (outcome, debrief.is_right) == (Outcome.DONE, True), debrief.judged
        assert debrief.met
        assert bool(troubles(drill.records())) == (name in GOES_WRONG)
        assert not any("no help" in missed or "again" in missed for missed in debrief.missed)


@pytest.mark.parametrize(("name", "dialect"), WRONG_ON)
async def test_who_does_the_wrong_thing_first_finishes_it_too(name: str, dialect: Dialect, tmp_path: Path) -> None:
    async with paged(name, machines(tmp_path, dialect), tmp_path) as drill:
        outcome, debrief = await played(drill, drill.scenario.wrong_first)
        assert (outcome, debrief.is_right) == (Outcome.DONE, True), debrief.judged
        assert debrief.met
        assert debrief.missed
        lessons = {action.key: action.lesson for action in drill.actions if action.lesson}
        acted = [record.event for record in drill.records() if isinstance(record.event, ActedInPractice)]
        for event in acted:
            if event.key in lessons:
                assert any(lessons[event.key] in missed for missed in debrief.missed)


def troubles(records: Sequence[Record]) -> list[object]:
    """What stopped the operator: refusals, failures, and being interrupted."""
    events = [record.event for record in records]
    return [e for e in events if refusal(e) is not None or isinstance(e, StepFailed | SessionParked)]


@pytest.mark.parametrize("name", GOES_WRONG)
def test_the_briefing_gives_nothing_away(name: str) -> None:
    scenario = SCENARIOS[name]
    assert scenario.situation
    assert scenario.built_in not in scenario.situation
    assert scenario.rules


def test_they_are_in_the_order_in_which_to_learn_them() -> None:
    assert list(SCENARIOS)[0] == EVERYTHING_FINE
    assert len({scenario.title for scenario in SCENARIOS.values()}) == len(SCENARIOS) >= 13


async def test_an_operator_who_leaves_is_told_what_is_left(tmp_path: Path) -> None:
    async with paged("keyspace-not-empty", machines(tmp_path), tmp_path) as drill:
        outcome, debrief = await played(drill, type(drill.scenario.right)())
        assert outcome is Outcome.REFUSED
        assert debrief.is_right is None
        assert "The restore was left incomplete." in debrief.missed


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_actions_say_what_they_stand_for_and_wrong_ones_are_among_them(name: str, tmp_path: Path) -> None:
    actions = Drill(SCENARIOS[name], machines(tmp_path), tmp_path).actions
    assert len({action.key for action in actions}) == len(actions)
    assert all(action.stands_for.endswith(".") for action in actions)
    dangers = [action.danger for action in actions]
    assert dangers == sorted(dangers, key=list(Danger).index)
    for danger in Danger:
        names = [action.name for action in actions if action.danger is danger]
        assert names == sorted(names)
    assert any(action.lesson for action in actions)
    assert any(not action.lesson for action in actions)


async def test_why_a_backup_could_not_be_restored_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_not_lost() -> None:
        """The keyspace stays where it is: no restore may begin."""

    async with paged("timelock-lock-lost-in-the-backup", machines(tmp_path), tmp_path) as drill:
        monkeypatch.setattr(drill.world.exercise, "lose_keyspace", is_not_lost)
        outcome, debrief = await played(drill, drill.scenario.right)
    assert (outcome, debrief.is_right) == (Outcome.DONE, None)
    assert "the restore from it did not end" in debrief.judged
    assert "may not begin: KeyspaceEmpty" in debrief.judged
