"""The files of a snapshot's copy: names of sstables, and the indexes that say what belongs to the copy.

A backup's `store/` folder holds `index.json` (`StoreIndex`), and for each node `<host id>/index.json`
(`NodeSnapshot`) with the files of each table in `<host id>/<table>/`. An index is written last: without it,
what lies there is not a copy.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from atlasdb_recovery.cassandra.ports import Node

STORE = "store"
INDEX = "index.json"
FORMAT = 1

NAME = re.compile(r"\w+")
"""What Cassandra allows as a keyspace's or table's name; nothing else becomes part of a path or a command."""

HOST_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

BESIDE_SSTABLES = frozenset({"manifest.json", "schema.cql"})
"""What a snapshot holds besides sstables."""

DATA = "Data.db"

_SSTABLE = re.compile(
    r"(?:(?P<keyspace>\w+)-(?P<table>\w+)-(?P<old_version>[a-z]{2})-(?P<old_generation>\d+)"
    r"|(?P<version>[a-z]{2})-(?P<generation>[0-9a-z_]+)-(?P<format>[a-z]+))"
    r"-(?P<component>[A-Za-z0-9_+]+\.[a-z0-9]+)"
)


class SnapshotFailed(Exception):
    """A snapshot, its copy or its loading is not as it must be. Says what, why it matters and what to do."""


class SSTableFile(msgspec.Struct, frozen=True):
    """A component's file name taken apart (`org.apache.cassandra.io.sstable.Descriptor`)."""

    sstable: str
    """The name without the component: `nb-12-big`, `lb-3-big`, `atlas-_transactions-ka-7`."""
    generation: str
    component: str

    def numbered(self, generation: int) -> str:
        """The file's name as that generation."""
        before, _, after = self.sstable.rpartition(f"-{self.generation}")
        return f"{before}-{generation}{after}-{self.component}"


def sstable_file(name: str, keyspace: str, table: str) -> SSTableFile | None:
    """None if this is no component of an sstable, or one that names another table (2.1's names do)."""
    found = _SSTABLE.fullmatch(name)
    if found is None or (found["keyspace"] and (found["keyspace"], found["table"]) != (keyspace, table)):
        return None
    component = found["component"]
    return SSTableFile(
        sstable=name.removesuffix(f"-{component}"),
        generation=found["generation"] or found["old_generation"],
        component=component,
    )


class SnapshotFile(msgspec.Struct, frozen=True):
    name: str
    size: int
    sha256: str


class SnapshotTable(msgspec.Struct, frozen=True):
    """One node's files of one table, as they were copied."""

    name: str
    id: str
    files: tuple[SnapshotFile, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def sstables(self, keyspace: str) -> Mapping[str, Mapping[str, SnapshotFile]]:
        """The components of each sstable by name, in the sstables' order."""
        found: dict[str, dict[str, SnapshotFile]] = {}
        for file in sorted(self.files, key=lambda file: file.name):
            if (parsed := sstable_file(file.name, keyspace, self.name)) is not None:
                found.setdefault(parsed.sstable, {})[parsed.component] = file
        return found


class NodeSnapshot(msgspec.Struct, frozen=True):
    """What was copied of one node, and which node it was."""

    keyspace: str
    tag: str
    node: Node
    tables: tuple[SnapshotTable, ...]

    @property
    def size(self) -> int:
        return sum(table.size for table in self.tables)


class TableDefinition(msgspec.Struct, frozen=True):
    """`create` is runnable CQL without an id."""

    id: str
    create: str


class StoreIndex(msgspec.Struct, frozen=True):
    """The whole copy: its keyspace and tables as CQL, and every node with the SHA-256 of its index."""

    format: int
    cluster_name: str
    partitioner: str
    keyspace: str
    create: str
    tables: Mapping[str, TableDefinition]
    tag: str
    nodes: Mapping[str, str]


class StoreCopy(msgspec.Struct, frozen=True):
    """A copy's indexes, read together."""

    directory: Path
    index: StoreIndex
    nodes: tuple[NodeSnapshot, ...]

    def files_of(self, node: NodeSnapshot, table: str) -> Path:
        return self.directory / node.node.host_id / table


def valid_name(name: str) -> str:
    """The name, if Cassandra could have given it; anything else raises `SnapshotFailed`."""
    if not NAME.fullmatch(name):
        raise SnapshotFailed(f"{name!r} is not a name of a keyspace or table; nothing was done with it.")
    return name


def table_directory(data_directory: Path, keyspace: str, table: str, table_id: str) -> Path:
    """Where a node keeps this very table: directories of dropped tables of the same name have other ids."""
    return data_directory / valid_name(keyspace) / f"{valid_name(table)}-{table_id.replace('-', '').lower()}"


def in_words(problems: Iterable[str], most: int = 10) -> str:
    """The first problems, and how many more there are."""
    listed = list(problems)
    more = f"; and {len(listed) - most} more" if len(listed) > most else ""
    return "; ".join(listed[:most]) + more
