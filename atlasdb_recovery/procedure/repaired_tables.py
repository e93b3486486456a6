"""Which tables a restore repairs: the transactions tables, and what decides over them, where they exist."""

from atlasdb_recovery.atlas.names import COORDINATION, SWEEP_PROGRESS, TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.step import StepFailure

CANDIDATES = (TRANSACTIONS, TRANSACTIONS2, COORDINATION, *SWEEP_PROGRESS)


async def tables_to_repair(context: Context) -> tuple[str, ...]:
    """Those of `CANDIDATES` that the keyspace has; `_transactions` must be among them."""
    keyspace = await context.cluster.keyspace(context.keyspace)
    present = () if keyspace is None else tuple(name for name in CANDIDATES if name in keyspace.tables)
    if TRANSACTIONS not in present:
        raise StepFailure(
            f"keyspace {context.keyspace} has no table {TRANSACTIONS}",
            remedy="This is not a restored AtlasDB keyspace. Restore the store first.",
        )
    return present
