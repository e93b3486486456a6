"""The program killed by SIGKILL in the middle of a restore of real nodes, and resumed to the same end."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import yaml

from atlasdb_recovery.events import SessionCompleted, SessionResumed
from atlasdb_recovery.journal.chain import Record
from atlasdb_recovery.journal.record import Journal
from tests.real.lost import Lost, proven_right

ENDS_WITHIN = 300.0
REFUSED = 3
AGAIN_AT_MOST = 10


class Place(NamedTuple):
    """As `tests.real.dying` takes it."""

    when: str
    tag: str
    step: str
    nth: int = 1


BEGINNING = [
    Place("before", "step-performed", "preflight"),
    Place("after", "step-intended", "restore-store"),
    Place("after", "write", "restore-store", 4),  # a few of the tables are there
    Place("after", "command-started", "restore-store", 3),  # nodetool goes on alone
    Place("before", "fact-established", "restore-store"),
    Place("after", "repair-judged", "repair", 2),
]
MIDDLE = [
    Place("after", "line-printed", "repair", 2),  # so does this one, and its repair
    Place("after", "plan-made", "clean-transactions"),
]
END = [
    Place("after", "fact-established", "clean-transactions", 2),  # the export is sealed, nothing is removed
    Place("after", "write", "clean-transactions", 5),
    Place("before", "fact-established", "fast-forward"),  # the bound is written, and not on record
    Place("before", "session-completed", ""),
]
MORE = [
    Place("after", "session-started", ""),
    Place("before", "step-verified", "restore-store"),
    Place("before", "step-performed", "clean-transactions"),
]


class Program:
    """`atlasdb-recovery`, as a process of its own."""

    def __init__(self, settings: Path) -> None:
        answers = settings.with_name("answers.yml")
        answers.write_text(yaml.safe_dump({"offline": True, "clean-transactions": {"remove_at_most": 100_000}}))
        self._flags = ["--settings", str(settings), "--plain", "--answers", str(answers)]
        self._command = "restore"

    async def killed_at(self, place: Place) -> None:
        code, output = await self._run("tests.real.dying", *place[:3], str(place.nth))
        assert code == -signal.SIGKILL, (place, code, output)

    async def goes_on(self) -> None:
        code, output = await self._run("atlasdb_recovery.cli.main")
        assert code == 0, output
        assert "Restore complete" in output

    async def _run(self, module: str, *place: str) -> tuple[int, str]:
        """An operator who is refused because an orphaned nodetool is still at work tries again."""
        for _ in range(AGAIN_AT_MOST):
            code, output = await self._once(module, *place)
            self._command = "resume"
            if code != REFUSED or "NothingRunning" not in output:
                break
        return code, output

    async def _once(self, module: str, *place: str) -> tuple[int, str]:
        arguments = [sys.executable, "-m", module, *place, self._command, *self._flags]
        child = await asyncio.create_subprocess_exec(
            *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            output, _ = await asyncio.wait_for(child.communicate(), ENDS_WITHIN)
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        assert child.returncode is not None
        return child.returncode, output.decode()


async def killed_and_resumed(lost_keyspace: Lost, directory: Path, places: Sequence[Place]) -> None:
    program = Program(lost_keyspace.settings(directory))
    try:
        for place in places:
            await program.killed_at(place)
        await program.goes_on()
    except AssertionError:
        async with lost_keyspace.arena(directory):
            pass  # the keyspace is lost again for the next test
        raise
    records = journal_in(directory / "state")
    resumed = [record.event for record in records if isinstance(record.event, SessionResumed)]
    assert len([event for event in resumed if event.lock_taken_from]) >= len(places)
    assert isinstance(records[-1].event, SessionCompleted)
    assert not list(directory.rglob("*.lock")), "the locks of the dead were taken over, and are released"
    await until_gone(str(lost_keyspace.real.directory / "nodetool"))
    async with lost_keyspace.arena(directory) as arena:
        await proven_right(arena)


def journal_in(state: Path) -> list[Record]:
    """The one session's journal, its chain checked from end to end."""
    [directory] = (state / "sessions").iterdir()
    journal = Journal.open(state, directory.name)
    try:
        return list(journal.records())
    finally:
        journal.close()


async def until_gone(command: str) -> None:
    """An orphaned nodetool ends by itself."""
    deadline = time.monotonic() + ENDS_WITHIN
    while any(
        command in process.info["cmdline"] for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"]
    ):
        assert time.monotonic() < deadline, f"{command} was left behind"
        await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("lost_keyspace", "places"),
    [
        pytest.param("lost_2_2", BEGINNING, id="beginning", marks=pytest.mark.deep),
        pytest.param("lost_2_2", MIDDLE, id="middle"),
        pytest.param("lost_2_2", END, id="end", marks=pytest.mark.deep),
        pytest.param("lost_2_2", MORE, id="more", marks=pytest.mark.deep),
    ],
    indirect=["lost_keyspace"],
)
async def test_on_the_fork_it_resumes_to_the_same_end(
    lost_keyspace: Lost, tmp_path: Path, places: Sequence[Place]
) -> None:
    await killed_and_resumed(lost_keyspace, tmp_path, places)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("lost_keyspace", "place"),
    [("lost_5_0", place) for place in (*BEGINNING, *MIDDLE, *END, *MORE)],
    indirect=["lost_keyspace"],
)
async def test_on_5_0_it_resumes_to_the_same_end(lost_keyspace: Lost, tmp_path: Path, place: Place) -> None:
    await killed_and_resumed(lost_keyspace, tmp_path, [place])
