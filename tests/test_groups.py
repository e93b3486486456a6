"""Tests of one real cluster have to run in one worker: pytest-xdist has to see their groups."""

import os

import pytest


@pytest.mark.xdist_group("together")
def test_a_group_is_seen_by_the_scheduler(request: pytest.FixtureRequest) -> None:
    """pytest-xdist reads groups from the ends of node ids; with pytest 9.2 it writes them where nobody looks."""
    in_worker = "PYTEST_XDIST_WORKER" in os.environ
    assert request.node.nodeid.endswith("@together") is in_worker
