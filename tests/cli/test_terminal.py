"""Questions at a real pseudo-terminal: the phrase, other words, the keys that end it, and signals."""

import re
import signal
from pathlib import Path

import pytest

from atlasdb_recovery.events import AnswerGiven, SessionParked
from atlasdb_recovery.journal.reader import JournalReader
from tests.cli.terminal import CTRL_C, CTRL_D, Terminal, program

OFFLINE = "Type yes, or how it was done\n> "
PHRASE = re.compile(r"Type exactly:  (.+)\n> $")


def phrase(terminal: Terminal) -> str:
    """The phrase that is asked for."""
    terminal.until("Type exactly:  ")
    return terminal.until("\n> ").removesuffix("\n> ")


def journal_of(directory: Path) -> JournalReader:
    (path,) = directory.glob("state/sessions/*/journal.jsonl")
    return JournalReader(path)


def answers_in(directory: Path) -> list[tuple[str, object, str]]:
    events = [record.event for record in journal_of(directory)]
    return [(e.name, e.answer, e.by) for e in events if isinstance(e, AnswerGiven)]


def test_the_typed_phrase_removes_and_another_does_not(tmp_path: Path) -> None:
    with program(tmp_path, "restore") as terminal:
        before = terminal.until(OFFLINE)
        assert "QUESTION offline: Is every instance of the service on keyspace shop stopped" in before
        terminal.type("yes, all four are down\n")
        wanted = phrase(terminal)
        assert re.fullmatch(r"remove \d+ from shop on practice", wanted)
        for wrong in (wanted.upper(), wanted + " ", wanted[:-1], "yes", ""):
            terminal.type(wrong + "\n")
            terminal.until("That is not it; nothing was done.")
            assert not list(tmp_path.glob("exports/*"))
        terminal.type(wanted + "\n")
        told = terminal.until("[exit 0]")
        assert "Restore complete: keyspace shop" in told
        terminal.until("[oracle: right]")
        assert terminal.ended() == 0
    assert answers_in(tmp_path) == [
        ("offline", "yes, all four are down", "terminal"),
        ("clean-transactions", wanted, "terminal"),
    ]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (CTRL_C, "parked: interrupted"),
        (CTRL_D, "was not answered: end of input"),
        ("no\n", "the answer to “offline” was no yes: no"),
        ("no, two pods still run\n", "was no yes: no, two pods still run"),
        ("it is not stopped\n", "was no yes: it is not stopped"),
    ],
    ids=["ctrl-c", "ctrl-d", "no", "no-and-why", "not"],
)
def test_it_parks_at_a_question_and_goes_on_from_there(tmp_path: Path, typed: str, why: str) -> None:
    with program(tmp_path, "restore", "then", "resume") as terminal:
        terminal.until(OFFLINE)
        terminal.type(typed)
        told = terminal.until("[exit 5]")
        assert why in told
        assert f"go on with: atlasdb-recovery resume {next(tmp_path.glob('state/sessions/*')).name} --settings " in told
        assert "Traceback" not in told
        terminal.until(OFFLINE)
        terminal.type("yes\n")
        terminal.type(phrase(terminal) + "\n")
        terminal.until("[exit 0]")
        terminal.until("[oracle: right]")
        assert terminal.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_at_the_phrase_parks_with_nothing_removed(tmp_path: Path, number: signal.Signals) -> None:
    with program(tmp_path, "restore") as terminal:
        terminal.until(OFFLINE)
        terminal.type("yes\n")
        phrase(terminal)
        terminal.process.send_signal(number)
        told = terminal.until("[exit 5]")
        assert "unproven: clean-transactions, fast-forward, prove" in told
        assert terminal.ended() == 0
    assert not list(tmp_path.glob("exports/*"))


def test_a_closed_terminal_parks(tmp_path: Path) -> None:
    with program(tmp_path, "restore") as terminal:
        terminal.until(OFFLINE)
        terminal.close()
        terminal.process.wait(60)
    assert (tmp_path / "exit").read_text() == "5"
    events = [record.event for record in journal_of(tmp_path)]
    assert isinstance(events[-1], SessionParked)
    assert list(tmp_path.glob("state/sessions/*/report.html"))


def test_under_nohup_a_hang_up_means_nothing(tmp_path: Path) -> None:
    with program(tmp_path, "restore", ignored=[signal.SIGHUP]) as terminal:
        terminal.until(OFFLINE)
        terminal.process.send_signal(signal.SIGHUP)
        terminal.type("yes\n")
        terminal.type(phrase(terminal) + "\n")
        terminal.until("[exit 0]")
        assert terminal.ended() == 0


def test_a_refusal_can_be_looked_at_again(tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    with program(tmp_path, "restore") as terminal:
        terminal.until(OFFLINE)
        files = tmp_path / "backup" / "fast-forward.timestamp"
        sound = files.read_text()
        files.write_text("two\nlines\n")
        terminal.type("yes\n")
        refused = terminal.until("Type r to check again, anything else to stop\n> ")
        assert "fast-forward.timestamp: line 2: there is a second line" in refused
        files.write_text(sound)
        terminal.type("r\n")
        terminal.until("Type exactly:  ")
        terminal.type(CTRL_D)
        terminal.until("[exit 5]")
        assert terminal.ended() == 0


@pytest.mark.parametrize(
    "environment",
    [{"TERM": "dumb"}, {"TERM": "xterm-256color"}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}],
    ids=["dumb", "colours", "ascii", "C"],
)
def test_no_terminal_is_too_dumb(tmp_path: Path, environment: dict[str, str]) -> None:
    answers = tmp_path / "given.yml"
    answers.write_text("offline: true\nclean-transactions: {remove_at_most: 1000}\n")
    with program(tmp_path, "restore", "--answers", str(answers), environment=environment) as terminal:
        told = terminal.until("[exit 0]")
        assert terminal.ended() == 0
    assert not {character for character in told if not character.isprintable()} - {"\n"}
