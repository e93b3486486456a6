"""Each node's data directory on disk: snapshots, and store files coming back by refresh and import.

Laid out as Cassandra's: `<node>/<keyspace>/<table>-<id without dashes>/snapshots/<tag>/`. A store file holds the
node's cells, tombstones and write times included, as msgpack. Nothing touches the disk before it is needed.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Protocol

import msgspec

from atlasdb_recovery.practice.simulated.clock import SimulatedClock
from atlasdb_recovery.practice.simulated.dialect import Dialect
from atlasdb_recovery.practice.simulated.node import SimulatedNode
from atlasdb_recovery.practice.simulated.schema import SimulatedKeyspace, SimulatedTable
from atlasdb_recovery.practice.simulated.storage import Position, TableStore, Version
from atlasdb_recovery.practice.simulated.topology import Ring

STORE_FILE = re.compile(r"[a-z]{2}-(\d+)-big-Data\.db")


class SnapshotExists(Exception):
    """A table has a snapshot of this name already."""


class StoreFileRefused(Exception):
    """A directory's files cannot be taken in: unreadable, or keys outside of the node's ranges."""


class Owner(Protocol):
    """The cluster whose directories they are."""

    dialect: Dialect
    wall: SimulatedClock
    keyspaces: dict[str, SimulatedKeyspace]

    @property
    def addresses(self) -> tuple[str, ...]: ...

    def ring(self, keyspace: str) -> Ring: ...


class DataDirectories:
    """The data directories of a simulated cluster's nodes."""

    def __init__(self, servers: Owner, root: Path | None) -> None:
        self._servers = servers
        self._root = root
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._in_use = False
        self._loaded: set[Path] = set()

    def directories(self) -> dict[str, Path]:
        if not self._in_use:
            self._in_use = True
            for address in self._servers.addresses:
                self._directory(address).mkdir(parents=True, exist_ok=True)
            self.schema_changed()
        return {address: self._directory(address) for address in self._servers.addresses}

    def schema_changed(self) -> None:
        """A new table has its directory at once; a dropped one keeps it."""
        if not self._in_use:
            return
        for address in self._servers.addresses:
            for keyspace in self._servers.keyspaces.values():
                for table in keyspace.tables.values():
                    self.table_directory(address, keyspace.name, table).mkdir(parents=True, exist_ok=True)

    def table_directory(self, address: str, keyspace: str, table: SimulatedTable) -> Path:
        return self._directory(address) / keyspace / f"{table.name}-{table.id.replace('-', '')}"

    def snapshot(self, node: SimulatedNode, keyspace: str, table: SimulatedTable, tag: str) -> None:
        """Raises `SnapshotExists`."""
        self.directories()
        target = self.table_directory(node.address, keyspace, table) / "snapshots" / tag
        if target.exists():
            raise SnapshotExists(f"Snapshot {tag} already exists.")
        target.mkdir(parents=True)
        names = []
        if cells := node.store(table.id).cells:
            names.append(f"{self._servers.dialect.store_file_prefix}-1-big-Data.db")
            (target / names[0]).write_bytes(encoded(cells))
        manifest: dict[str, object] = {"files": names}
        if not self._servers.dialect.has_thrift:
            manifest |= {"created_at": self._now(), "expires_at": None, "ephemeral": False}
            (target / "schema.cql").write_text(_schema_in_a_comment(keyspace, table), encoding="utf-8")
        (target / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    def snapshots(self, address: str) -> Iterator[tuple[str, str, str, int]]:
        """(tag, keyspace, table, bytes) of every snapshot on this node, those of dropped tables included."""
        if not self._in_use:
            return
        for tag in sorted(self._directory(address).glob("*/*/snapshots/*")):
            table = tag.parent.parent
            size = sum(file.stat().st_size for file in tag.iterdir())
            yield tag.name, table.parent.name, table.name.rpartition("-")[0], size

    def clear_snapshots(self, address: str, tag: str | None, keyspaces: frozenset[str]) -> None:
        if not self._in_use:
            return
        for found in self._directory(address).glob(f"*/*/snapshots/{tag or '*'}"):
            if not keyspaces or found.parent.parent.parent.name in keyspaces:
                shutil.rmtree(found)

    def flush(self, node: SimulatedNode, keyspace: str, table: SimulatedTable) -> None:
        """Put on disk what no file of the table's directory has yet."""
        cells = node.store(table.id).cells
        if not self._in_use or not cells:
            return
        directory, content = self.table_directory(node.address, keyspace, table), encoded(cells)
        if not any(file.read_bytes() == content for file in _store_files(directory) if file in self._loaded):
            target = _free_name(directory, self._servers.dialect.store_file_prefix)
            target.write_bytes(content)
            self._loaded.add(target)

    def refresh(self, node: SimulatedNode, keyspace: str, table: SimulatedTable) -> None:
        """Take in the files that lie in the table's directory and are not in use yet. Raises `StoreFileRefused`."""
        self.directories()
        directory = self.table_directory(node.address, keyspace, table)
        new = [file for file in _store_files(directory) if file not in self._loaded]
        self._take_in(node.store(table.id), new)
        self._loaded.update(_moved(new, directory, copy=False))

    def take_in_directory(
        self, node: SimulatedNode, keyspace: str, table: SimulatedTable, source: Path, *, copy: bool, any_token: bool
    ) -> None:
        """`nodetool import`: moves the files in, unless `copy`. Raises `StoreFileRefused`."""
        self.directories()
        files = _store_files(source)
        if not any_token:
            replicas = self._servers.ring(keyspace).replicas
            for file in files:
                if any(node.address not in replicas(position[0]) for position, _ in decoded(file)):
                    raise StoreFileRefused(f"{file} has keys that {node.address} does not replicate")
        self._take_in(node.store(table.id), files)
        self._loaded.update(_moved(files, self.table_directory(node.address, keyspace, table), copy=copy))

    def _take_in(self, store: TableStore, files: list[Path]) -> None:
        for cells in [decoded(file) for file in files]:
            for position, version in cells:
                store.merge(position, version)

    def _directory(self, address: str) -> Path:
        if self._root is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="simulated-cluster-")
            self._root = Path(self._temporary.name)
        return self._root / address / "data"

    def _now(self) -> str:
        now = datetime.fromtimestamp(self._servers.wall.time(), UTC)
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encoded(cells: dict[Position, Version]) -> bytes:
    return msgspec.msgpack.encode(sorted(cells.items()))


def decoded(file: Path) -> list[tuple[Position, Version]]:
    """Raises `StoreFileRefused`."""
    try:
        return msgspec.msgpack.decode(file.read_bytes(), type=list[tuple[Position, Version]])
    except msgspec.MsgspecError as error:
        raise StoreFileRefused(f"{file} is corrupt: {error}") from None


def _store_files(directory: Path) -> list[Path]:
    return sorted(file for file in directory.iterdir() if STORE_FILE.fullmatch(file.name))


def _moved(files: list[Path], directory: Path, *, copy: bool) -> list[Path]:
    """The files under numbers of the node's own in the table's directory, as the server names what it takes in."""
    targets = []
    for file in files:
        target = _free_name(directory, file.name.partition("-")[0])
        shutil.copyfile(file, target) if copy else file.rename(target)
        targets.append(target)
    return targets


def _free_name(directory: Path, prefix: str) -> Path:
    numbers = {int(found[1]) for file in directory.iterdir() if (found := STORE_FILE.fullmatch(file.name))}
    return directory / f"{prefix}-{next(number for number in count(1) if number not in numbers)}-big-Data.db"


def _schema_in_a_comment(keyspace: str, table: SimulatedTable) -> str:
    """5.0 describes compact tables only inside a comment: running this creates nothing."""
    return (
        f"/*\nWarning: Table {keyspace}.{table.name} omitted because it has constructs not compatible with CQL "
        f"(was created via legacy API).\n{table.create(keyspace)}\n*/\n"
    )
