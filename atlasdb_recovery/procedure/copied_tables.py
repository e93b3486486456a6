"""Which tables a backup's store has: what the copy says itself, or what was there before and after it alike."""

from collections.abc import Mapping

from atlasdb_recovery.cassandra.ports import Table
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.step import StepFailure

REMEDY = (
    "The copy may lack them, or hold parts of what is gone: it could not be restored. Stop whatever changes the "
    "schema, then take a new backup, from the beginning, in an empty backup directory."
)


async def present_tables(context: Context) -> Mapping[str, Table]:
    keyspace = await context.cluster.keyspace(context.keyspace)
    return {} if keyspace is None else keyspace.tables


def table_ids(tables: Mapping[str, Table]) -> dict[str, str]:
    return {name: table.id for name, table in sorted(tables.items())}


async def copied_tables(context: Context) -> Mapping[str, Table]:
    """By name, as they were copied. Raises StepFailure where that is not known because they changed since B."""
    copied = await context.store.tables(context.store_context())
    if copied is not None:
        return copied
    present = await present_tables(context)
    then, now = facts.required(context, facts.TABLES_AT_BACKUP), table_ids(present)
    if set(then.values()) != set(now.values()):
        changed = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
        raise StepFailure(
            f"tables were created or dropped since B was fetched: {plain(', '.join(changed))}", remedy=REMEDY
        )
    return present
