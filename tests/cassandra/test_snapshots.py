"""Snapshots taken, copied, proven and loaded, on directories."""

import asyncio
import errno
import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from atlasdb_recovery.cassandra.copying import CopyFailed, in_thread
from atlasdb_recovery.cassandra.ports import ClusterIdentity, Keyspace, Table
from atlasdb_recovery.cassandra.snapshot_copy import node_copy, read_copy, seal, verify_copy
from atlasdb_recovery.cassandra.snapshot_files import (
    NodeSnapshot,
    SnapshotFailed,
    SnapshotFile,
    SnapshotTable,
    sstable_file,
    valid_name,
)
from atlasdb_recovery.cassandra.snapshot_loading import FIRST_NUMBER, TableLoad, compaction_paused, load
from atlasdb_recovery.cassandra.snapshot_nodes import matched_nodes
from atlasdb_recovery.cassandra.snapshots import clear, copy_out, require_own_directory, take
from tests.cassandra.snapshot_node import DirectoryNode, DirectoryNodetool, keyspace, node, table

A = "127.0.0.1"
TAG = "recovery-1"


def ignored(count: int) -> None:
    """Progress that nobody looks at."""


class Place:
    """A node with two tables, one of them empty, and a backup directory."""

    def __init__(self, root: Path) -> None:
        self.node = DirectoryNode(root / "data")
        self.nodetool = DirectoryNodetool({A: self.node})
        self.rows, self.empty = table("_transactions"), table("foo__bar")
        self.keyspace = keyspace(self.rows, self.empty)
        for each in (self.rows, self.empty):
            self.node.create("atlas", each)
        self.node.flush("atlas", self.rows, b"first")
        self.node.flush("atlas", self.rows, b"other")
        self.backup = root / "backup"
        self.store = self.backup / "store"

    @property
    def copied_table(self) -> Path:
        return self.store / node(1).host_id / "_transactions"

    async def take_and_copy(self) -> NodeSnapshot:
        await take(self.nodetool, A, "atlas", TAG)
        return self.copy()

    def copy(self, progress: Callable[[int], None] = ignored) -> NodeSnapshot:
        destination = self.store / node(1).host_id
        return copy_out(self.node.data, self.keyspace, TAG, node=node(1), destination=destination, progress=progress)

    async def sealed(self) -> NodeSnapshot:
        snapshot = await self.take_and_copy()
        seal(self.backup, identity(), self.keyspace, TAG)
        return snapshot

    def new_table(self) -> Table:
        new = table("_transactions")
        self.node.create("atlas", new)
        return new

    def loading(self, new: Table, snapshot: NodeSnapshot) -> TableLoad:
        return TableLoad(
            address=A,
            data_directory=self.node.data,
            keyspace="atlas",
            table_id=new.id,
            snapshot=next(each for each in snapshot.tables if each.name == "_transactions"),
            files=self.copied_table,
            tag=TAG,
        )


def identity(*numbers: int, partitioner: str = "ByteOrdered") -> ClusterIdentity:
    nodes = tuple(node(number) for number in numbers or (1,))
    return ClusterIdentity(cluster_name="lab", partitioner=partitioner, nodes=nodes)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# Taking and clearing


async def test_taking_again_replaces_what_an_interrupted_attempt_left(place: Place) -> None:
    await take(place.nodetool, A, "atlas", TAG)
    place.node.flush("atlas", place.rows, b"later")
    await take(place.nodetool, A, "atlas", TAG)
    snapshot = place.node.directory("atlas", place.rows) / "snapshots" / TAG
    assert len(list(snapshot.glob("*-Data.db"))) == 3


async def test_a_failed_snapshot_names_what_nodetool_said(place: Place) -> None:
    place.node.fails["snapshot"] = 2
    with pytest.raises(SnapshotFailed, match=r"exit code 2: error: snapshot failed"):
        await take(place.nodetool, A, "atlas", TAG)


@pytest.mark.parametrize("tag", ["", " ", "-t", "--all", "a/b", "a b", "..", "x\n"])
async def test_never_cleared_without_a_proper_tag(place: Place, tag: str) -> None:
    with pytest.raises(SnapshotFailed, match="no snapshot tag"):
        await clear(place.nodetool, A, tag, "atlas")
    assert place.node.runs == []


async def test_clearing_leaves_other_snapshots(place: Place) -> None:
    await take(place.nodetool, A, "atlas", "theirs")
    await take(place.nodetool, A, "atlas", TAG)
    await clear(place.nodetool, A, TAG, "atlas")
    assert [path.name for path in (place.node.directory("atlas", place.rows) / "snapshots").iterdir()] == ["theirs"]


async def test_a_data_directory_of_another_node_is_found_out(place: Place, tmp_path: Path) -> None:
    await require_own_directory(place.nodetool, A, place.node.data, place.keyspace, TAG)
    assert not list(place.node.data.glob("*/*/snapshots/*"))
    other = DirectoryNode(tmp_path / "other")
    for each in (place.rows, place.empty):
        other.create("atlas", each)
    with pytest.raises(SnapshotFailed, match="is not the data directory of"):
        await require_own_directory(place.nodetool, A, other.data, place.keyspace, TAG)


# Copying out


async def test_the_copy_is_of_the_current_table_and_shares_nothing_with_live_files(place: Place) -> None:
    dropped = table("_transactions")
    place.node.create("atlas", dropped)
    place.node.flush("atlas", dropped, b"of the dropped table")
    snapshot = await place.take_and_copy()
    assert {each.name: each.id for each in snapshot.tables} == {
        "_transactions": place.rows.id,
        "foo__bar": place.empty.id,
    }
    assert sorted(path.read_bytes() for path in place.copied_table.glob("*-Data.db")) == [b"first", b"other"]
    live = {path.stat().st_ino for path in place.node.data.rglob("*") if path.is_file()}
    assert not live & {path.stat().st_ino for path in place.store.rglob("*") if path.is_file()}
    assert node_copy(place.store / node(1).host_id) == snapshot


async def test_progress_counts_every_byte(place: Place) -> None:
    await take(place.nodetool, A, "atlas", TAG)
    counted: list[int] = []
    assert sum(counted) == 0
    snapshot = place.copy(counted.append)
    assert sum(counted) == snapshot.size > 0


async def test_refused_when_the_table_has_no_snapshot_here(place: Place) -> None:
    await take(place.nodetool, A, "atlas", TAG)
    (place.node.directory("atlas", place.empty) / "snapshots" / TAG).rename(place.backup.parent / "gone")
    with pytest.raises(SnapshotFailed, match=r"There is no .*foo__bar-.*several data directories"):
        place.copy()
    assert node_copy(place.store / node(1).host_id) is None


@pytest.mark.parametrize("harm", ["lost", "extra", "manifest lost", "manifest torn", "stray", "directory", "link"])
async def test_a_snapshot_that_is_not_whole_is_refused(place: Place, harm: str) -> None:
    await take(place.nodetool, A, "atlas", TAG)
    directory = place.node.directory("atlas", place.rows) / "snapshots" / TAG
    if harm == "lost":
        (directory / "nb-2-big-Data.db").unlink()
    elif harm == "extra":
        (directory / "nb-9-big-Data.db").write_bytes(b"x")
    elif harm == "manifest lost":
        (directory / "manifest.json").unlink()
    elif harm == "manifest torn":
        (directory / "manifest.json").write_text('{"files": [')
    elif harm == "stray":
        (directory / "atlas-other-ka-1-Data.db").write_bytes(b"x")
    elif harm == "directory":
        (directory / ".index").mkdir()
    else:
        (directory / "nb-3-big-Index.db").symlink_to("/etc/hostname")
    with pytest.raises(SnapshotFailed, match="not whole|no file of|cannot be told"):
        place.copy()
    assert not (place.store / node(1).host_id).exists()


async def test_an_interrupted_copy_is_no_copy_and_is_made_anew(place: Place) -> None:
    await take(place.nodetool, A, "atlas", TAG)

    def stop(count: int) -> NoReturn:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.copy(stop)
    assert node_copy(place.store / node(1).host_id) is None
    assert place.copy().size > 0
    assert [path.name for path in place.store.iterdir()] == [node(1).host_id]


async def test_a_full_disk_is_said_plainly(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await take(place.nodetool, A, "atlas", TAG)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CopyFailed, match=r"is full .*Make room there, then resume"):
        place.copy()


async def test_too_little_space_is_seen_before_the_first_byte(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await take(place.nodetool, A, "atlas", TAG)
    usage = shutil.disk_usage(place.backup.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=3))
    copied: list[int] = []
    with pytest.raises(CopyFailed, match="3 Bytes are free"):
        place.copy(copied.append)
    assert copied == []


# Proving a copy


async def test_a_good_copy_is_proven_by_reading_it_all(place: Place) -> None:
    snapshot = await place.sealed()
    counted: list[int] = []
    assert verify_copy(place.backup, counted.append).nodes == (snapshot,)
    assert sum(counted) == snapshot.size


@pytest.mark.parametrize("harm", ["byte", "cut", "lost", "extra file", "extra table", "extra node", "link"])
async def test_any_change_of_the_copy_is_found(place: Place, harm: str) -> None:
    await place.sealed()
    data = place.copied_table / "nb-1-big-Data.db"
    if harm == "byte":
        data.write_bytes(b"First")
    elif harm == "cut":
        data.write_bytes(b"firs")
    elif harm == "lost":
        data.unlink()
    elif harm == "extra file":
        (place.copied_table / "nb-7-big-Data.db").write_bytes(b"x")
    elif harm == "extra table":
        (place.copied_table.parent / "other").mkdir()
    elif harm == "extra node":
        (place.store / node(2).host_id).mkdir()
    else:
        data.rename(place.backup / "moved")
        data.symlink_to(place.backup / "moved")
    with pytest.raises(SnapshotFailed, match="is not what was backed up"):
        verify_copy(place.backup, ignored)


async def test_indexes_that_do_not_belong_together_are_refused(place: Place) -> None:
    await place.sealed()
    index = place.store / node(1).host_id / "index.json"
    index.write_text(index.read_text().replace("rack1", "rack2"))
    with pytest.raises(SnapshotFailed, match="files of different backups are mixed"):
        read_copy(place.backup)


async def test_an_index_cannot_lead_out_of_its_directory(place: Place) -> None:
    await place.sealed()
    path = place.store / "index.json"
    index = json.loads(path.read_text())
    index["nodes"] = {"../../elsewhere": "00"}
    path.write_text(json.dumps(index))
    with pytest.raises(SnapshotFailed, match="no host id"):
        read_copy(place.backup)


def test_what_is_not_a_copy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotFailed, match="not a complete copy"):
        read_copy(tmp_path)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "index.json").write_text("{")
    with pytest.raises(SnapshotFailed, match="not an index"):
        read_copy(tmp_path)


async def test_an_sstable_without_its_data_is_found(place: Place) -> None:
    snapshot = await place.take_and_copy()
    index = place.store / node(1).host_id / "index.json"
    name = next(file.name for file in snapshot.tables[0].files if file.name.endswith("-Data.db"))
    (place.copied_table / name).unlink()
    kept = tuple(file for file in snapshot.tables[0].files if file.name != name)
    first = msgspec.structs.replace(snapshot.tables[0], files=kept)
    index.write_bytes(msgspec.json.encode(msgspec.structs.replace(snapshot, tables=(first, *snapshot.tables[1:]))))
    seal(place.backup, identity(), place.keyspace, TAG)
    with pytest.raises(SnapshotFailed, match=r"has no Data\.db"):
        verify_copy(place.backup, ignored)


# Names


@pytest.mark.parametrize(
    ("name", "sstable", "generation", "component", "numbered"),
    [
        ("nb-12-big-Data.db", "nb-12-big", "12", "Data.db", "nb-7-big-Data.db"),
        ("lb-3-big-Digest.adler32", "lb-3-big", "3", "Digest.adler32", "lb-7-big-Digest.adler32"),
        ("da-2-bti-Partitions.db", "da-2-bti", "2", "Partitions.db", "da-7-bti-Partitions.db"),
        ("atlas-t-ka-5-TOC.txt", "atlas-t-ka-5", "5", "TOC.txt", "atlas-t-ka-7-TOC.txt"),
        (
            "oa-3g0x_0abc_46w3k2cpidnirvjy7k-big-Data.db",
            "oa-3g0x_0abc_46w3k2cpidnirvjy7k-big",
            "3g0x_0abc_46w3k2cpidnirvjy7k",
            "Data.db",
            "oa-7-big-Data.db",
        ),
    ],
)
def test_names_of_sstables(name: str, sstable: str, generation: str, component: str, numbered: str) -> None:
    parsed = sstable_file(name, "atlas", "t")
    assert parsed is not None
    assert (parsed.sstable, parsed.generation, parsed.component) == (sstable, generation, component)
    assert parsed.numbered(7) == numbered


@pytest.mark.parametrize(
    "name", ["atlas-other-ka-5-Data.db", "nb-1-big", "../nb-1-big-Data.db", "nb-1-big-../x.db", ""]
)
def test_names_that_are_not_this_tables(name: str) -> None:
    assert sstable_file(name, "atlas", "t") is None


@pytest.mark.parametrize("name", ["", "a/b", "..", "a-b", "a b", "a;"])
def test_names_that_cassandra_never_gave(name: str) -> None:
    with pytest.raises(SnapshotFailed, match="not a name"):
        valid_name(name)


# Loading


@pytest.mark.parametrize("by_import", [True, False])
async def test_loading_gives_the_node_the_files_under_its_own_names(place: Place, by_import: bool) -> None:
    snapshot = await place.sealed()
    new = place.new_table()
    before = {path: path.read_bytes() for path in place.backup.rglob("*") if path.is_file()}
    counted: list[int] = []
    assert await load(place.nodetool, place.loading(new, snapshot), by_import=by_import, progress=counted.append) == 2
    assert place.node.contents("atlas", new) == [b"first", b"other"]
    live = place.node.directory("atlas", new)
    assert sorted(path.name for path in live.glob("*-Data.db")) == ["nb-1-big-Data.db", "nb-2-big-Data.db"]
    assert not (live / "snapshots" / TAG).exists()
    assert {path: path.read_bytes() for path in before} == before
    assert sum(counted) > 0
    assert place.node.runs[-1][0] == ("import" if by_import else "refresh")


async def test_compaction_goes_on_after_success_and_after_failure(place: Place) -> None:
    async with compaction_paused(place.nodetool, A, "atlas"):
        assert place.node.runs == [("disableautocompaction", "atlas")]
    assert place.node.runs[1:] == [("enableautocompaction", "atlas")]
    with pytest.raises(KeyError):
        async with compaction_paused(place.nodetool, A, "atlas"):
            raise KeyError
    assert place.node.runs[-1] == ("enableautocompaction", "atlas")


@pytest.mark.parametrize("by_import", [True, False])
async def test_loading_again_loads_nothing_twice(place: Place, by_import: bool) -> None:
    snapshot = await place.sealed()
    loading = place.loading(place.new_table(), snapshot)
    for _ in range(2):
        await load(place.nodetool, loading, by_import=by_import, progress=ignored)
    assert len(list(loading.live.glob("*-Data.db"))) == 2


@pytest.mark.parametrize("by_import", [True, False])
async def test_a_load_that_died_in_the_middle_is_finished(place: Place, by_import: bool) -> None:
    snapshot = await place.sealed()
    loading = place.loading(place.new_table(), snapshot)
    place.node.flush("atlas", Table(name="_transactions", id=loading.table_id, create=""), b"other")
    loading.staging.mkdir(parents=True)
    (loading.staging / f"nb-{FIRST_NUMBER}-big-Data.db").write_bytes(b"fi")
    await load(place.nodetool, loading, by_import=by_import, progress=ignored)
    assert sorted(path.read_bytes() for path in loading.live.glob("*-Data.db")) == [b"first", b"other"]


async def test_files_placed_but_never_refreshed_are_refreshed(place: Place) -> None:
    snapshot = await place.sealed()
    loading = place.loading(place.new_table(), snapshot)
    place.node.takes_files = False
    with pytest.raises(SnapshotFailed, match="not taken over by the node"):
        await load(place.nodetool, loading, by_import=False, progress=ignored)
    place.node.takes_files = True
    await load(place.nodetool, loading, by_import=False, progress=ignored)
    assert sorted(path.name for path in loading.live.glob("*-Data.db")) == ["nb-1-big-Data.db", "nb-2-big-Data.db"]


async def test_an_import_that_took_nothing_is_not_believed(place: Place) -> None:
    snapshot = await place.sealed()
    place.node.takes_files = False
    with pytest.raises(SnapshotFailed, match="not found in"):
        await load(place.nodetool, place.loading(place.new_table(), snapshot), by_import=True, progress=ignored)


async def test_a_file_changed_since_is_not_loaded(place: Place) -> None:
    snapshot = await place.sealed()
    (place.copied_table / "nb-1-big-Data.db").write_bytes(b"FIRST")
    loading = place.loading(place.new_table(), snapshot)
    with pytest.raises(SnapshotFailed, match="changed since it was backed up"):
        await load(place.nodetool, loading, by_import=True, progress=ignored)
    assert list(loading.live.glob("*-Data.db")) == []


async def test_a_missing_table_directory_is_refused(place: Place) -> None:
    snapshot = await place.sealed()
    with pytest.raises(SnapshotFailed, match=r"data_directories"):
        await load(place.nodetool, place.loading(table("_transactions"), snapshot), by_import=True, progress=ignored)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_files_belong_to_whom_the_directory_belongs(place: Place) -> None:
    snapshot = await place.sealed()
    loading = place.loading(place.new_table(), snapshot)
    loading.live.chmod(0o750)
    os.chown(loading.live, 4321, 1234)
    await load(place.nodetool, loading, by_import=True, progress=ignored)
    found = {
        (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o777) for path in loading.live.glob("nb-*")
    }
    assert found == {(4321, 1234, 0o640)}


async def test_cancelled_thread_work_stops_at_its_next_report() -> None:
    begun, go_on, after = threading.Event(), threading.Event(), []

    def work(progress: Callable[[int], None]) -> None:
        begun.set()
        go_on.wait()
        progress(1)
        after.append("went on")

    task = asyncio.create_task(in_thread(work, ignored))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    asyncio.get_running_loop().call_soon(go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert after == []


# Nodes


def a_copy(place: Place, *numbers: int) -> None:
    place.store.mkdir(parents=True)
    for number in numbers:
        directory = place.store / node(number).host_id
        (directory / "_transactions").mkdir(parents=True)
        tables = tuple(
            SnapshotTable(name=each.name, id=each.id, files=(SnapshotFile("manifest.json", 0, ""),))
            for each in place.keyspace.tables.values()
        )
        snapshot = NodeSnapshot(keyspace="atlas", tag=TAG, node=node(number), tables=tables)
        (directory / "index.json").write_bytes(msgspec.json.encode(snapshot))
    seal(place.backup, identity(*numbers), place.keyspace, TAG)


def test_nodes_are_matched_by_tokens_whatever_their_address_and_host_id(place: Place) -> None:
    a_copy(place, 1, 2)
    moved = tuple(
        msgspec.structs.replace(node(number), address=f"10.0.0.{number}", host_id=node(number + 7).host_id)
        for number in (2, 1)
    )
    present = ClusterIdentity(cluster_name="new", partitioner="ByteOrdered", nodes=moved)
    matched = matched_nodes(read_copy(place.backup), present)
    assert {address: each.node.address for address, each in matched.items()} == {
        "10.0.0.1": "127.0.0.1",
        "10.0.0.2": "127.0.0.2",
    }


@pytest.mark.parametrize("numbers", [(1,), (1, 2, 3), (1, 3)])
def test_other_tokens_are_refused_with_what_differs(place: Place, numbers: tuple[int, ...]) -> None:
    a_copy(place, 1, 2)
    with pytest.raises(SnapshotFailed, match=r"Backed up without a match: .*Present without a match: ") as refused:
        matched_nodes(read_copy(place.backup), identity(*numbers))
    for number in {1, 2} ^ set(numbers):
        assert f"127.0.0.{number} in dc1/rack1 with 1 tokens (0{number})" in str(refused.value)


def test_another_rack_or_partitioner_is_refused(place: Place) -> None:
    a_copy(place, 1)
    elsewhere = msgspec.structs.replace(identity(1), nodes=(msgspec.structs.replace(node(1), rack="rack9"),))
    with pytest.raises(SnapshotFailed, match="rack9"):
        matched_nodes(read_copy(place.backup), elsewhere)
    with pytest.raises(SnapshotFailed, match="partitioner"):
        matched_nodes(read_copy(place.backup), identity(1, partitioner="Murmur3"))


def test_the_index_tells_the_schema(place: Place) -> None:
    a_copy(place, 1)
    index = read_copy(place.backup).index
    assert index.create == place.keyspace.create
    assert {name: (each.id, each.create) for name, each in index.tables.items()} == {
        name: (each.id, each.create) for name, each in place.keyspace.tables.items()
    }


def test_names_of_other_keyspaces_do_not_reach_paths(place: Place) -> None:
    bad = Keyspace(name="../x", replication={}, durable_writes=True, create="", tables=place.keyspace.tables)
    with pytest.raises(SnapshotFailed, match="not a name"):
        copy_out(place.node.data, bad, TAG, node=node(1), destination=place.store / "x", progress=ignored)
