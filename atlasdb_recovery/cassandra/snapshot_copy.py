"""A snapshot's copy in a backup directory: sealed, read, and proven to be what was copied."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from atlasdb_recovery.cassandra.copying import Progress, checksum, write_durably
from atlasdb_recovery.cassandra.ports import ClusterIdentity, Keyspace
from atlasdb_recovery.cassandra.snapshot_files import (
    BESIDE_SSTABLES,
    DATA,
    FORMAT,
    HOST_ID,
    INDEX,
    NAME,
    STORE,
    NodeSnapshot,
    SnapshotFailed,
    SnapshotTable,
    StoreCopy,
    StoreIndex,
    TableDefinition,
    in_words,
    sstable_file,
)

Record = TypeVar("Record", StoreIndex, NodeSnapshot)


def seal(backup_dir: Path, identity: ClusterIdentity, keyspace: Keyspace, tag: str) -> StoreIndex:
    """Write the index of the whole copy, when every node's is there."""
    directory = backup_dir / STORE
    index = StoreIndex(
        format=FORMAT,
        cluster_name=identity.cluster_name,
        partitioner=identity.partitioner,
        keyspace=keyspace.name,
        create=keyspace.create,
        tables={table.name: TableDefinition(id=table.id, create=table.create) for table in keyspace.tables.values()},
        tag=tag,
        nodes={node.host_id: _sha256_of_index(directory / node.host_id) for node in identity.nodes},
    )
    write_durably(directory / INDEX, msgspec.json.format(msgspec.json.encode(index)))
    return index


def _sha256_of_index(directory: Path) -> str:
    return hashlib.sha256(_index_bytes(directory)).hexdigest()


def _index_bytes(directory: Path) -> bytes:
    try:
        return (directory / INDEX).read_bytes()
    except OSError as error:
        raise SnapshotFailed(
            f"{directory / INDEX} cannot be read ({error.strerror}): what lies there is not a complete copy. "
            "Use another backup, or back up again."
        ) from None


def node_copy(directory: Path) -> NodeSnapshot | None:
    """A finished copy of one node, or None if there is none (yet)."""
    return _decoded(_index_bytes(directory), directory, NodeSnapshot) if (directory / INDEX).exists() else None


def read_copy(backup_dir: Path) -> StoreCopy:
    """The copy's indexes, which must fit each other. The files themselves are looked at by `verify_copy`."""
    directory = backup_dir / STORE
    index = _decoded(_index_bytes(directory), directory, StoreIndex)
    if index.format != FORMAT:
        raise SnapshotFailed(f"{directory / INDEX} has format {index.format}; this version reads {FORMAT}.")
    nodes = []
    for host_id, sha256 in index.nodes.items():
        if not HOST_ID.fullmatch(host_id):
            raise SnapshotFailed(f"{directory / INDEX} names the node {host_id!r}, which is no host id.")
        content = _index_bytes(directory / host_id)
        node = _decoded(content, directory / host_id, NodeSnapshot)
        tables = {table.name: table.id for table in node.tables}
        if (
            hashlib.sha256(content).hexdigest() != sha256
            or (node.node.host_id, node.keyspace, node.tag) != (host_id, index.keyspace, index.tag)
            or tables != {name: table.id for name, table in index.tables.items()}
            or not all(NAME.fullmatch(name) for name in tables)
        ):
            raise SnapshotFailed(
                f"{directory / host_id / INDEX} is not the one that {directory / INDEX} was made with: "
                "files of different backups are mixed, or they were changed. Use another backup."
            )
        nodes.append(node)
    return StoreCopy(directory=directory, index=index, nodes=tuple(nodes))


def _decoded(content: bytes, directory: Path, record: type[Record]) -> Record:
    try:
        return msgspec.json.decode(content, type=record)
    except msgspec.DecodeError as error:
        raise SnapshotFailed(f"{directory / INDEX} is not an index of a copy: {error}. Use another backup.") from None


def verify_copy(backup_dir: Path, progress: Progress) -> StoreCopy:
    """Read every file back: right name, size, SHA-256; every sstable with its data; nothing missing, nothing extra."""
    copy = read_copy(backup_dir)
    problems = list(_strangers(copy.directory, {INDEX, *copy.index.nodes}))
    for node in copy.nodes:
        problems += _strangers(copy.directory / node.node.host_id, {INDEX, *copy.index.tables})
        for table in node.tables:
            problems += _problems_of(copy.files_of(node, table.name), copy.index.keyspace, table, progress)
    if problems:
        raise SnapshotFailed(
            f"The copy in {copy.directory} is not what was backed up: {in_words(problems)}. "
            "Restoring it could lose data silently. Use another backup, or repair this one from its own copy."
        )
    return copy


def _strangers(directory: Path, expected: set[str]) -> Iterator[str]:
    if not directory.is_dir():
        yield f"{directory} is missing"
        return
    yield from (f"{path} is extra" for path in sorted(directory.iterdir()) if path.name not in expected)


def _problems_of(directory: Path, keyspace: str, table: SnapshotTable, progress: Progress) -> Sequence[str]:
    problems = list(_strangers(directory, {file.name for file in table.files}))
    for file in table.files:
        path = directory / file.name
        if file.name not in BESIDE_SSTABLES and sstable_file(file.name, keyspace, table.name) is None:
            problems.append(f"{path} is no file of {table.name}")
        elif path.is_symlink() or not path.is_file():
            problems.append(f"{path} is missing")
        elif path.stat().st_size != file.size:
            problems.append(f"{path} has {path.stat().st_size} bytes instead of {file.size}")
        elif checksum(path, progress) != file.sha256:
            problems.append(f"{path} has other content than was copied")
    dataless = [name for name, components in table.sstables(keyspace).items() if DATA not in components]
    return problems + [f"{directory / name} has no {DATA}" for name in dataless]
