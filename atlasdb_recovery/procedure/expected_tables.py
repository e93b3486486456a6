"""Which tables a restored keyspace must have: the manifest's, or without one the names in `_metadata`."""

import msgspec

from atlasdb_recovery.atlas.names import METADATA, TRANSACTIONS, TRANSACTIONS2, internal_table_name, is_internal
from atlasdb_recovery.cassandra.ports import Consistency, Keyspace
from atlasdb_recovery.procedure.context import Context

EVERY_TOKEN = ("", "")


class MissingTables(msgspec.Struct, frozen=True):
    """A missing internal table warns (AtlasDB makes it anew); a missing user or transactions table refuses."""

    users: tuple[str, ...]
    internals: tuple[str, ...]
    source: str
    expected: int

    @property
    def refused(self) -> bool:
        return bool(self.users) or not {TRANSACTIONS, TRANSACTIONS2}.isdisjoint(self.internals)

    @property
    def evidence(self) -> str:
        parts = [f"{self.expected} tables expected ({self.source})"]
        if self.users:
            parts.append(f"missing: {', '.join(self.users)}")
        if self.internals:
            parts.append(f"missing internal tables: {', '.join(self.internals)}")
        return "; ".join(parts)

    @property
    def remedy(self) -> str:
        if not self.refused:
            return "AtlasDB creates missing internal tables when the service starts. Check that none held data."
        return "The store's restore is incomplete. Restore the missing tables, then check again."


async def missing_tables(context: Context, keyspace: Keyspace) -> MissingTables:
    """Compares the keyspace's tables with what the backup says it had."""
    manifest = context.manifest
    if manifest is not None:
        expected, source = {table.name for table in manifest.tables}, "the backup's manifest"
    else:
        expected, source = await _names_in_metadata(context, keyspace), "the names in _metadata, for want of a manifest"
    present = {name.lower() for name in keyspace.tables}
    missing = sorted(name for name in expected if name.lower() not in present)
    return MissingTables(
        users=tuple(name for name in missing if not is_internal(name)),
        internals=tuple(name for name in missing if is_internal(name)),
        source=source,
        expected=len(expected),
    )


async def _names_in_metadata(context: Context, keyspace: Keyspace) -> set[str]:
    names = {TRANSACTIONS}
    if METADATA not in keyspace.tables:
        return names
    pages = context.cluster.scan(keyspace.name, METADATA, *EVERY_TOKEN, consistency=Consistency.ALL, page_size=1_000)
    async for page in pages:
        names.update(internal_table_name(cell.key.decode("utf-8", "backslashreplace")) for cell in page)
    return names
