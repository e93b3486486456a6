"""The same facts for two simulated and two real clusters."""

from collections.abc import AsyncIterator

import pytest

from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.simulated import Dialect
from tests.contract.contract_cluster import ContractCluster, SimulatedContract, make_keyspace
from tests.contract.real_contract import RealContract

KINDS = [
    pytest.param("simulated_5_0", id="simulated 5.0"),
    pytest.param("simulated_2_2", id="simulated 2.2-palantir"),
    pytest.param("cluster_5_0", id="real 5.0"),
    pytest.param("cluster_2_2", id="real 2.2-palantir"),
]


@pytest.fixture(scope="module", params=KINDS)
def started(request: pytest.FixtureRequest) -> RealCluster | Dialect:
    """Real nodes, or the version of those to be simulated."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, RealCluster | Dialect)
    return found


@pytest.fixture(scope="session")
def simulated_5_0() -> Dialect:
    return Dialect.APACHE


@pytest.fixture(scope="session")
def simulated_2_2() -> Dialect:
    return Dialect.PALANTIR


@pytest.fixture(scope="module")
async def contract(
    started: RealCluster | Dialect, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ContractCluster]:
    """One cluster of each kind for the tests of a module; a test that stops a node starts it again."""
    if isinstance(started, Dialect):
        yield SimulatedContract(started, tmp_path_factory.mktemp("simulated"))
        return
    async with RealContract.of(started) as real:
        yield real


@pytest.fixture
async def keyspace(contract: ContractCluster) -> str:
    """A new keyspace, replicated everywhere, with one table `t`."""
    await make_keyspace(contract, "contract", "t")
    return "contract"
