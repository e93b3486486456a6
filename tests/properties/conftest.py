import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")  # noqa: S108


@pytest.fixture
def directory() -> Iterator[Path]:
    """In memory where there is such a place: every history syncs hundreds of small files."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="atlasdb-recovery-history-", dir=place) as made:
        yield Path(made)
