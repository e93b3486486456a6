"""What every step and guard is given: the settings, the ways to the cluster, and what has happened so far."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atlasdb_recovery.atlas.manifest import Manifest
from atlasdb_recovery.cassandra.ports import Cluster, Nodetool
from atlasdb_recovery.events import Progressed
from atlasdb_recovery.procedure.controls import Controls
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.store_methods import StoreContext, StoreMethod
from atlasdb_recovery.settings import Settings
from atlasdb_recovery.timestamps.held_lock import HeldLock
from atlasdb_recovery.timestamps.service import Seen, TimestampService, unseen


@dataclass(kw_only=True)
class Context:
    """One object graph: real or practice, the steps cannot tell which.

    `answers` is what an answers file says ahead of time; `state` is the fold of the journal, kept up to date by the
    runner; `facts` of it are how steps hand results on.
    """

    session: str
    settings: Settings
    cluster: Cluster
    nodetool: Nodetool
    timestamps: TimestampService
    store: StoreMethod
    mode: str = "LIVE"
    state: SessionState = field(default_factory=SessionState)
    answers: Mapping[str, Any] = field(default_factory=dict)
    state_directory: Path
    export_directory: Path
    local_addresses: frozenset[str] = frozenset()
    """Node addresses whose sockets can be seen from this machine (/proc/net/tcp)."""
    held_lock: HeldLock | None = None
    """The lock on the immutable timestamp, while this process refreshes it."""
    hold_lock: Callable[[], None] = lambda: None
    """Raises if this session's lock has been taken over: asked before every step acts."""
    note_progress: Callable[[Progressed], None] = lambda _: None
    """How far a plan or a proof has come: they hand back a result, and may take as long as the work itself."""
    server_seen: Seen = unseen
    controls: Controls = field(default_factory=Controls)
    """What a front-end may ask of the step at work."""
    seconds_now: Callable[[], float] = time.time
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep

    @property
    def keyspace(self) -> str:
        return self.settings.keyspace

    @property
    def backup_dir(self) -> Path:
        return self.settings.backup_dir

    @property
    def manifest(self) -> Manifest | None:
        """The backup's own account of itself; None for a backup that has only the two timestamp files."""
        from atlasdb_recovery.atlas import manifest

        return manifest.load(self.backup_dir)

    def close(self) -> None:
        """What works in the background ends."""
        if self.held_lock is not None:
            self.held_lock.stop()

    def store_context(self) -> StoreContext:
        return StoreContext(
            cluster=self.cluster,
            nodetool=self.nodetool,
            keyspace=self.keyspace,
            backup_dir=self.backup_dir,
            session=self.session,
            settings=self.settings.store,
            manifest=self.manifest,
            secrets=self.settings.secrets(),
        )

    def phrase(self, words: str) -> str:
        """What has to be typed. In practice it is something else, so that no hand gets used to the live words."""
        return f"practice {words}" if self.mode == "PRACTICE" else words

    def answer(self, name: str) -> Any:
        """What was answered in this session, else what the answers file says ahead; None if neither."""
        given = self.state.answers.get(name)
        return given.answer if given is not None else self.answers.get(name)
