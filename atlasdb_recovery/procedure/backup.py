"""AtlasDB's backup, top to bottom (the service may be running)."""

from collections.abc import Sequence

from atlasdb_recovery.procedure.step import Step
from atlasdb_recovery.procedure.steps.back_up_store import BackUpStore
from atlasdb_recovery.procedure.steps.fetch_timestamp import FetchBackupTimestamp, FetchFastForwardTimestamp
from atlasdb_recovery.procedure.steps.preflight import BackupPreflight
from atlasdb_recovery.procedure.steps.seal_backup import SealBackup


def backup_steps() -> Sequence[Step]:
    return (
        BackupPreflight(),
        FetchBackupTimestamp(),
        BackUpStore(),
        FetchFastForwardTimestamp(),
        SealBackup(),
    )
