from pathlib import Path

import pytest

from atlasdb_recovery.practice.simulated import Dialect
from tests.repair.bench import RepairBench


@pytest.fixture(params=[Dialect.APACHE, Dialect.PALANTIR], ids=str)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    assert isinstance(request.param, Dialect)
    return request.param


@pytest.fixture
async def bench(dialect: Dialect, tmp_path: Path) -> RepairBench:
    """Five nodes, three token ranges each; a backup was taken and the keyspace is lost."""
    made = RepairBench(dialect, tmp_path)
    made.simulated.repair_blindness = 0.0
    await made.back_up_and_lose()
    return made
