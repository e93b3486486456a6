from collections.abc import AsyncIterator

import pytest

from atlasdb_recovery.practice.real import RealCluster
from tests.real.lost import Lost, lost


@pytest.fixture(params=["cluster_5_0", "cluster_2_2"])
def real(request: pytest.FixtureRequest) -> RealCluster:
    """Three running nodes of each version."""
    cluster = request.getfixturevalue(request.param)
    assert isinstance(cluster, RealCluster)
    return cluster


@pytest.fixture(scope="session")
async def lost_5_0(cluster_5_0: RealCluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lost]:
    async with lost(cluster_5_0, tmp_path_factory.mktemp("lost")) as found:
        yield found


@pytest.fixture(scope="session")
async def lost_2_2(cluster_2_2: RealCluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lost]:
    async with lost(cluster_2_2, tmp_path_factory.mktemp("lost")) as found:
        yield found


@pytest.fixture
def lost_keyspace(request: pytest.FixtureRequest) -> Lost:
    """Of the version that the test names."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Lost)
    return found
