"""`practice --scenario`: played without a terminal, and by somebody at one."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from atlasdb_recovery.cli.main import main as recovery_main
from atlasdb_recovery.practice.scenarios.catalogue import SCENARIOS
from tests.cli.rehearsal import Ended, ended

PATIENCE = 120.0


def practised(*arguments: str) -> Ended:
    return ended(recovery_main, ["practice", *arguments])


def test_the_list_names_every_scenario_and_which_are_simulated_only() -> None:
    lines = practised("--list").out.splitlines()
    assert [line.split()[0] for line in lines] == list(SCENARIOS)
    marked = {line.split()[0] for line in lines if "simulated only" in line}
    assert marked == {name for name, scenario in SCENARIOS.items() if scenario.not_real}


def test_without_a_terminal_a_scripted_operator_plays_it_from_briefing_to_debrief() -> None:
    code, out, _ = practised("--scenario", "timestamp-files-swapped")
    assert code == 0
    told = [
        out.index(part) for part in ("BRIEFING:", "practice world: swap", "Restore complete", "DEBRIEF:", "ORACLE:")
    ]
    assert told == sorted(told)
    assert "no help" not in out


def test_a_backup_is_practised_too_and_judged_by_restoring_it() -> None:
    code, out, _ = practised("--scenario", "timelock-leader-dies-in-the-fetch")
    assert code == 0
    parts = (
        "BRIEFING: 14:05",
        "leads now, instead of",
        "REFUSED by ImmutableTimestampLocked",
        "practice world: set the unfinished backup aside",
        "Backup complete",
        "DEBRIEF:",
        "ORACLE: restored from this backup: right",
    )
    told = [out.index(part) for part in parts]
    assert told == sorted(told)
    assert "Restore complete" not in out


def test_who_does_the_wrong_thing_first_can_be_watched() -> None:
    code, out, _ = practised("--scenario", "timestamp-files-swapped", "--wrong-first")
    assert code == 0
    assert "practice world: write a number above B" in out
    assert "was no help" in out[out.index("What was missed:") :]


def test_what_was_done_in_the_practice_world_stands_in_the_report(tmp_path: Path) -> None:
    assert practised("--scenario", "timestamp-files-swapped", "--directory", str(tmp_path)).code == 0
    (report,) = tmp_path.glob("state/sessions/*restore*/report.md")
    assert "In the practice world: swap the two timestamp files" in report.read_text()


def test_plain_practice_has_neither_briefing_nor_debrief() -> None:
    code, out, _ = practised()
    assert code == 0
    assert "ORACLE: right" in out
    assert "BRIEFING" not in out
    assert "DEBRIEF" not in out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--scenario", "schema-2-and-3", "--real"), "cannot be run with --real"),
        (("--real", "--speed", "10x"), "leave out --speed"),
        (("--scenario", "a-better-day"), "is not one of"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_begun(arguments: tuple[str, ...], why: str) -> None:
    code, out, err = practised(*arguments)
    assert (code, out) == (2, "")
    assert why in err


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process = process
        self._screen = screen
        self.shown = ""
        self._read = 0

    def until(self, words: str) -> str:
        """Everything that has been shown up to these words, since the last time."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.shown[self._read :]:
            assert time.monotonic() < deadline, self.shown[-3000:]
            if select.select([self._screen], [], [], 1.0)[0]:
                try:
                    content = os.read(self._screen, 65_536)
                except OSError:
                    content = b""
                assert content, f"it ended without saying {words!r}: {self.shown[-3000:]}"
                self.shown += content.decode()
        end = self.shown.index(words, self._read) + len(words)
        part, self._read = self.shown[self._read : end], end
        return part

    def types(self, line: str) -> None:
        os.write(self._screen, f"{line}\n".encode())


@contextmanager
def at_a_terminal(*arguments: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "atlasdb_recovery.cli.main", *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def number_of(menu: str, action: str) -> str:
    line = next(line for line in menu.splitlines() if action in line)
    return line.split()[1]


def type_the_phrase(terminal: Terminal) -> None:
    terminal.until("Type exactly:  ")
    terminal.types(terminal.until("\r\n> ").split("\r\n")[0])


def test_at_a_terminal_the_operator_acts_in_the_practice_world() -> None:
    with at_a_terminal("practice", "--scenario", "keyspace-not-empty") as terminal:
        terminal.until("BRIEFING:")
        terminal.until("anything else to stop\r\n> ")
        terminal.types("w")
        menu = terminal.until("nothing to go back\r\n> ")
        terminal.types(number_of(menu, "drop keyspace shop"))
        terminal.until("This destroys: drop keyspace shop. Type yes to do it, anything else to leave it\r\n> ")
        terminal.types("yes")
        assert "practice world: drop keyspace shop" in terminal.until("anything else to stop\r\n> ")
        terminal.types("r")
        terminal.until("or how it was done\r\n> ")
        terminal.types("yes")
        type_the_phrase(terminal)
        terminal.until("Restore complete")
        debrief = terminal.until("ORACLE: right")
        assert "shop was dropped without a look at what was in it" in debrief
        assert terminal.process.wait(PATIENCE) == 0


def test_at_a_terminal_a_session_that_broke_off_is_resumed() -> None:
    with at_a_terminal("practice", "--scenario", "interrupted-after-half-the-removals") as terminal:
        terminal.until("or how it was done\r\n> ")
        terminal.types("yes")
        type_the_phrase(terminal)
        terminal.until("anything else to leave\r\n> ")
        terminal.types("resume")
        type_the_phrase(terminal)
        terminal.until("ORACLE: right")
        assert terminal.process.wait(PATIENCE) == 0


def test_leaving_ends_with_the_exit_code_of_the_refusal() -> None:
    with at_a_terminal("practice", "--scenario", "keyspace-not-empty") as terminal:
        terminal.until("anything else to stop\r\n> ")
        terminal.types("")
        terminal.until("anything else to leave\r\n> ")
        terminal.types("")
        terminal.until("nothing to judge")
        assert terminal.process.wait(PATIENCE) == 3
