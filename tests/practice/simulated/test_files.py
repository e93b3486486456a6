"""Store files on disk: lazily, laid out as Cassandra's, refused where a real node refuses them."""

import json
from pathlib import Path

import pytest

from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.practice.simulated import Dialect, SimulatedCluster, SimulatedNodetool
from tests.contract.contract_cluster import TABLE_OPTIONS

FIRST, SECOND = "127.0.9.1", "127.0.9.2"


async def simulated(dialect: Dialect, root: Path, factor: int = 3) -> SimulatedCluster:
    cluster = SimulatedCluster(dialect=dialect, data_root=root)
    await cluster.change_schema(
        f"CREATE KEYSPACE ks WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': {factor}}}"
    )
    for table in ("t", "empty"):
        await cluster.change_schema(f"CREATE TABLE ks.{table} {TABLE_OPTIONS}")
    for first in (0x10, 0x60, 0xB0):
        cell = Cell(bytes([first]), b"c", 1, b"v", 10)
        await cluster.put("ks", "t", cell, consistency=Consistency.ALL)
    return cluster


def directory_of(cluster: SimulatedCluster, address: str, table: str) -> Path:
    table_id = cluster.table("ks", table).id.replace("-", "")
    return cluster.data_directories[address] / "ks" / f"{table}-{table_id}"


async def exit_code(cluster: SimulatedCluster, address: str, *arguments: str) -> int:
    return (await SimulatedNodetool(cluster).run(address, *arguments)).exit_code


async def test_nothing_is_written_before_it_is_needed(tmp_path: Path) -> None:
    cluster = await simulated(Dialect.APACHE, tmp_path)
    assert await exit_code(cluster, FIRST, "flush", "ks") == 0
    assert list(tmp_path.iterdir()) == []
    assert directory_of(cluster, FIRST, "t").is_dir()


@pytest.mark.parametrize("dialect", Dialect)
async def test_a_snapshot_is_laid_out_as_cassandras(dialect: Dialect, tmp_path: Path) -> None:
    cluster = await simulated(dialect, tmp_path)
    assert await exit_code(cluster, FIRST, "snapshot", "-t", "one", "ks") == 0
    prefix = "lb" if dialect is Dialect.PALANTIR else "nb"
    schema = set() if dialect is Dialect.PALANTIR else {"schema.cql"}
    found = directory_of(cluster, FIRST, "t") / "snapshots" / "one"
    assert {file.name for file in found.iterdir()} == {f"{prefix}-1-big-Data.db", "manifest.json"} | schema
    assert json.loads((found / "manifest.json").read_text())["files"] == [f"{prefix}-1-big-Data.db"]
    empty = directory_of(cluster, FIRST, "empty") / "snapshots" / "one"
    assert {file.name for file in empty.iterdir()} == {"manifest.json"} | schema
    assert not (directory_of(cluster, SECOND, "t") / "snapshots").exists()
    assert await exit_code(cluster, FIRST, "snapshot", "-t", "one", "ks") == 2


async def test_a_dropped_tables_directory_stays(tmp_path: Path) -> None:
    cluster = await simulated(Dialect.APACHE, tmp_path)
    old = directory_of(cluster, FIRST, "t")
    await cluster.change_schema("DROP TABLE ks.t")
    await cluster.change_schema(f"CREATE TABLE ks.t {TABLE_OPTIONS}")
    assert old.is_dir()
    assert len(list(old.parent.glob("t-*"))) == 2


@pytest.mark.parametrize("copy", [False, True])
async def test_import_moves_the_files_unless_told_to_copy(copy: bool, tmp_path: Path) -> None:
    cluster = await simulated(Dialect.APACHE, tmp_path)
    await exit_code(cluster, FIRST, "snapshot", "-t", "one", "ks")
    source = directory_of(cluster, FIRST, "t") / "snapshots" / "one"
    cluster.truncate("ks", "t")
    flags = ["--copy-data"] if copy else []
    assert await exit_code(cluster, FIRST, "import", *flags, "ks", "t", str(source)) == 0
    assert (source / "nb-1-big-Data.db").exists() == copy
    assert len(cluster.nodes[FIRST].store(cluster.table("ks", "t").id).cells) == 3
    assert [file.name for file in directory_of(cluster, FIRST, "t").glob("*-Data.db")] == ["nb-1-big-Data.db"]


async def test_import_refuses_other_nodes_keys_and_corrupt_files(tmp_path: Path) -> None:
    cluster = await simulated(Dialect.APACHE, tmp_path, factor=1)
    await exit_code(cluster, FIRST, "snapshot", "-t", "one", "ks")
    source = directory_of(cluster, FIRST, "t") / "snapshots" / "one"
    nodetool = SimulatedNodetool(cluster)
    output = await nodetool.run(SECOND, "import", "ks", "t", str(source))
    assert output.exit_code == 1
    assert output.stderr.splitlines() == [
        "Some directories failed to import, check server logs for details:",
        str(source),
    ]
    read = cluster.read_partition
    assert await exit_code(cluster, SECOND, "import", "--no-tokens", "ks", "t", str(source)) == 0
    assert await read("ks", "t", b"\xb0", consistency=Consistency.ONE, node=SECOND) != ()
    (source / "nb-2-big-Data.db").write_bytes(b"\xc1")
    assert await exit_code(cluster, FIRST, "import", "ks", "t", str(source)) == 1
    assert await exit_code(cluster, FIRST, "import", "ks", "nope", str(source)) == 1
    assert await exit_code(cluster, FIRST, "import", "ks", "t", str(tmp_path / "none")) == 2


async def test_a_refresh_takes_what_is_new_and_merges_it(tmp_path: Path) -> None:
    cluster = await simulated(Dialect.PALANTIR, tmp_path)
    await exit_code(cluster, FIRST, "snapshot", "-t", "one", "ks")
    live = directory_of(cluster, FIRST, "t")
    later = Cell(b"\x10", b"c", 1, b"later", 11)
    await cluster.put("ks", "t", later, consistency=Consistency.ALL)
    (live / "lb-1000000000-big-Data.db").write_bytes((live / "snapshots/one/lb-1-big-Data.db").read_bytes())
    assert await exit_code(cluster, FIRST, "refresh", "ks", "t") == 0
    assert [file.name for file in live.glob("*-Data.db")] == ["lb-1-big-Data.db"]
    found = await cluster.read_partition("ks", "t", b"\x10", consistency=Consistency.ONE, node=FIRST)
    assert found == (later,)
    cluster.truncate("ks", "t")
    assert await exit_code(cluster, FIRST, "refresh", "ks", "t") == 0
    assert cluster.nodes[FIRST].store(cluster.table("ks", "t").id).cells == {}
