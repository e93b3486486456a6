"""Store method `external`: the operator does it with a tool of their own, and says so."""

from collections.abc import AsyncIterator, Mapping

from atlasdb_recovery.cassandra.ports import Table
from atlasdb_recovery.events import Event, Noted
from atlasdb_recovery.procedure.store_methods import StoreContext


class ExternalStore:
    """Runs nothing. The word of the operator is asked for by the step."""

    name = "external"

    async def plan_backup(self, context: StoreContext) -> list[str]:
        return [f"you back up every table of keyspace {context.keyspace} on every node, with a tool of your own"]

    async def backup(self, context: StoreContext) -> AsyncIterator[Event]:
        yield Noted(level="note", text=f"Keyspace {context.keyspace} is backed up by the operator's own tool.")

    async def verify_backup(self, context: StoreContext) -> list[str]:
        return ["the operator's word; this program cannot look into the store's backup"]

    async def tables(self, context: StoreContext) -> Mapping[str, Table] | None:
        return None

    async def sizes(self, context: StoreContext) -> Mapping[str, tuple[int, int]]:
        return {}

    async def verify_copy(self, context: StoreContext) -> list[str]:
        return ["the store's backup is the operator's own; this program cannot look into it"]

    async def plan_restore(self, context: StoreContext) -> list[str]:
        return [
            f"you restore every table of keyspace {context.keyspace} on every node, with a tool of your own,",
            "  into tables created without their old ids, so that nothing left over from before is replayed into them",
        ]

    async def restore(self, context: StoreContext) -> AsyncIterator[Event]:
        yield Noted(level="note", text=f"Keyspace {context.keyspace} is restored by the operator's own tool.")
