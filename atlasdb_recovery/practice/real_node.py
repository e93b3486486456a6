"""One real practice node: a Java process, child of this one."""

import asyncio
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from atlasdb_recovery.foreign import plain
from atlasdb_recovery.practice.real_addresses import NATIVE_PORT, listens
from atlasdb_recovery.practice.real_configuration import NodePlan, daemon_command
from atlasdb_recovery.practice.unavailable import RealPracticeUnavailable

UP_WITHIN = 180.0
STOPS_WITHIN = 20.0
LOG_TAIL = 25
PR_SET_PDEATHSIG = 1
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None)


class ClusterDidNotStart(RealPracticeUnavailable):
    """A node did not come up, or the nodes do not see each other. Holds the end of its log."""


class RealNode:
    """Started in a process group of its own, ended by its process id, and by the kernel if this process dies.

    The kernel looks at the thread that starts it: start nodes from a thread that lives as long as they shall.
    """

    def __init__(self, plan: NodePlan, java: str, jars: Path) -> None:
        self.plan = plan
        self._command = daemon_command(plan, java, jars)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int | None:
        """None if it is stopped."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Returns at once; see `until_listening`."""
        if self._process is not None:
            raise ValueError(f"node {self.plan.address} is already running")
        with (self.plan.directory / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_dies_with(os.getpid()),  # noqa: PLW1509 — two system calls, no locks
            )

    async def until_listening(self) -> None:
        """Until it takes CQL connections. Raises ClusterDidNotStart."""
        deadline = time.monotonic() + UP_WITHIN
        while not await asyncio.to_thread(listens, self.plan.address, NATIVE_PORT):
            if self._process is None or self._process.poll() is not None:
                code = None if self._process is None else self._process.returncode
                raise ClusterDidNotStart(self._explained(f"ended with exit code {code} before it was up"))
            if time.monotonic() > deadline:
                raise ClusterDidNotStart(self._explained(f"does not listen on port {NATIVE_PORT} yet"))
            await asyncio.sleep(0.1)

    def stop(self, *, kill: bool) -> None:
        """End it, at once or asking first, and wait until it is gone. Nothing happens if it is stopped."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _explained(self, what: str) -> str:
        return (
            f"practice node {self.plan.address} {what} (it has {UP_WITHIN:.0f} s). Check that this machine has 2 GB of "
            f"memory free for three nodes, then start again. The end of its logs:\n{self.log_tail()}"
        )

    def log_tail(self) -> str:
        """The last lines of its logs, safe to show."""
        lines: list[str] = []
        for path in (self.plan.log, self.plan.directory / "output.log"):
            with suppress(OSError):
                lines += path.read_text(errors="replace").splitlines()[-LOG_TAIL:]
        return "\n".join(plain(line) for line in lines)


def _dies_with(parent: int) -> Callable[[], None]:
    """Runs in the child before Java does: the kernel is to kill it when the parent is gone."""

    def ask_the_kernel() -> None:
        if _PRCTL is not None:
            _PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

    return ask_the_kernel
