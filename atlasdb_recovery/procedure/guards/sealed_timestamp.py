"""A timestamp that was named on its own, held against the sealed manifest that lies beside it."""

from atlasdb_recovery.atlas.manifest import MalformedManifest
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed


class TimestampOfBackup(Guard):
    """Of AtlasDB's own lines, each of which is told one timestamp and nothing of the backup that it belongs to."""

    proves = "The backup's manifest, where there is one, is of this keyspace, and names this timestamp for this use."
    remedy = (
        "Name the timestamp file of this keyspace's backup: backup.timestamp to clean, fast-forward.timestamp after."
    )

    def __init__(self, timestamp: int, *, is_forward: bool, is_of_file: bool) -> None:
        """`is_forward`: it stands for F, not for B. A number that was typed (`is_of_file` False) may be another."""
        self._timestamp = timestamp
        self._is_forward = is_forward
        self._is_of_file = is_of_file

    async def check(self, context: Context) -> GuardResult:
        try:
            manifest = context.manifest
        except MalformedManifest as error:
            return blocked(str(error))
        if manifest is None:
            return not_applicable(f"{context.backup_dir} has no manifest: nothing says what {self._timestamp} is of")
        if manifest.keyspace != context.keyspace:
            return blocked(
                f"the backup in {context.backup_dir} is of keyspace {manifest.keyspace}; this is {context.keyspace}"
            )
        name, sealed = ("F", manifest.fast_forward_timestamp) if self._is_forward else ("B", manifest.backup_timestamp)
        if self._is_of_file and self._timestamp != sealed:
            return blocked(f"{self._timestamp} is not the {name} of this backup: its manifest is sealed with {sealed}")
        return passed(f"the manifest is of {context.keyspace}, sealed with {name} = {sealed}")
