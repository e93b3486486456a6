"""AtlasDB's own Java command line as a timestamp service, where this program cannot speak to the authority itself.

What it prints and how it exits proves nothing (release 0.1175.0: success is printed for a fast-forward to the past, and
for a removal that removed nothing): it counts once it has been read back.
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.atlas.timestamp_file import MalformedTimestampFile
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.timestamps.atlas_cli_program import AtlasCli, Ran
from atlasdb_recovery.timestamps.bound_store import EmbeddedTimestamps
from atlasdb_recovery.timestamps.service import (
    FastForwarded,
    ImmutableTimestampLocks,
    NamespaceDisabling,
    TimestampServiceRefused,
    TimestampServiceUnavailable,
)
from atlasdb_recovery.timestamps.targets import require_reachable

_FRESH = re.compile(r"The fresh timestamp is: ([1-9][0-9]{0,18})")

Known = Callable[[], Awaitable[int]]
"""The highest timestamp that the keyspace proves to have been handed out.

Raises TimestampServiceRefused unless the command line may be run on it now.
"""


class AtlasCliTimestamps:
    """`TimestampService` by runs of the Java command line on the service's own configuration.

    With an `embedded` bound it is that which is read back, over CQL; otherwise the authority is TimeLock, and the next
    fresh timestamp is. It is not run before the keyspace says that this is its authority: with TimeLock configured
    every start of it invalidates a valid bound, and creates the namespace.
    """

    immutable_locks: ImmutableTimestampLocks | None = None
    disabling: NamespaceDisabling | None = None

    def __init__(
        self,
        cli: AtlasCli,
        known: Known,
        embedded: EmbeddedTimestamps | None = None,
    ) -> None:
        self._cli = cli
        self._known = known
        self._embedded = embedded
        self._highest = 0
        self._one_at_a_time = asyncio.Lock()

    @property
    def serves_live(self) -> bool:
        return self._embedded is None

    @property
    def uses_stored_bound(self) -> bool:
        return self._embedded is not None

    @property
    def description(self) -> str:
        authority = "TimeLock" if self._embedded is None else self._embedded.description
        return f"{authority}, through AtlasDB's command line `{plain(' '.join(self._cli.program), 200)}`"

    async def bound(self) -> int | None:
        return None if self._embedded is None else await self._embedded.bound()

    async def ping(self) -> str:
        """That it can be run. Nothing is asked of the service: every other command of it changes something."""
        ran = await self._cli.help()
        if ran.exit_code or not any("timestamp" in line for line in ran.out):
            raise TimestampServiceUnavailable(
                f"`{' '.join(self._cli.program)} help` is not answered as AtlasDB's command line does:"
                f" {_ending(ran)}. Check `timestamps.command`."
            )
        return "it can be run; what it is told was not asked yet"

    async def fresh_timestamp(self) -> int:
        """The number that it prints and writes to its file, above all that is known to have been handed out."""
        async with self._one_at_a_time:
            return await self._fetched()

    async def lower_limit(self) -> int | None:
        return await self.fresh_timestamp() if self._embedded is None else await self._embedded.bound()

    def writes_to_fast_forward(self, target: int, bound: int | None) -> tuple[str, ...]:
        if self._embedded is not None and self._is_beyond(bound, target):
            return ()
        return (" ".join((*self._cli.program, "… timestamp -t", str(target), "fast-forward")),)

    async def fast_forward(self, target: int) -> FastForwarded:
        """Run unless it is there already; whatever the run says, what is read back afterwards decides."""
        require_reachable(target)
        async with self._one_at_a_time:
            before = await self._limit()
            if before is not None and self._is_beyond(before, target):
                return FastForwarded(target=target, before=before, reached=before, changed=False)
            await self._known()
            ran = await self._cli.timestamp("-t", str(target), "fast-forward")
            reached = await self._limit()
        if reached is None or not self._is_beyond(reached, target):
            raise TimestampServiceRefused(
                f"After AtlasDB's command line was to fast-forward to {target} ({_ending(ran)}), {reached} was read"
                " back: timestamps already used would be handed out again. Do not start the service. Run it by hand to"
                " see what it says, and that its configuration is this keyspace's."
            )
        return FastForwarded(target=target, before=before, reached=reached, changed=True)

    async def _limit(self) -> int | None:
        return await self._fetched() if self._embedded is None else await self._embedded.bound()

    def _is_beyond(self, limit: int | None, target: int) -> bool:
        """Whether every fresh timestamp from now on is above the target: a bound may equal it."""
        return limit is not None and (limit > target if self._embedded is None else limit >= target)

    async def _fetched(self) -> int:
        known = await self._known()
        fresh = await self._printed_and_written()
        if fresh <= max(known, self._highest):
            raise TimestampServiceRefused(
                f"AtlasDB's command line fetched {fresh}, but timestamps up to {max(known, self._highest)} have been"
                " used: these are another keyspace's. Do not use this number. Compare the service's configuration with"
                " what the service used."
            )
        self._highest = fresh
        bound = await self.bound()
        if self._embedded is not None and (bound is None or bound < fresh):
            raise TimestampServiceRefused(
                f"AtlasDB's command line fetched {fresh}, but {self._embedded.description} reads {bound} afterwards:"
                " it was another one that it raised. Do not use this number. Compare the service's configuration with"
                " the cluster that recovery.yml names."
            )
        return fresh

    async def _printed_and_written(self) -> int:
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "fetched.timestamp"
            ran = await self._cli.timestamp("-f", str(file), "fetch")
            if ran.exit_code:
                raise TimestampServiceUnavailable(f"AtlasDB's command line fetched no timestamp: {_ending(ran)}")
            try:
                written = timestamp_file.read(file)
            except MalformedTimestampFile as error:
                raise _not_understood(f"its file cannot be read ({error})") from None
        printed = [int(match[1]) for line in ran.out if (match := _FRESH.fullmatch(line))]
        if printed != [written]:
            raise _not_understood(f"it printed {printed or 'no timestamp'} and wrote {written}")
        return written


def _ending(ran: Ran) -> str:
    return f"exit {ran.exit_code}: {ran.complaint}" if ran.complaint else f"exit {ran.exit_code}"


def _not_understood(what: str) -> TimestampServiceRefused:
    return TimestampServiceRefused(
        f"AtlasDB's command line fetched a timestamp, but {what}. Do not use either number. Run it by hand, and check"
        " `timestamps.command`."
    )
