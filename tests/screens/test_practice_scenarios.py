"""Every scenario practised by keys, from the welcome screen to its debriefing: by one who knows, and by one who goes on
without the remedy, overrules what protects data, types the wrong words, and mends the wrong thing first."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from atlasdb_recovery.cli.wizard import LiveWorkplace
from atlasdb_recovery.practice.scenarios.catalogue import EVERYTHING_FINE, SCENARIOS
from atlasdb_recovery.practice.scenarios.drill import Drill
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Next, Script
from tests.practice.scenarios.played import machines
from tests.screens.removal_feed import UNICODE
from tests.screens.screen_operator import ErringOperator, ScreenOperator
from tui.app import RecoveryApp

GOES_WRONG = [name for name in SCENARIOS if name != EVERYTHING_FINE]
ERRED_IN = [pytest.param(name, marks=[pytest.mark.deep] if at % 4 else []) for at, name in enumerate(SCENARIOS)]
"""Every fourth one in every run of the tests; all of them are played there without screens, right and wrong."""
SMALL, LARGE = (80, 24), (110, 30)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Practice worlds are made in the test's own directory."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@asynccontextmanager
async def paged(
    name: str, directory: Path, size: tuple[int, int], kind: type[ScreenOperator] = ScreenOperator
) -> AsyncIterator[ScreenOperator]:
    """An operator who has read the page of this scenario. Nothing of the practice world is left afterwards."""
    place = LiveWorkplace(None, directory / "recovery.yml", {"state_dir": str(directory / "state")})
    app = RecoveryApp(place, UNICODE)
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        operator = kind(app, pilot)
        await operator.take_on(name)
        yield operator
    assert not list(directory.glob("atlasdb-recovery-practice-*"))


def scenario(name: str, directory: Path) -> Scenario:
    """To look up what belongs to it."""
    return Drill(SCENARIOS[name], machines(directory), directory).scenario


def flattened(text: str) -> str:
    return " ".join(text.split())


def assert_told(debriefing: str, of: Scenario) -> None:
    """What happened, what was built in, when it showed, the rules; the oracle is content."""
    assert f"DEBRIEF: {of.title}" in debriefing
    assert f"What was built in: {flattened(of.built_in)} When it showed:" in debriefing
    assert f"the operator: begins {of.procedure} session" in debriefing
    assert f"every claim is proven: the {of.procedure} is complete" in debriefing
    for rule in of.rules:
        assert flattened(rule) in debriefing
    judged = "restored from this backup: " if of.procedure == "backup" else ""
    assert f"ORACLE: {judged}right: all " in debriefing


@pytest.mark.deep
@pytest.mark.parametrize("name", list(SCENARIOS))
async def test_who_knows_finishes_it(name: str, tmp_path: Path) -> None:
    known = scenario(name, tmp_path)
    async with paged(name, tmp_path, SMALL) as operator:
        await operator.play(known.right)
        debriefing = await operator.debriefing()
        await operator.pilot.press("n")
        await operator.until_shown("Practise")
    assert_told(debriefing, known)
    assert "no help" not in debriefing
    assert "again" not in debriefing[debriefing.index("missed") : debriefing.index("The rule behind it:")]


@pytest.mark.parametrize("name", ERRED_IN)
async def test_who_errs_first_finishes_it_and_is_told_what_was_missed(name: str, tmp_path: Path) -> None:
    known = scenario(name, tmp_path)
    async with paged(name, tmp_path, LARGE, ErringOperator) as operator:
        await operator.play(known.wrong_first)
        debriefing = await operator.debriefing()
    assert_told(debriefing, known)
    missed = debriefing[debriefing.index("What was missed:") :]
    script = known.wrong_first
    acted = {move.key for moves in (script.moves, *script.before.values()) for move in moves if isinstance(move, Act)}
    lessons = [action.lesson for action in known.actions() if action.key in acted and action.lesson]
    assert lessons or "again" in missed
    for lesson in lessons:
        assert flattened(lesson) in missed


async def test_who_gives_up_is_told_what_is_left(tmp_path: Path) -> None:
    known = scenario("keyspace-not-empty", tmp_path)
    async with paged("keyspace-not-empty", tmp_path, SMALL) as operator:
        await operator.play(Script())
        debriefing = await operator.debriefing()
    assert f"What was built in: {flattened(known.built_in)}" in debriefing
    assert "The restore was left incomplete." in debriefing
    assert "ORACLE: nothing to judge: the restore is not complete, and the service must not be started" in debriefing


async def test_a_lock_deleted_under_a_session_stops_it_and_it_goes_on(tmp_path: Path) -> None:
    """The session can't say so itself; practice goes on all the same."""
    name = "interrupted-after-half-the-removals"
    async with paged(name, tmp_path, SMALL) as operator:
        script = Script((Next.RESUME, Next.RESUME), before={"restore-store": (Act("delete-lock"),)})
        await operator.play(script)
        debriefing = await operator.debriefing()
    assert any("not held by this process any more: somebody has removed it" in told for told in operator.seen)
    assert "ORACLE: right" in debriefing
