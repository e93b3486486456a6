"""The simulated cluster elsewhere, and the wizard in a terminal before it."""

import pickle
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.elsewhere import SOCKET
from tests.e2e.terminal import ASKED_EVERY, PATIENCE, Terminal, environment


class Place(NamedTuple):
    """A directory with `recovery.yml`, and the cluster it names.

    `timestamps`: the address of the running service's own endpoint, where there is one.
    """

    directory: Path
    timestamps: str = ""

    def wizard(self, *arguments: str, width: int = 80, height: int = 24, **more: str) -> Terminal:
        command = [sys.executable, "-m", "tests.e2e.program", str(self.directory), *arguments]
        return Terminal(command, width=width, height=height, environment=environment(self.directory, **more))

    def settings(self) -> tuple[str, str]:
        return ("--settings", str(self.directory / "recovery.yml"))

    def asked(self, name: str, method: str, *arguments: Any) -> Any:
        """One call to the cluster elsewhere."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.directory / SOCKET))
            connection.sendall(pickle.dumps((name, method, arguments, {})))
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answers:
                succeeded, result = pickle.loads(answers.read())
        assert succeeded, result
        return result

    def caught_at_work(self) -> None:
        """Once the gate has closed: the program waits for an answer of its cluster."""
        deadline = time.monotonic() + PATIENCE
        while not self.asked("gate", "is_closed"):
            assert time.monotonic() < deadline, "the step did not come to its request"
            time.sleep(ASKED_EVERY)

    def lose(self) -> None:
        """The service is killed, the keyspace is gone."""
        self.asked("exercise", "kill_service")
        self.asked("exercise", "lose_keyspace")

    def verdict(self) -> str:
        """ "right", or what the oracle finds."""
        verdict = self.asked("arena", "verdict")
        return "right" if verdict.is_right else str(verdict.describe())


@pytest.fixture
def place_of(tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Starts a cluster: `place_of("5.0")` with the keyspace lost, `place_of("5.0", "alive")` with a running service."""
    assert shutil.which("tmux"), "these tests drive a real terminal: install tmux"
    started: list[subprocess.Popen[str]] = []

    def start(dialect: str = "5.0", state: str = "lost") -> Place:
        directory = tmp_path / f"place{len(started)}"
        directory.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.elsewhere", str(directory), dialect, state],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        ready, _, timestamps = process.stdout.readline().strip().partition(" ")
        assert ready == "READY"
        return Place(directory, timestamps)

    yield start
    for process in started:
        process.kill()
        process.wait()
