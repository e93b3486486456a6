"""Lines for a terminal or a log: whole, one at a time, without a single escape code, and never silent for long."""

import asyncio
import shutil
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol, TextIO

from atlasdb_recovery.foreign import masked

SILENT_FOR_AT_MOST = 8.0
LOOKS_EVERY = 1.0
NARROWEST, STAMP = 40, len("00:00:00Z  ")


def _nothing() -> None:
    pass


class Lines:
    """Prints lines to `out`, each with the time (UTC) if `stamped`.

    `secrets` never reach it. Once `out` is gone (the terminal was closed, a pipe broke) nothing is printed any more and
    `when_gone` has been called.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        stamped: bool = True,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._out = out
        self._stamped = stamped
        self._clock = clock
        self._wait = wait
        self._printed_at = clock()
        self._is_asking = False
        self.is_gone = False
        self.secrets: Iterable[str] = ()
        self.when_gone: Callable[[], object] = _nothing

    def say(self, line: str) -> None:
        """One line as it is, however long: it may be copied from the screen."""
        stamp = f"{datetime.now(UTC):%H:%M:%SZ}  " if self._stamped else ""
        self._print(f"{stamp}{masked(line, self.secrets)}\n")

    def tell(self, line: str) -> None:
        """Words to be read: on a terminal as many lines as they need, broken between words."""
        if not self._out.isatty():
            self.say(line)
            return
        width = max(shutil.get_terminal_size().columns, NARROWEST) - STAMP
        indented = " " * (len(line) - len(line.lstrip()))
        for part in textwrap.wrap(
            line, width, subsequent_indent=indented + "  ", break_on_hyphens=False, break_long_words=False
        ):
            self.say(part)

    def ask(self, line: str) -> None:
        """A question and its prompt; nothing is said in between until `answered`."""
        self._is_asking = True
        self._print(f"{masked(line, self.secrets)}\n> ")

    def answered(self) -> None:
        self._is_asking = False
        self._printed_at = self._clock()

    async def keep_alive(self, doing: Callable[[], str]) -> None:
        """A line at least every ten seconds, but not into a question. Runs until it is cancelled."""
        while True:
            await self._wait(LOOKS_EVERY)
            if not self._is_asking and self._clock() - self._printed_at >= SILENT_FOR_AT_MOST:
                self.say(f"… {doing()}")

    def _print(self, text: str) -> None:
        self._printed_at = self._clock()
        if self.is_gone:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except (OSError, ValueError):
            self.is_gone = True
            self.when_gone()


class Alive(Protocol):
    """Who shows that work goes on."""

    async def keep_alive(self) -> None:
        """Runs until it is cancelled."""
        ...


@asynccontextmanager
async def while_alive(one: Alive) -> AsyncIterator[None]:
    """It shows that work goes on for as long as this lasts."""
    alive = asyncio.create_task(one.keep_alive())
    try:
        yield
    finally:
        alive.cancel()


class AtWork:
    """A command outside a session that shows, on lines of its own, that work goes on. `doing` may change meanwhile."""

    def __init__(self, lines: Lines, doing: str) -> None:
        self.lines = lines
        self.doing = doing

    async def keep_alive(self) -> None:
        await self.lines.keep_alive(lambda: f"still at work: {self.doing}")
