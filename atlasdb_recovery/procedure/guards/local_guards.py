"""Guards over this machine: where the journal, the exports and the backup lie."""

import os
import shutil
import tempfile
from pathlib import Path

import humanize

from atlasdb_recovery.atlas.manifest import MalformedManifest
from atlasdb_recovery.atlas.timestamp_file import BACKUP_FILE, FAST_FORWARD_FILE
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, passed
from atlasdb_recovery.procedure.steps.names import FETCH_BACKUP_TIMESTAMP

ROOM_NEEDED = 64 * 1024 * 1024


class DirectoriesWritable(Guard):
    proves = "The journal, the export of what will be removed and the backup's own files can be written: there is room."
    remedy = "Name directories with room that this user may write: state_dir, export_dir, backup_dir in the settings."

    async def check(self, context: Context) -> GuardResult:
        shown = []
        for directory in (context.state_directory, context.export_directory, context.backup_dir):
            try:
                free = _free_after_writing(_nearest(directory))
            except OSError as error:
                return blocked(f"{directory}: {error.strerror or error}")
            if free < ROOM_NEEDED:
                return blocked(f"{directory} has only {humanize.naturalsize(free, binary=True)} left")
            shown.append(f"{directory} ({humanize.naturalsize(free, binary=True)} free)")
        return passed(", ".join(shown))


def _nearest(directory: Path) -> Path:
    """The directory, or where it is not there yet the one that it will be made in."""
    while not directory.exists() and directory != directory.parent:
        directory = directory.parent
    return directory


def _free_after_writing(directory: Path) -> int:
    """Free bytes, after a file has been written there and removed again."""
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".probe-") as probe:
        probe.write(b"\0" * 4096)
        probe.flush()
        os.fsync(probe.fileno())
    return shutil.disk_usage(directory).free


class BackupDirectoryUnused(Guard):
    proves = "The backup directory holds no other backup that this one would write over."
    remedy = "Give another backup_dir: a backup is never written over another."

    async def check(self, context: Context) -> GuardResult:
        try:
            manifest = context.manifest
        except MalformedManifest as error:
            return blocked(str(error))
        if manifest is not None and manifest.session != context.session:
            return blocked(f"{context.backup_dir} holds the backup that session {manifest.session} sealed")
        files = [name for name in (BACKUP_FILE, FAST_FORWARD_FILE) if (context.backup_dir / name).exists()]
        if files and not context.state.step(FETCH_BACKUP_TIMESTAMP).began:
            return blocked(f"{context.backup_dir} holds {' and '.join(files)} of another backup")
        return passed(f"{context.backup_dir} holds no other backup")
