"""The world around a restore session: machines, services and files that go wrong and can be mended."""

import asyncio
import math
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any, Protocol

import msgspec

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.atlas.timestamp_file import BACKUP_FILE, FAST_FORWARD_FILE
from atlasdb_recovery.cassandra.ports import Nodetool
from atlasdb_recovery.practice.exercise import Exercise, PracticeCluster
from atlasdb_recovery.practice.scenarios.practice_nodetool import PracticeNodetool
from atlasdb_recovery.settings import Settings


class Machines(PracticeCluster, Protocol):
    """A practice cluster whose machines can be made to fail, and be mended."""

    nodetool: Nodetool

    def is_up(self, address: str) -> bool: ...

    async def stop_node(self, address: str) -> None:
        """It is killed, and the others notice."""
        ...

    async def start_node(self, address: str) -> None:
        """Returns when it is up."""
        ...

    async def stop_node_in_repair(self, address: str) -> None:
        """It is killed as soon as a repair is making a range agree, or at once where that can't be awaited."""
        ...

    async def connect_stranger(self, address: str, user: str) -> None:
        """A client that is not ours connects to this node, and connects again when the node comes back."""
        ...

    async def disconnect_stranger(self) -> None: ...

    @property
    def time_described(self) -> str:
        """Whose time `seconds_now` is, and how fast it goes by, in a sentence."""
        ...

    async def pass_time(self) -> None:
        """Let time pass as its scale says; runs until it is cancelled, or ends where time passes by itself."""
        ...


class Happening(msgspec.Struct, frozen=True):
    """Something that happened behind the operator's back, and when (Unix seconds of the practice world)."""

    at: float
    what: str


class World:
    """One practice cluster, one keyspace on it with its history, one backup."""

    def __init__(self, nodes: Machines, exercise: Exercise, settings: Settings) -> None:
        self.nodes = nodes
        self.exercise = exercise
        self.settings = settings
        self.nodetool = PracticeNodetool(nodes.nodetool)
        nodes.nodetool = self.nodetool
        self.backup_timestamp = 0
        self.fast_forward_timestamp = 0
        """B and F as they were fetched, whatever became of their files."""
        self.happenings: list[Happening] = []
        self.until_over = ExitStack()
        """What is closed when the drill is over."""
        self._broken_off: asyncio.Task[Any] | None = None
        self._begun: list[asyncio.Task[None]] = []

    @property
    def keyspace(self) -> str:
        return self.exercise.keyspace

    def backed_up(self) -> None:
        """The backup is complete: remember its timestamps."""
        self.backup_timestamp = timestamp_file.read(self.settings.backup_dir / BACKUP_FILE)
        self.fast_forward_timestamp = timestamp_file.read(self.settings.backup_dir / FAST_FORWARD_FILE)

    def happened(self, what: str) -> None:
        at = math.floor(self.nodes.seconds_now() * 1000) / 1000  # as exact as the journal's records
        self.happenings.append(Happening(at, what))

    def later(self, doing: Coroutine[Any, Any, None]) -> None:
        """Begin something that takes time."""
        self._begun.append(asyncio.ensure_future(doing))

    async def settled(self) -> None:
        """Until all that was begun is done; raises what went wrong with it."""
        begun, self._begun = self._begun, []
        await asyncio.gather(*begun)

    async def given_up(self) -> None:
        """The drill is over, whatever is still under way."""
        begun, self._begun = self._begun, []
        await asyncio.gather(*begun, return_exceptions=True)
        await self.nodes.disconnect_stranger()
        self.until_over.close()

    def break_connection(self) -> None:
        """The terminal hangs up: the task that runs the session is cancelled, as SIGHUP does it."""
        self._broken_off = asyncio.current_task()
        assert self._broken_off is not None
        self._broken_off.cancel()

    def connect_again(self) -> None:
        """The operator is back at the terminal: what was cancelled is over."""
        broken_off, self._broken_off = self._broken_off, None
        if broken_off is not None:
            broken_off.uncancel()
