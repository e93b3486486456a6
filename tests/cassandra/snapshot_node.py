"""Nodes made of temporary directories: what nodetool's snapshot commands do to a data directory, without Cassandra.

Like the real ones: snapshots are hard links with a manifest; `refresh` renames what it finds to the node's own
numbers; `import` moves files in and refuses a directory that is not there.
"""

import json
import os
import shutil
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from atlasdb_recovery.cassandra.ports import Finished, Keyspace, Line, Node, Output, Table

COMPONENTS = ("Index.db", "Data.db", "Statistics.db", "TOC.txt")


def table(name: str, create: str | None = None) -> Table:
    return Table(name=name, id=str(uuid.uuid4()), create=create or f"CREATE TABLE atlas.{name} (key blob PRIMARY KEY)")


def keyspace(*tables: Table) -> Keyspace:
    return Keyspace(
        name="atlas",
        replication={"class": "NetworkTopologyStrategy", "dc1": "3"},
        durable_writes=True,
        create="CREATE KEYSPACE atlas WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'}",
        tables={table.name: table for table in tables},
    )


def node(number: int, version: str = "5.0.6") -> Node:
    return Node(
        address=f"127.0.0.{number}",
        host_id=str(uuid.UUID(int=number)),
        data_center="dc1",
        rack="rack1",
        tokens=(f"{number:02x}",),
        release_version=version,
        schema_version="s",
    )


class DirectoryNode:
    """One node's data directory, and nodetool's commands on it."""

    def __init__(self, data: Path, version: str = "5.0.6") -> None:
        self.data = data
        self.version = version
        self.runs: list[tuple[str, ...]] = []
        self.takes_files = True
        self.fails: dict[str, int] = {}
        data.mkdir(parents=True)

    def directory(self, keyspace: str, table: Table) -> Path:
        return self.data / keyspace / f"{table.name}-{table.id.replace('-', '')}"

    def create(self, keyspace: str, table: Table) -> None:
        (self.directory(keyspace, table) / "backups").mkdir(parents=True, exist_ok=True)

    def flush(self, keyspace: str, table: Table, content: bytes) -> None:
        """An sstable of this content."""
        name = self._next_name(self.directory(keyspace, table))
        for component in COMPONENTS:
            written = content if component == "Data.db" else component.encode() + content[:5]
            (self.directory(keyspace, table) / f"{name}-{component}").write_bytes(written)

    def contents(self, keyspace: str, table: Table) -> list[bytes]:
        return sorted(path.read_bytes() for path in self.directory(keyspace, table).glob("*-Data.db"))

    def run(self, *arguments: str) -> tuple[int, str, str]:
        self.runs.append(arguments)
        if arguments[0] in self.fails:
            return self.fails[arguments[0]], "", f"error: {arguments[0]} failed"
        verb, *rest = arguments
        if verb == "snapshot":
            return self._snapshot(rest[1], rest[2])
        if verb == "clearsnapshot":
            for directory in (self.data / rest[2]).glob(f"*/snapshots/{rest[1]}"):
                shutil.rmtree(directory)
        if verb == "refresh":
            self._refresh(*rest)
        if verb == "import":
            assert rest.pop(0) == "--no-tokens"
            return self._import(*rest)
        return 0, "", ""

    def _newest(self, keyspace: str, name: str) -> Path:
        return max((self.data / keyspace).glob(f"{name}-*"), key=lambda path: path.stat().st_mtime_ns)

    def _snapshot(self, tag: str, keyspace: str) -> tuple[int, str, str]:
        for live in (self.data / keyspace).iterdir():
            target = live / "snapshots" / tag
            if target.exists():
                return 2, "", f"error: Snapshot {tag} already exists."
            target.mkdir(parents=True)
            files = [path for path in live.iterdir() if path.is_file()]
            for path in files:
                os.link(path, target / path.name)
            listed = [path.name for path in files if path.name.endswith("-Data.db")]
            (target / "manifest.json").write_text(json.dumps({"files": listed}))
        return 0, f"Snapshot directory: {tag}", ""

    def _next_name(self, live: Path) -> str:
        numbers = [int(path.name.split("-")[1]) for path in live.glob("nb-*")]
        own = [number for number in numbers if number < 1_000_000_000]
        return f"nb-{max(own, default=0) + 1}-big"

    def _refresh(self, keyspace: str, name: str) -> None:
        live = self._newest(keyspace, name)
        if self.takes_files:
            for data in sorted(live.glob("nb-1000*-Data.db")):
                self._take(live, live, data.name.removesuffix("-Data.db"))

    def _import(self, keyspace: str, name: str, source: str) -> tuple[int, str, str]:
        if not Path(source).is_absolute() or not Path(source).is_dir():
            return 2, "", f"error: Directory {source} does not exist"
        if self.takes_files:
            for data in sorted(Path(source).glob("*-Data.db")):
                self._take(Path(source), self._newest(keyspace, name), data.name.removesuffix("-Data.db"))
        return 0, "", ""

    def _take(self, source: Path, live: Path, stem: str) -> None:
        name = self._next_name(live)
        for path in sorted(source.glob(f"{stem}-*")):
            path.rename(live / path.name.replace(stem, name))


class DirectoryNodetool:
    """nodetool for directory nodes, by address."""

    def __init__(self, nodes: dict[str, DirectoryNode]) -> None:
        self.nodes = nodes

    def command(self, address: str, *arguments: str) -> tuple[str, ...]:
        return ("nodetool", "-h", address, *arguments)

    async def run(self, address: str, *arguments: str, timeout: float = 60.0) -> Output:
        exit_code, out, err = self.nodes[address].run(*arguments)
        lines = [Line(at=0, stream="stdout", text=text) for text in out.splitlines()]
        lines += [Line(at=0, stream="stderr", text=text) for text in err.splitlines()]
        return Output(command=self.command(address, *arguments), exit_code=exit_code, lines=tuple(lines))

    async def stream(self, address: str, *arguments: str) -> AsyncGenerator[Line | Finished, None]:
        output = await self.run(address, *arguments)
        for line in output.lines:
            yield line
        yield Finished(exit_code=output.exit_code, seconds=0)


def with_tables(of: Keyspace, *tables: Table) -> Keyspace:
    return msgspec.structs.replace(of, tables={table.name: table for table in tables})
