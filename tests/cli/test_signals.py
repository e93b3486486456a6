"""A signal in the middle of the work parks the session, wherever it strikes; before anything was begun it ends it."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from atlasdb_recovery.events import SessionParked
from tests.cli.rehearsal import PASSWORD, Rehearsal

PROGRAMS = Path(__file__).parents[2] / ".venv" / "bin"
PLACES = (
    ("change_schema", signal.SIGTERM),
    ("import", signal.SIGHUP),
    ("repair.range", signal.SIGINT),
    ("scan", signal.SIGTERM),
    ("read", signal.SIGHUP),
    ("put", signal.SIGINT),
)


def killing(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


@pytest.mark.parametrize(("place", "number"), PLACES, ids=[place for place, _ in PLACES])
def test_it_parks_and_goes_on_to_the_same_end(lost: Rehearsal, place: str, number: signal.Signals) -> None:
    lost.simulated.faults.before(place, killing(number))
    ended = lost.unattended("restore")
    assert ended.code == 5, ended
    assert "parked: interrupted" in ended.out
    (session,) = lost.sessions()
    assert f"go on with: atlasdb-recovery resume {session} --settings {lost.settings}" in ended.out
    events = [record.event for record in lost.journal(session)]
    assert isinstance(events[-1], SessionParked)
    again = lost.unattended("resume")
    assert again.code == 0, again
    assert lost.oracle_says() == "right"


def test_the_handlers_that_were_there_are_there_again(lost: Rehearsal) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    lost.recovery("doctor")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Path]:
    """Settings that lead to a port that takes connections and never answers."""
    settings = tmp_path / "recovery.yml"
    store = {
        "type": "cassandra",
        "servers": ["127.0.0.1:9160"],
        "replicationFactor": 1,
        "credentials": {"username": "atlas", "password": PASSWORD},
    }
    (tmp_path / "install.yml").write_text(yaml.safe_dump({"atlasdb": {"namespace": "shop", "keyValueService": store}}))
    with socket.create_server(("127.0.0.1", 0)) as hole:
        cql = {"port": hole.getsockname()[1], "connect_timeout": 600}
        settings.write_text(
            yaml.safe_dump({"config": "install.yml", "backup_dir": "backup", "state_dir": "state", "cql": cql})
        )
        yield settings


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda n: n.name)
@pytest.mark.parametrize("command", ["restore", "backup"])
def test_before_anything_was_begun_it_ends_with_0_and_leaves_nothing(
    silent: Path, command: str, number: signal.Signals
) -> None:
    before = sorted(silent.parent.rglob("*"))
    with subprocess.Popen(
        [PROGRAMS / "atlasdb-recovery", command, "--settings", silent, "--plain"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "connecting to 127.0.0.1" in process.stdout.readline()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said == "interrupted before anything was begun; nothing was changed\n"
    assert sorted(silent.parent.rglob("*")) == before


@pytest.mark.parametrize(
    "line",
    [
        ["atlasdb-recovery", "doctor", "--settings", "recovery.yml"],
        ["atlasdb", "--offline", "-c", "install.yml", "timestamp", "-t", "10", "clean-transactions"],
    ],
    ids=["doctor", "clean-transactions"],
)
def test_what_a_script_would_take_for_a_verdict_is_never_0(silent: Path, line: list[str]) -> None:
    """Whoever runs the next line only after a 0 must not run it after an interruption."""
    with subprocess.Popen(
        [PROGRAMS / line[0], *line[1:]],
        cwd=silent.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        _wait_until_it_heeds(process.pid)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 5, said
    assert "nothing was changed" in said


STRUCK = """
import os, signal
class Struck:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGTERM)
class MadeMeanwhile:
    attribute = Struck()
"""


def test_a_signal_while_a_class_is_made_is_no_defect(tmp_path: Path) -> None:
    """Python 3.11 makes another error of what is raised there."""
    (tmp_path / "loaded.py").write_text(STRUCK)
    program = "from atlasdb_recovery.cli.entry import _enter; _enter('loaded', 5)"
    ended = subprocess.run(
        [PROGRAMS / "python", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 5, ended
    assert ended.stderr == "interrupted before anything was begun; nothing was changed\n"


def _wait_until_it_heeds(process: int) -> None:
    """It heeds SIGTERM before it loads anything heavy."""
    caught = 0
    while not caught >> (signal.SIGTERM - 1) & 1:
        status = Path(f"/proc/{process}/status").read_text()
        (mask,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
        caught = int(mask, 16)


def test_a_reader_that_goes_away_parks_the_session(tmp_path: Path) -> None:
    answers = tmp_path / "given.yml"
    answers.write_text("offline: true\nclean-transactions: {remove_at_most: 1000}\n")
    words = ("-m", "tests.cli.program", str(tmp_path), "restore", "--answers", str(answers))
    command = [str(PROGRAMS / "python"), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert (tmp_path / "exit").read_text() == "5"
