from collections.abc import Mapping, Sequence

import pytest

from atlasdb_recovery.events import Event
from tests.screens.conftest import still_clock
from tests.tui.recorded import recorded

__all__ = ["sessions", "still_clock"]


@pytest.fixture(scope="session")
async def sessions(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sequence[Event]]:
    """The events of a whole backup and a whole restore."""
    return await recorded(tmp_path_factory.mktemp("recorded"))
