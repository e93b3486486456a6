"""What one restore has done so far, beside the copy that it restores: a second run goes on where the first ended."""

from pathlib import Path

import msgspec

from atlasdb_recovery.cassandra.copying import write_durably
from atlasdb_recovery.cassandra.snapshot_files import SnapshotFailed


class RestoreRecord(msgspec.Struct):
    """`tables`: the id of each table that this restore created. `loaded`: the ids loaded and proven, by host id.

    Ids, not names: a table that was dropped and created again is another one, and empty.
    """

    tables: dict[str, str] = {}
    loaded: dict[str, set[str]] = {}

    def created(self, path: Path, tables: dict[str, str]) -> None:
        self.tables = tables
        self._write(path)

    def has_loaded(self, host_id: str, table_id: str) -> bool:
        return table_id in self.loaded.get(host_id, ())

    def mark_loaded(self, path: Path, host_id: str, table_id: str) -> None:
        self.loaded.setdefault(host_id, set()).add(table_id)
        self._write(path)

    def _write(self, path: Path) -> None:
        write_durably(path, msgspec.json.format(msgspec.json.encode(self, order="deterministic")))


def record_path(backup_dir: Path, tag: str) -> Path:
    return backup_dir / f"store-restore-{tag}.json"


def read_record(path: Path) -> RestoreRecord:
    """An empty record if there is none yet."""
    if not path.exists():
        return RestoreRecord()
    try:
        return msgspec.json.decode(path.read_bytes(), type=RestoreRecord)
    except (OSError, msgspec.DecodeError) as error:
        raise SnapshotFailed(
            f"{path}, this restore's record of what it did, cannot be read: {error}. "
            "Drop the keyspace and remove that file, then resume: the restore begins anew."
        ) from None
