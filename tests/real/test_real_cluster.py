"""Real practice nodes: they see each other, can be stopped and started, and leave nothing behind."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from atlasdb_recovery.cassandra.cluster import DriverCluster
from atlasdb_recovery.cassandra.node_reports.membership import read_status
from atlasdb_recovery.cassandra.node_reports.node import read_info
from atlasdb_recovery.cassandra.nodetool import CommandNodetool
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.practice.practice_keyspace import unrepaired_reads
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_addresses import PORTS
from atlasdb_recovery.practice.real_settings import write_settings
from atlasdb_recovery.settings import Settings, load

pytestmark = pytest.mark.real

ENDS_WITHIN = 30
TABLE = "(key blob, column1 blob, column2 bigint, value blob, PRIMARY KEY (key, column1, column2)) WITH COMPACT STORAGE"
DIE_WITH_ME = """
import asyncio, pathlib, sys
from atlasdb_recovery.practice.real import RealCluster

async def start_and_wait():
    cluster = await RealCluster.start("5.0", pathlib.Path(sys.argv[1]), data_centers=("datacenter1",))
    print(cluster.process_id(cluster.addresses[0]), flush=True)
    await asyncio.Event().wait()

asyncio.run(start_and_wait())
"""


@asynccontextmanager
async def connected(real: RealCluster) -> AsyncIterator[DriverCluster]:
    cluster = await DriverCluster.connect(real.addresses, port=real.native_port)
    try:
        yield cluster
    finally:
        await cluster.close()


async def up_by_viewer(real: RealCluster) -> Mapping[str, set[str]]:
    nodetool = CommandNodetool(real.nodetool_command, nodes=real.nodetool_nodes)
    views = {}
    for viewer in real.addresses:
        output = await nodetool.run(viewer, "status")
        rows = read_status("\n".join(line.text for line in output.lines)).rows
        views[viewer] = {row.address for row in rows if row.up and row.state.upper() in {"N", "NORMAL"}}
    return views


async def test_every_node_sees_three_up_and_normal(real: RealCluster) -> None:
    assert len(real.addresses) == 3
    assert await up_by_viewer(real) == dict.fromkeys(real.addresses, set(real.addresses))


async def test_nodetool_of_each_address_reaches_that_very_node(real: RealCluster) -> None:
    nodetool = CommandNodetool(real.nodetool_command, nodes=real.nodetool_nodes)
    async with connected(real) as cluster:
        of_the_nodes = {address: (await cluster.node(address)).host_id for address in real.addresses}
    by_nodetool = {}
    for address in real.addresses:
        output = await nodetool.run(address, "info")
        by_nodetool[address] = read_info("\n".join(line.text for line in output.lines)).host_id
    assert by_nodetool == of_the_nodes
    assert len(set(by_nodetool.values())) == 3


async def test_nodetool_has_the_archive_of_its_classes(real: RealCluster) -> None:
    assert (real.directory / "nodetool.jsa").stat().st_size > 1_000_000


@pytest.mark.deep
async def test_a_stopped_node_misses_what_the_others_are_told(real: RealCluster) -> None:
    third = real.addresses[2]
    cell = Cell(b"\x10", b"t", 1, b"missed", 1_000)
    async with connected(real) as cluster:
        await cluster.change_schema(
            "CREATE KEYSPACE missed WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"
        )
        await cluster.change_schema(f"CREATE TABLE missed.t {TABLE}{unrepaired_reads(real.version)}")
        ended = psutil.Process(real.process_id(third))
        await real.stop_node(third)
        assert real.process_id(third) is None
        assert not ended.is_running()
        await cluster.put("missed", "t", cell, consistency=Consistency.ONE)
        await real.start_node(third)
    assert await up_by_viewer(real) == dict.fromkeys(real.addresses, set(real.addresses))
    async with connected(real) as cluster:
        held = {
            address: await cluster.read_partition("missed", "t", cell.key, consistency=Consistency.ONE, node=address)
            for address in real.addresses
        }
    assert held == {real.addresses[0]: (cell,), real.addresses[1]: (cell,), third: ()}


@pytest.mark.deep
async def test_a_node_asked_to_stop_keeps_what_it_was_told_last(real: RealCluster) -> None:
    second = real.addresses[1]
    cell = Cell(b"\x20", b"t", 1, b"kept", 1_000)
    async with connected(real) as cluster:
        await cluster.change_schema(
            "CREATE KEYSPACE kept WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"
        )
        await cluster.change_schema(f"CREATE TABLE kept.t {TABLE}")
        await cluster.put("kept", "t", cell, consistency=Consistency.ALL)
        await real.stop_node(second, kill=False)
        await real.start_node(second)
    async with connected(real) as cluster:
        assert await cluster.read_partition("kept", "t", cell.key, consistency=Consistency.ONE, node=second) == (cell,)


async def test_a_running_node_is_not_started_twice(real: RealCluster) -> None:
    before = real.process_id(real.addresses[0])
    with pytest.raises(ValueError, match="already running"):
        await real.start_node(real.addresses[0])
    assert real.process_id(real.addresses[0]) == before


async def test_the_written_settings_lead_to_the_cluster(real: RealCluster, tmp_path: Path) -> None:
    settings: Settings = load(write_settings(real, "shop", tmp_path / "operator's {own} place"))
    assert settings.keyspace == "shop"
    assert settings.cql.contact_points == real.addresses
    assert settings.store.data_directories == real.data_directories
    assert all((path / "system").is_dir() for path in settings.store.data_directories.values())
    nodetool = CommandNodetool(settings.nodetool.template, nodes=settings.nodetool.node_overrides)
    assert (await nodetool.run(real.addresses[1], "info")).exit_code == 0
    cluster = await DriverCluster.connect(settings.cql.contact_points, port=settings.cql.port)
    try:
        assert {node.address for node in (await cluster.identity()).nodes} == set(real.addresses)
    finally:
        await cluster.close()


async def test_stop_leaves_no_process_no_port_and_no_directory(tmp_path: Path) -> None:
    place = tmp_path / "two data centres"
    real = await RealCluster.start("5.0", place, data_centers=("east", "west"))
    try:
        async with connected(real) as cluster:
            nodes = (await cluster.identity()).nodes
        assert {node.address: node.data_center for node in nodes} == dict(
            zip(real.addresses, ("east", "west"), strict=True)
        )
        processes = [psutil.Process(real.process_id(address)) for address in real.addresses]
        assert real.directory.is_dir()
    finally:
        await real.stop()
    assert not [process for process in processes if process.is_running()]
    assert list(place.iterdir()) == []
    for address in real.addresses:
        for port in PORTS:
            with socket.socket() as free:
                free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                free.bind((address, port))


def test_a_killed_parent_leaves_no_java_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DIE_WITH_ME, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        node = psutil.Process(int(parent.stdout.readline()))
        assert "org.apache.cassandra.service.CassandraDaemon" in node.cmdline()
        parent.send_signal(signal.SIGKILL)
    _wait_until_gone(node)


def _wait_until_gone(process: psutil.Process) -> None:
    """Gone, or dead with nobody to bury it: in a container the first process may not care for orphans."""
    deadline = time.monotonic() + ENDS_WITHIN
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"process {process.pid} outlived its parent"
        time.sleep(0.05)
