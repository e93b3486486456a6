from pathlib import Path

import pytest

from atlasdb_recovery.practice.simulated import Dialect
from tests.procedure.guards.scene import Scene


@pytest.fixture(params=[Dialect.APACHE, Dialect.PALANTIR], ids=str)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    """Both servers, for what they tell differently."""
    found = request.param
    assert isinstance(found, Dialect)
    return found


@pytest.fixture
async def alive(tmp_path: Path) -> Scene:
    return await Scene.alive(Dialect.APACHE, tmp_path)


@pytest.fixture
async def lost(tmp_path: Path) -> Scene:
    return await Scene.lost(Dialect.APACHE, tmp_path)


@pytest.fixture
async def restored(tmp_path: Path) -> Scene:
    return await Scene.restored(Dialect.APACHE, tmp_path)
