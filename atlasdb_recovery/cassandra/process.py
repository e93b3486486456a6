"""Commands of others as child processes: their lines as they arrive, and never a process left behind.

Every command gets a session (and so a process group) of its own, no terminal and no standard input: it can
neither be hit by the operator's Ctrl+C nor wait for a password nobody is asked for.
"""

import asyncio
import codecs
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncGenerator, Mapping, Sequence

import psutil

from atlasdb_recovery.cassandra.ports import Finished, Line
from atlasdb_recovery.foreign import plain

STOP_GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL, and again until a process that survives SIGKILL is given up."""

SILENCE_AFTER_EXIT = 2.0
"""Seconds without output after which a pipe held open by someone else (an ssh master) is no longer read."""

LONGEST_LINE = 8 * 1024 * 1024
"""Characters of one line that are kept; the rest of it is dropped."""

PAUSE_READING_ABOVE = 10_000
"""Lines that may wait for a slow reader before the command itself is made to wait."""


class CommandNotRunnable(Exception):
    """The command could not be started at all."""


async def command_stream(
    arguments: Sequence[str], *, environment: Mapping[str, str] | None = None, grace: float = STOP_GRACE
) -> AsyncGenerator[Line | Finished, None]:
    """The command's lines as they arrive, then one `Finished`.

    Closing the iterator (or cancelling who awaits it) sends SIGTERM to the command's process group, SIGKILL
    after `grace` seconds, and waits for its end. `environment` is added to this process's own.
    Raises `CommandNotRunnable`.
    """
    transport, child = await _start(arguments, environment)
    group = transport.get_pid()
    try:
        while (line := await child.next_line()) is not None:
            yield line
        exit_code = transport.get_returncode()
    finally:
        await _stop(group, transport, child, grace)
    assert exit_code is not None
    yield Finished(exit_code=exit_code, seconds=child.exited_at)


async def _start(
    arguments: Sequence[str], environment: Mapping[str, str] | None
) -> "tuple[asyncio.SubprocessTransport, _Child]":
    try:
        return await asyncio.get_running_loop().subprocess_exec(
            _Child,
            *arguments,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    except FileNotFoundError:
        raise CommandNotRunnable(
            f"There is no command `{plain(arguments[0])}` on this machine (looked for in PATH). "
            "Install it, or write its full path in the command template."
        ) from None
    except (OSError, ValueError) as error:
        raise CommandNotRunnable(
            f"The command `{plain(arguments[0])}` could not be started: {plain(str(error))}. "
            "Run it by hand as this user to see what is missing."
        ) from None


class _Child(asyncio.SubprocessProtocol):
    """Turns the pipes' bytes into lines; ends when the command has exited and its pipes are dry."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.exited_at = 0.0
        self.exited = asyncio.Event()
        self.group_outlives = True
        """Whether the group still has members; once it has none, its number may become someone else's."""
        self._streams = {1: _LineSplitter("stdout"), 2: _LineSplitter("stderr")}
        self._lines: asyncio.Queue[Line | None] = asyncio.Queue()
        self._transport: asyncio.SubprocessTransport | None = None
        self._paused = False
        self._ended = False
        self._last_data = self.started

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._last_data = time.monotonic()
        self._queue(fd, data, final=False)
        if self._lines.qsize() > PAUSE_READING_ABOVE and not self._paused:
            self._reading(paused=True)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._end_stream(fd)

    def process_exited(self) -> None:
        self.exited_at = time.monotonic() - self.started
        assert self._transport is not None
        self.group_outlives = _signalled(self._transport.get_pid(), 0)
        self.exited.set()
        self._end_if_dry()
        self._end_if_silent()

    async def next_line(self) -> Line | None:
        """The next line, or None when there will be none."""
        if self._paused and self._lines.empty():
            self._reading(paused=False)
        return await self._lines.get()

    def _queue(self, fd: int, data: bytes, *, final: bool) -> None:
        if (stream := self._streams.get(fd)) is not None and not self._ended:
            at = time.monotonic() - self.started
            for text in stream.lines(data, final=final):
                self._lines.put_nowait(Line(at=at, stream=stream.name, text=text))

    def _end_stream(self, fd: int) -> None:
        self._queue(fd, b"", final=True)
        self._streams.pop(fd, None)
        self._end_if_dry()

    def _end_if_dry(self) -> None:
        if not self._streams and self.exited.is_set() and not self._ended:
            self._ended = True
            self._lines.put_nowait(None)

    def _end_if_silent(self) -> None:
        if self._ended:
            return
        silent_for = 0.0 if self._paused else time.monotonic() - max(self._last_data, self.started + self.exited_at)
        if silent_for < SILENCE_AFTER_EXIT:
            remaining = SILENCE_AFTER_EXIT - silent_for
            asyncio.get_running_loop().call_later(remaining, self._end_if_silent)
            return
        for fd in tuple(self._streams):
            self._end_stream(fd)

    def _reading(self, *, paused: bool) -> None:
        self._paused = paused
        assert self._transport is not None
        for fd in self._streams:
            pipe = self._transport.get_pipe_transport(fd)
            if isinstance(pipe, asyncio.ReadTransport):
                (pipe.pause_reading if paused else pipe.resume_reading)()


class _LineSplitter:
    """Lines of one stream, whatever its encoding: UTF-8 with replacement, LF or CRLF, the last line with or without."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._open: list[str] = []
        self._length = 0

    def lines(self, data: bytes, *, final: bool) -> list[str]:
        *complete, rest = self._decoder.decode(data, final=final).split("\n")
        lines = []
        for part in complete:
            self._keep(part)
            lines.append(self._close())
        self._keep(rest)
        if final and self._length:
            lines.append(self._close())
        return lines

    def _keep(self, part: str) -> None:
        if part and self._length < LONGEST_LINE:
            self._open.append(part[: LONGEST_LINE - self._length])
            self._length += len(self._open[-1])

    def _close(self) -> str:
        line = "".join(self._open)
        self._open, self._length = [], 0
        return line.removesuffix("\r")


async def _stop(group: int, transport: asyncio.SubprocessTransport, child: _Child, grace: float) -> None:
    """End whatever is left of the group. A second cancellation kills at once instead of waiting."""
    try:
        if child.group_outlives:
            await asyncio.shield(asyncio.ensure_future(_stop_group(group, grace)))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.exited.wait(), grace)
    except asyncio.CancelledError:
        if child.group_outlives:
            _signalled(group, signal.SIGKILL)
        raise
    finally:
        with contextlib.suppress(PermissionError):
            transport.close()


async def _stop_group(group: int, grace: float) -> None:
    for deadly in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + grace
        if not _signalled(group, deadly):
            return
        while _lives(group):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.02)
        else:
            return


def _signalled(group: int, number: int) -> bool:
    """False if there is nobody left in the group, or nobody whom we may signal (a command run through sudo)."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _lives(group: int) -> bool:
    """Whether the group has a member that still runs; a zombie nobody waits for does not."""
    return _signalled(group, 0) and any(_is_running_member(pid, group) for pid in psutil.pids())


def _is_running_member(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.Error):
        return False
