"""Lines typed at the terminal, waited for without a thread, so that a signal can end the waiting."""

import asyncio
import os
import sys

from atlasdb_recovery.cli.lines import Lines

LONGEST = 65_536


def is_interactive() -> bool:
    """Whether somebody can type an answer."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


async def asked(lines: Lines, wanted: str) -> str | None:
    """What was typed under this; None at the end of input."""
    lines.ask(wanted)
    try:
        return await typed_line()
    finally:
        lines.answered()


async def typed_line() -> str | None:
    """The next line without its line end; None once there will be none (Ctrl+D, or the terminal is gone)."""
    descriptor = sys.stdin.fileno()
    line = b""
    while not line.endswith(b"\n"):
        content = await _readable(descriptor)
        if not content:
            return None
        line += content
    return line.split(b"\n", 1)[0].decode("utf-8", "replace")


async def _readable(descriptor: int) -> bytes:
    loop = asyncio.get_running_loop()
    read: asyncio.Future[bytes] = loop.create_future()

    def now() -> None:
        loop.remove_reader(descriptor)
        try:
            content = os.read(descriptor, LONGEST)
        except OSError:
            content = b""
        if not read.done():
            read.set_result(content)

    loop.add_reader(descriptor, now)
    try:
        return await read
    finally:
        loop.remove_reader(descriptor)
