"""The guard over a narrowed scan of the transactions tables."""

from atlasdb_recovery.atlas.manifest import MalformedManifest
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed
from atlasdb_recovery.procedure.removal.scope import NARROWING_REMEDY, from_start, why_not_narrowed


class ScanProven(Guard):
    proves = "The scan leaves out no transaction committed after B: it is full, or the manifest proves where to begin."
    remedy = NARROWING_REMEDY

    async def check(self, context: Context) -> GuardResult:
        if context.settings.scan == "full":
            return not_applicable("everything is read")
        try:
            if problem := await why_not_narrowed(context):
                return blocked(problem)
        except MalformedManifest as error:
            return blocked(str(error))
        return passed(f"sealed: whatever began below {await from_start(context)} had ended before B was fetched")
