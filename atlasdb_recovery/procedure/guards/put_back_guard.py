"""The guard before an export goes back: once timestamps move on, a removed transaction must stay removed."""

from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, passed
from atlasdb_recovery.procedure.removal.pre_images import Header
from atlasdb_recovery.procedure.steps.names import FAST_FORWARD
from atlasdb_recovery.procedure.timestamp_row import timestamp_row


class NotFastForwarded(Guard):
    proves = "The timestamp service has not been fast-forwarded, and has handed out nothing, since the removal."
    remedy_is_drastic = True
    remedy = (
        "It is too late to put them back: they may have been read as never committed. Restore again from the backup."
    )

    def __init__(self, header: Header) -> None:
        self._header = header

    async def check(self, context: Context) -> GuardResult:
        if context.state.step(FAST_FORWARD).began:
            return blocked(f"session {self._header.session} has fast-forwarded")
        now = await timestamp_row(context)
        if now != self._header.timestamp_row:
            return blocked(f"the timestamp bound was {self._header.timestamp_row} at the removal, is {now}")
        return passed("value and write time of the timestamp bound are as at the removal")
