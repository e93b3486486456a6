"""The same facts for two simulated and two real clusters."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from atlasdb_recovery.practice.simulated import Dialect
from tests.contract.contract_cluster import ContractCluster, SimulatedContract, make_keyspace

KINDS = [
    pytest.param("simulated 5.0"),
    pytest.param("simulated 2.2-palantir"),
    pytest.param("real 5.0", marks=pytest.mark.real),
    pytest.param("real 2.2-palantir", marks=pytest.mark.real),
]


@pytest.fixture(scope="session", params=KINDS)
async def contract(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ContractCluster]:
    """One cluster of each kind for all tests; a test that stops a node starts it again."""
    kind, _, dialect = str(request.param).partition(" ")
    directory: Path = tmp_path_factory.mktemp(re.sub(r"\W", "-", str(request.param)))
    if kind == "simulated":
        yield SimulatedContract(Dialect(dialect), directory)
        return
    from tests.contract.real_contract import RealContract

    async with RealContract.started(Dialect(dialect), directory) as real:
        yield real


@pytest.fixture
async def keyspace(contract: ContractCluster) -> str:
    """A new keyspace, replicated everywhere, with one table `t`."""
    await make_keyspace(contract, "contract", "t")
    return "contract"
