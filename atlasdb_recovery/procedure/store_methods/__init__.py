"""How the key value store itself is backed up and restored: by the operator, by a command, by Cassandra's snapshots."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from atlasdb_recovery.cassandra.ports import Cluster, Nodetool, Table
from atlasdb_recovery.events import Event
from atlasdb_recovery.settings import StoreSettings

if TYPE_CHECKING:
    from atlasdb_recovery.atlas.manifest import Manifest


class StoreContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a store method is given. `manifest` is the backup's own, where it has one; `secrets` are never shown."""

    cluster: Cluster
    nodetool: Nodetool
    keyspace: str
    backup_dir: Path
    session: str
    settings: StoreSettings
    manifest: Manifest | None = None
    secrets: frozenset[str] = frozenset()


class StoreMethod(Protocol):
    """Backs up and restores one keyspace's tables. All of it raises `StepFailure` with what to do.

    Stopping in the middle and running it again is safe: what is done is found done.
    """

    @property
    def name(self) -> str: ...

    async def plan_backup(self, context: StoreContext) -> list[str]:
        """The exact commands, and what is copied where. Changes nothing."""
        ...

    def backup(self, context: StoreContext) -> AsyncIterator[Event]: ...

    async def verify_backup(self, context: StoreContext) -> list[str]:
        """Right after `backup`: evidence that it is whole; or plainly that this method cannot know."""
        ...

    async def tables(self, context: StoreContext) -> Mapping[str, Table] | None:
        """The tables of the copy by name, as they were copied; None where this method cannot look into it."""
        ...

    async def sizes(self, context: StoreContext) -> Mapping[str, tuple[int, int]]:
        """Table name to bytes and files of its copy, over all nodes; empty where this method cannot know."""
        ...

    async def verify_copy(self, context: StoreContext) -> list[str]:
        """At any time: evidence, by reading it back, that the copy in the backup directory is the one that was made."""
        ...

    async def plan_restore(self, context: StoreContext) -> list[str]:
        """The exact commands and CQL, and what is copied where. Changes nothing."""
        ...

    def restore(self, context: StoreContext) -> AsyncIterator[Event]: ...
