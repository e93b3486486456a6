"""The guard over B and the timestamp bound that was restored with the store."""

from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.backup_guards import read_timestamps
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed
from atlasdb_recovery.procedure.timestamp_row import highest_handed_out


class BackupTimestampHandedOut(Guard):
    proves = "B was handed out by this keyspace's own timestamp service, before its store was copied."
    remedy = (
        "With a B that is another keyspace's nothing is removed, and every torn transaction stays. Fetch the timestamp "
        "files that belong to this backup of the store, drop the keyspace, and begin a new session: this one keeps its "
        "B. A store that was copied before B was fetched cannot be used."
    )

    async def check(self, context: Context) -> GuardResult:
        highest = await highest_handed_out(context)
        if highest is None:
            return not_applicable(f"no stored bound tells it: timestamps come from {context.timestamps.description}")
        backup = context.state.fact(facts.BACKUP_TIMESTAMP) or read_timestamps(context).backup
        shown = f"B = {backup}, and the stored timestamp bound is {highest or 'empty'}"
        return blocked(shown) if backup > highest else passed(shown)
