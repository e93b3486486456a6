"""The guard over the operators' lock: one operator at a time."""

from atlasdb_recovery.journal.lock import holders, lock_places
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, passed


class LockFree(Guard):
    proves = "Nobody else is working on this keyspace or this backup."
    remedy = "Talk to the holder. If that process is dead: atlasdb-recovery resume --take-over."

    async def check(self, context: Context) -> GuardResult:
        cluster = (await context.cluster.identity()).cluster_name
        paths = lock_places(context.state_directory, context.backup_dir, cluster, context.keyspace)
        held = [f"{path}: {holder}" for path, holder in holders(paths)]
        return blocked("; ".join(held)) if held else passed("the lock is free in both places")
