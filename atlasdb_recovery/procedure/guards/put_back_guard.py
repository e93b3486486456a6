"""The guard before an export goes back: once timestamps move on, a removed transaction must stay removed."""

from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, passed, unknown, warned
from atlasdb_recovery.procedure.removal.pre_images import Header
from atlasdb_recovery.procedure.steps.names import FAST_FORWARD
from atlasdb_recovery.procedure.timestamp_row import is_given_up, timestamp_row

WITHOUT_JOURNAL = (
    "Run it where the state_dir of the restore that removed them is, or copy its journal here. Where none was written "
    "(`timestamp clean-transactions`), nothing can prove that it is not too late: restore again from the backup."
)
NOT_WRITTEN_DOWN = "Run it where the state_dir of the restore that removed them is: it must be written down there."
NOBODY_ELSE = (
    "Go on only if no service was started and nobody else fast-forwarded since the removal: then it is too late, and "
    "the keyspace must be restored again from the backup."
)


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
        if context.timestamps.uses_stored_bound and not is_given_up(now):
            return self._as_the_bound_tells(context)
        return self._as_journalled(context)

    def _as_the_bound_tells(self, context: Context) -> GuardResult:
        """A session that is resumed elsewhere must not go on as if its removal still stood."""
        if context.state.session != self._header.session and self._header.has_journal:
            return unknown(
                f"the journal of session {self._header.session} is not in {context.state_directory}: it would go on to "
                "fast-forward as if its removal still stood",
                NOT_WRITTEN_DOWN,
            )
        return passed("value and write time of the timestamp bound are as at the removal")

    def _as_journalled(self, context: Context) -> GuardResult:
        """Where the keyspace cannot tell: only the removal's own session knows, and only of itself."""
        session, shown = self._header.session, f"timestamps come from {context.timestamps.description}"
        if context.state.session != session:
            return unknown(
                f"{shown}, so the keyspace does not show whether they were fast-forwarded or handed out since; and the "
                f"journal of session {session} is not in {context.state_directory}",
                WITHOUT_JOURNAL,
            )
        return warned(f"{shown}; session {session} has not fast-forwarded, its journal says", NOBODY_ELSE)
