"""One real cluster of each version for the whole run, started when a test first asks for it.

Every worker of pytest-xdist would start its own: `pytest -n 2 --dist loadgroup` gives all tests of one version to one
worker, since what uses `cluster_5_0` is marked `xdist_group("real-5.0")` here, and likewise for the fork. A test that
needs both versions belongs to both groups and so to a third one: keep those few. Tests that stop a node start it again.
Nothing is skipped: without Java 17 these tests fail and say what to install.
"""

from collections.abc import AsyncIterator

import pytest

from atlasdb_recovery.practice.real import RealCluster

GROUPS = {"cluster_5_0": "real-5.0", "cluster_2_2": "real-2.2-palantir"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        for fixture, group in GROUPS.items():
            if fixture in getattr(item, "fixturenames", ()) or fixture in parameters:
                item.add_marker(pytest.mark.real)
                item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
async def cluster_5_0(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealCluster]:
    cluster = await RealCluster.start("5.0", tmp_path_factory.mktemp("real"))
    yield cluster
    await cluster.stop()


@pytest.fixture(scope="session")
async def cluster_2_2(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealCluster]:
    cluster = await RealCluster.start("2.2-palantir", tmp_path_factory.mktemp("real"))
    yield cluster
    await cluster.stop()
