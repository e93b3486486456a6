"""A program at a real pseudo-terminal: what it prints is waited for, what is typed goes through the line discipline."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

PATIENCE = 120.0
CTRL_C, CTRL_D = "\x03", "\x04"


class Terminal:
    """The program is the session's leader there, so that closing the terminal hangs it up."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, *, ignored: Sequence[int] = ()
    ) -> None:
        self._master, slave = pty.openpty()
        self.said = ""

        def at_the_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)

        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=at_the_terminal,  # noqa: PLW1509 -- no threads have been started here
            env={**os.environ, "TERM": "dumb", "COLUMNS": "1000", **(environment or {})},
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def until(self, text: str) -> str:
        """What was printed up to and with this text, from where the last call ended."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.said:
            is_there = self._read(deadline - time.monotonic())
            assert time.monotonic() < deadline, f"waited for {text!r}; it said:\n{self.said[-3000:]}"
            assert is_there, f"it ended before it said {text!r}; it said:\n{self.said[-3000:]}"
        before, _, self.said = self.said.partition(text)
        return before + text

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def ended(self) -> int:
        """The exit code, once it has ended."""
        while self._read(PATIENCE):
            pass
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """The terminal's window is closed."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], max(0.0, seconds))[0]:
            return False
        try:
            content = os.read(self._master, 65_536)
        except OSError:  # EIO: nobody has the other end open any more
            return False
        self.said += content.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(content)


def program(directory: object, *words: str, **options: object) -> Terminal:
    """`tests.cli.program` at a terminal."""
    command = [sys.executable, "-m", "tests.cli.program", str(directory), *words]
    return Terminal(command, **options)  # type: ignore[arg-type]
