"""One real cluster of each version for the whole run, started when a test first asks for it.

Every worker of pytest-xdist would start its own: `pytest -n 2 --dist loadgroup` gives all tests of one version to one
worker, since what uses a fixture of real nodes named `…_5_0` is put into one `xdist_group` here, and likewise for the
fork's `…_2_2`. pytest-xdist hands out the largest groups first, so two workers begin with one version each. A test that
needs both versions would belong to both groups: there are none. Tests that stop a node start it again. Nothing is
skipped: without Java 17 these tests fail and say what to install.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from atlasdb_recovery.practice.real import RealCluster

VERSIONS = {"_5_0": "5.0", "_2_2": "2.2-palantir"}


MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30
"""Bytes that must be free there; a run takes a few hundred MB of them, the real nodes lie on the disk."""


def pytest_configure() -> None:
    """What tests write lies in memory where there is room: they make and remove thousands of small directories, and
    ext4 searches past every inode deleted in the last minutes for a new one, which took most of their time.

    Under nohup SIGHUP is ignored, behind a shell's & SIGINT is, and all that a test starts would inherit that.
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        names = {name for name in (*getattr(item, "fixturenames", ()), *parameters) if isinstance(name, str)}
        for ending, version in VERSIONS.items():
            of_version = {name for name in names if name.endswith(ending)}
            if of_version and not any(name.startswith("simulated") for name in of_version):
                item.add_marker(pytest.mark.real)
                item.add_marker(pytest.mark.xdist_group(f"real-{version}"))
            elif of_version:
                item.add_marker(pytest.mark.xdist_group(f"simulated-{version}"))
        if isinstance(item, pytest.Function) and item.get_closest_marker("real") is not None:
            item.fixturenames.insert(0, nothing_is_left_running.__name__)


@pytest.fixture
def nothing_is_left_running() -> Iterator[None]:
    """No process but the nodes of the clusters that all tests share. Every test on real nodes has it."""
    before = children()
    yield
    assert children() <= before, [process.cmdline() for process in children() - before]


def children() -> set[psutil.Process]:
    found = set()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "org.apache.cassandra.service.CassandraDaemon" not in process.cmdline():
                found.add(process)
    return found


@pytest.fixture(scope="session")
async def cluster_5_0() -> AsyncIterator[RealCluster]:
    async with _started("5.0") as cluster:
        yield cluster


@pytest.fixture(scope="session")
async def cluster_2_2() -> AsyncIterator[RealCluster]:
    async with _started("2.2-palantir") as cluster:
        yield cluster


@asynccontextmanager
async def _started(version: str) -> AsyncIterator[RealCluster]:
    with tempfile.TemporaryDirectory(prefix="real-nodes-") as directory:
        cluster = await RealCluster.start(version, Path(directory))
        yield cluster
        await cluster.stop()
