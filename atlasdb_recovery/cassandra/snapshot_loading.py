"""One node's files of one table, loaded into that node's new, empty table.

The files are copied beside the table's own (into its directory's `snapshots/<tag>`, so on the same file system
and never read by the node before they are whole), under numbers that the node has not reached. From 4.0 on
`nodetool import` takes them from there: it checks each sstable, and moves it. Before 4.0 they are moved into the
table's directory and `nodetool refresh` takes them.

Both give every sstable a name of the node's own numbering and leave its data file as it is, and that is the proof:
every data file of the backup is found, by content, under a name that is not ours. Automatic compaction is off
meanwhile so that the proof can be made. Loading again loads only what is not there yet.
"""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import msgspec

from atlasdb_recovery.cassandra.copying import (
    Progress,
    checksum,
    copied,
    copy_failed,
    in_thread,
    require_space,
    sync_directory,
)
from atlasdb_recovery.cassandra.ports import Nodetool, NodetoolFailed
from atlasdb_recovery.cassandra.snapshot_files import (
    DATA,
    SnapshotFailed,
    SnapshotFile,
    SnapshotTable,
    in_words,
    sstable_file,
    table_directory,
)
from atlasdb_recovery.cassandra.snapshots import succeeded, valid_tag

FIRST_NUMBER = 1_000_000_000
"""Generations that we give to files before the node gives them its own; a new table is far below."""

NO_TOKENS = "--no-tokens"
"""Rows outside the node's ranges are loaded: a node that was never cleaned up after others joined has some, and without
this the whole table would be refused. That it is this node's own copy is proven by its tokens and by checksums."""

LOAD_TIMEOUT = 6 * 3600.0


class TableLoad(msgspec.Struct, frozen=True):
    """What to load where."""

    address: str
    data_directory: Path
    keyspace: str
    table_id: str
    """The id of the new table."""
    snapshot: SnapshotTable
    files: Path
    """The directory of the copy with the snapshot's files."""
    tag: str

    @property
    def live(self) -> Path:
        return table_directory(self.data_directory, self.keyspace, self.snapshot.name, self.table_id)

    @property
    def staging(self) -> Path:
        return self.live / "snapshots" / valid_tag(self.tag)


@contextlib.asynccontextmanager
async def compaction_paused(nodetool: Nodetool, address: str, keyspace: str) -> AsyncIterator[None]:
    """No automatic compaction of this keyspace's tables on this node meanwhile. A restart of the node ends it too."""
    await succeeded(nodetool, address, "disableautocompaction", keyspace)
    try:
        yield
    except BaseException:
        with contextlib.suppress(SnapshotFailed, NodetoolFailed):
            await resume_compaction(nodetool, address, keyspace)
        raise
    await resume_compaction(nodetool, address, keyspace)


async def resume_compaction(nodetool: Nodetool, address: str, keyspace: str) -> None:
    """Safe to repeat: where it is not known whether an interrupted `compaction_paused` came to its end."""
    await succeeded(nodetool, address, "enableautocompaction", keyspace)


async def load(nodetool: Nodetool, table: TableLoad, *, by_import: bool, progress: Progress) -> int:
    """Load it and prove that the node has taken it; how many sstables the node has of it now.

    To be called within `compaction_paused`. `progress` counts the bytes copied. Raises `SnapshotFailed`, `CopyFailed`.
    """
    of_table = (table.keyspace, table.snapshot.name)
    sstables = table.snapshot.sstables(table.keyspace)
    if not sstables:
        return 0
    _require_ours(table)
    await in_thread(lambda report: _stage(table, report), progress)
    if by_import:
        if table.staging.exists():
            staging = str(table.staging.resolve())
            await succeeded(nodetool, table.address, "import", NO_TOKENS, *of_table, staging, timeout=LOAD_TIMEOUT)
    else:
        await in_thread(lambda _: _place(table), progress)
        await succeeded(nodetool, table.address, "refresh", *of_table, timeout=LOAD_TIMEOUT)
    await in_thread(lambda _: _require_taken(table), lambda _: None)
    shutil.rmtree(table.staging, ignore_errors=True)
    return len(sstables)


def _require_ours(table: TableLoad) -> None:
    """The table's directory is there, and what is written there the node may own."""
    if not table.live.is_dir():
        raise SnapshotFailed(
            f"The node {table.address} has no {table.live}, though the table exists. Is {table.data_directory} that "
            "node's data directory (store.data_directories)?"
        )
    owner = table.live.stat().st_uid
    if os.geteuid() not in {0, owner}:
        raise SnapshotFailed(
            f"{table.live} belongs to user {owner}, and this runs as user {os.geteuid()}: the node could not take over "
            f"the files. Run this as user {owner} or as root, then resume."
        )


def _stage(table: TableLoad, progress: Progress) -> None:
    """Copy what the node does not have yet; an interrupted attempt's leftovers are copied anew."""
    shutil.rmtree(table.staging, ignore_errors=True)
    missing = _missing(table, _data_files(table))
    if not missing:
        return
    needed = sum(file.size for name in missing for file in _components(table)[name].values())
    require_space(table.live, needed, f"Loading {table.snapshot.name} on {table.address}")
    try:
        _make_owned(table.staging.parent, table.live)
        _make_owned(table.staging, table.live)
    except OSError as error:
        raise copy_failed(error, table.files, table.staging) from None
    for name, number in missing.items():
        for file in _components(table)[name].values():
            _stage_file(table, file, number, progress)
    sync_directory(table.staging)


def _stage_file(table: TableLoad, file: SnapshotFile, number: int, progress: Progress) -> None:
    parsed = sstable_file(file.name, table.keyspace, table.snapshot.name)
    assert parsed is not None
    target = table.staging / parsed.numbered(number)
    size, sha256 = copied(table.files / file.name, target, progress)
    if (size, sha256) != (file.size, file.sha256):
        raise SnapshotFailed(
            f"{table.files / file.name} changed since it was backed up: its checksum is another. "
            "Nothing of this table was loaded by this attempt. Use another backup."
        )
    _own_as(target, table.live, 0o666)


def _place(table: TableLoad) -> None:
    """Move what was staged into the table's directory, each sstable's data last: without it, it is not one."""
    if not table.staging.exists():
        return
    for path in sorted(table.staging.iterdir(), key=lambda path: path.name.endswith("-" + DATA)):
        path.replace(table.live / path.name)
    sync_directory(table.live)


def _require_taken(table: TableLoad) -> None:
    present = _data_files(table)
    missing = _missing(table, present)
    ours = [name for name in present if _is_ours(table, name)]
    if missing or ours:
        lost = f"not found in {table.live}: {in_words(missing)}" if missing else ""
        left = f"not taken over by the node: {in_words(ours)}" if ours else ""
        raise SnapshotFailed(
            f"Loading {table.snapshot.name} on {table.address} ended well, but its sstables are "
            f"{' and '.join(filter(None, (lost, left)))}. See the node's log; then drop the keyspace and restore again."
        )


def _components(table: TableLoad) -> Mapping[str, Mapping[str, SnapshotFile]]:
    return table.snapshot.sstables(table.keyspace)


def _missing(table: TableLoad, present: Mapping[str, Path]) -> dict[str, int]:
    """The snapshot's sstables whose data file the table does not have, and the number each gets."""
    by_size: dict[int, list[Path]] = {}
    for path in present.values():
        by_size.setdefault(path.stat().st_size, []).append(path)
    missing = {}
    for at, (name, components) in enumerate(_components(table).items()):
        data = components[DATA]
        if not any(checksum(path, lambda _: None) == data.sha256 for path in by_size.get(data.size, ())):
            missing[name] = FIRST_NUMBER + at
    return missing


def _data_files(table: TableLoad) -> Mapping[str, Path]:
    return {path.name: path for path in sorted(table.live.glob("*-" + DATA)) if path.is_file()}


def _is_ours(table: TableLoad, name: str) -> bool:
    parsed = sstable_file(name, table.keyspace, table.snapshot.name)
    return parsed is not None and parsed.generation.isdecimal() and int(parsed.generation) >= FIRST_NUMBER


def _make_owned(directory: Path, like: Path) -> None:
    if not directory.exists():
        directory.mkdir()
        _own_as(directory, like, 0o777)


def _own_as(path: Path, like: Path, permitted: int) -> None:
    """Owner, group and rights as the directory `like` has them."""
    model = like.stat()
    if os.geteuid() == 0:
        os.chown(path, model.st_uid, model.st_gid)
    path.chmod((model.st_mode & permitted) | 0o600)
