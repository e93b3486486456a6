from pathlib import Path

import pytest

from tests.cli.rehearsal import Rehearsal


@pytest.fixture(autouse=True)
def nobody_elses_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no settings name a state directory, it is this test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def lost(tmp_path: Path) -> Rehearsal:
    """A backup was taken while the service ran, and the keyspace is lost."""
    return Rehearsal(tmp_path).lose()


@pytest.fixture
def alive(tmp_path: Path) -> Rehearsal:
    """A keyspace with a history; the service has stopped and there is no backup."""
    return Rehearsal(tmp_path).alive()
