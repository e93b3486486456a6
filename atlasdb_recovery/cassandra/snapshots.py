"""A keyspace's snapshot on one node: taken, copied out of the data directory, cleared.

Snapshots are hard links of one node's sstables at one moment (`nodetool snapshot` flushes first); each node's
moment is its own. The copies are byte copies with checksums.
"""

import re
import shutil
from pathlib import Path

import msgspec

from atlasdb_recovery.cassandra.copying import Progress, copied, require_space, sync_directory, write_durably
from atlasdb_recovery.cassandra.ports import Keyspace, Node, Nodetool, Output, Table
from atlasdb_recovery.cassandra.snapshot_files import (
    BESIDE_SSTABLES,
    DATA,
    INDEX,
    NodeSnapshot,
    SnapshotFailed,
    SnapshotFile,
    SnapshotTable,
    in_words,
    sstable_file,
    table_directory,
    valid_name,
)
from atlasdb_recovery.foreign import plain

SNAPSHOT_TIMEOUT = 600.0
"""Seconds; a snapshot flushes every table first."""

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


async def take(nodetool: Nodetool, address: str, keyspace: str, tag: str) -> None:
    """Snapshot the keyspace's tables on this node, after clearing what an interrupted attempt left under this tag.

    That every table's snapshot is there and whole is seen in the data directory, by `copy_out`.
    """
    await clear(nodetool, address, tag, keyspace)
    await succeeded(nodetool, address, "snapshot", "-t", valid_tag(tag), valid_name(keyspace))


async def clear(nodetool: Nodetool, address: str, tag: str, keyspace: str) -> None:
    """Remove this keyspace's snapshot of this tag; never without a tag, which would remove them all."""
    await succeeded(nodetool, address, "clearsnapshot", "-t", valid_tag(tag), valid_name(keyspace))


async def require_own_directory(
    nodetool: Nodetool, address: str, data_directory: Path, keyspace: Keyspace, tag: str
) -> None:
    """Prove that this directory is this node's: a snapshot that the node takes appears in it.

    Files laid into another node's directory would be rows that it does not serve. Raises `SnapshotFailed`.
    """
    probe = f"{valid_tag(tag)}-probe"
    await take(nodetool, address, keyspace.name, probe)
    tables = _tables(keyspace)
    directories = [table_directory(data_directory, keyspace.name, table.name, table.id) for table in tables]
    missing = [str(directory) for directory in directories if not (directory / "snapshots" / probe).is_dir()]
    await clear(nodetool, address, probe, keyspace.name)
    if missing:
        raise SnapshotFailed(
            f"{data_directory} is not the data directory of {plain(address)}, or not its only one: a snapshot that the "
            f"node took did not appear under {in_words(missing, most=3)}. Correct store.data_directories, then resume."
        )


async def succeeded(nodetool: Nodetool, address: str, *arguments: str, timeout: float = SNAPSHOT_TIMEOUT) -> Output:
    """Run nodetool; any exit code but 0 raises `SnapshotFailed` with what it said."""
    output = await nodetool.run(address, *arguments, timeout=timeout)
    if output.exit_code != 0:
        said = plain((output.stderr.strip() or output.stdout.strip()).partition("\n")[0], 500)
        raise SnapshotFailed(
            f"nodetool {' '.join(arguments)} failed on {plain(address)} with exit code {output.exit_code}: {said}. "
            "See the node's log, put it right, then resume."
        )
    return output


def valid_tag(tag: str) -> str:
    """The tag, if it is one: not empty, no option, no path."""
    if not TAG.fullmatch(tag):
        raise SnapshotFailed(f"{tag!r} is no snapshot tag; nothing was done.")
    return tag


def copy_out(
    data_directory: Path, keyspace: Keyspace, tag: str, *, node: Node, destination: Path, progress: Progress
) -> NodeSnapshot:
    """Copy a node's snapshot into `destination`, which appears only when it is complete and durable.

    Raises `SnapshotFailed` where a table's snapshot is not there or not whole, `CopyFailed` where a file is not copied.
    """
    snapshots = {table.name: _snapshot_files(data_directory, keyspace.name, table, tag) for table in _tables(keyspace)}
    draft = destination.with_name(destination.name + ".partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    needed = sum(path.stat().st_size for paths in snapshots.values() for path in paths)
    require_space(draft, needed, f"The copy of {node.address}'s snapshot")
    tables = tuple(
        SnapshotTable(
            name=name, id=keyspace.tables[name].id, files=_copy_table(snapshots[name], draft / name, progress)
        )
        for name in snapshots
    )
    snapshot = NodeSnapshot(keyspace=keyspace.name, tag=tag, node=node, tables=tables)
    write_durably(draft / INDEX, msgspec.json.format(msgspec.json.encode(snapshot)))
    draft.replace(destination)
    sync_directory(destination.parent)
    return snapshot


def _tables(keyspace: Keyspace) -> list[Table]:
    return [keyspace.tables[name] for name in sorted(keyspace.tables)]


def _snapshot_files(data_directory: Path, keyspace: str, table: Table, tag: str) -> list[Path]:
    """The snapshot's files, if it is whole: exactly the sstables that its own manifest lists."""
    directory = table_directory(data_directory, keyspace, table.name, table.id) / "snapshots" / valid_tag(tag)
    if not directory.is_dir():
        raise SnapshotFailed(
            f"There is no {directory}, though the table exists and its snapshot was taken. Is {data_directory} this "
            "node's data directory (store.data_directories)? A node with several data directories cannot be backed up "
            "by this method."
        )
    paths = sorted(directory.iterdir())
    strange = [
        path.name
        for path in paths
        if path.is_symlink()
        or not path.is_file()
        or (path.name not in BESIDE_SSTABLES and sstable_file(path.name, keyspace, table.name) is None)
    ]
    if strange:
        raise SnapshotFailed(
            f"{directory} holds what is no file of this table's sstables: {in_words(strange)}. "
            "A copy that might lack data is not made; find out what these are."
        )
    _require_whole(directory, {path.name for path in paths})
    return paths


def _require_whole(directory: Path, names: set[str]) -> None:
    manifest = directory / "manifest.json"
    try:
        listed = set(msgspec.json.decode(manifest.read_bytes(), type=_Manifest).files)
    except (OSError, msgspec.DecodeError) as error:
        raise SnapshotFailed(
            f"{manifest} cannot be read ({error}), so whether the snapshot is whole cannot be told. "
            "Does the node have several data directories? Those cannot be backed up by this method."
        ) from None
    present = {name for name in names if name.endswith("-" + DATA)}
    if listed != present:
        raise SnapshotFailed(
            f"{directory} is not whole: its manifest lists {len(listed)} sstables, {len(present)} are there; "
            f"they differ in {in_words(sorted(listed ^ present))}. "
            "A node with several data directories cannot be backed up by this method."
        )


class _Manifest(msgspec.Struct):
    files: list[str]


def _copy_table(paths: list[Path], target: Path, progress: Progress) -> tuple[SnapshotFile, ...]:
    target.mkdir()
    files = []
    for path in paths:
        size, sha256 = copied(path, target / path.name, progress)
        files.append(SnapshotFile(name=path.name, size=size, sha256=sha256))
    sync_directory(target)
    return tuple(files)
