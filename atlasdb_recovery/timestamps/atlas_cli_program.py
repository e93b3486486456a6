"""Runs of AtlasDB's Java command line (`AtlasCli`, release 0.1175.0)."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import aclosing
from typing import NamedTuple

from atlasdb_recovery.cassandra.ports import Line
from atlasdb_recovery.cassandra.process import CommandNotRunnable, command_stream
from atlasdb_recovery.foreign import masked, plain
from atlasdb_recovery.timestamps.service import TimestampServiceUnavailable

ENDS_WITHIN = 120.0
"""Seconds. A run takes about five, three of them to start Java."""
COMPLAINT_LINES = 3
_DEPRECATION = "This CLI has been deprecated"


class Ran(NamedTuple):
    """How a run ended. `complaint` is what it wrote to its standard error, without secrets."""

    exit_code: int
    out: tuple[str, ...]
    complaint: str


class AtlasCli:
    """The program, and the options that name the service's configuration: the very files that were read here."""

    def __init__(
        self,
        program: Sequence[str],
        configuration: Sequence[str],
        secrets: Collection[str] = (),
        *,
        ends_within: float = ENDS_WITHIN,
    ) -> None:
        self.program = tuple(program)
        self._configuration = tuple(configuration)
        self._secrets = secrets
        self._ends_within = ends_within

    async def timestamp(self, *words: str) -> Ran:
        """`timestamp …`, offline as its fast-forward demands. Raises TimestampServiceUnavailable."""
        return await self._ran("--offline", *self._configuration, "timestamp", *words)

    async def help(self) -> Ran:
        """Asks nothing of any service."""
        return await self._ran("help")

    async def _ran(self, *words: str) -> Ran:
        lines: dict[str, list[str]] = {"stdout": [], "stderr": []}
        exit_code = 0
        try:
            async with (
                asyncio.timeout(self._ends_within),
                aclosing(command_stream((*self.program, *words))) as stream,
            ):
                async for event in stream:
                    if isinstance(event, Line):
                        lines[event.stream].append(masked(plain(event.text, 400), self._secrets))
                    else:
                        exit_code = event.exit_code
        except CommandNotRunnable as error:
            raise TimestampServiceUnavailable(f"AtlasDB's command line: {error}") from None
        except TimeoutError:
            raise TimestampServiceUnavailable(
                f"AtlasDB's command line had not ended after {self._ends_within:g} seconds, and was stopped. Run it by"
                " hand to see what it waits for."
            ) from None
        said = [line for line in lines["stderr"] if line.strip() and not line.startswith(_DEPRECATION)]
        return Ran(exit_code, tuple(lines["stdout"]), "; ".join(said[:COMPLAINT_LINES]))
