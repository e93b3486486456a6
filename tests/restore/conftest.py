from pathlib import Path

import pytest

from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from tests.restore.arena import Arena


@pytest.fixture(params=[Dialect.APACHE, Dialect.PALANTIR], ids=str)
def simulated(request: pytest.FixtureRequest, tmp_path: Path) -> SimulatedPractice:
    return SimulatedPractice(request.param, data_root=tmp_path / "nodes")


@pytest.fixture
async def arena(simulated: SimulatedPractice, tmp_path: Path) -> Arena:
    """A backup was taken and the keyspace is lost."""
    made = Arena(simulated, tmp_path)
    await made.back_up_and_lose()
    return made
