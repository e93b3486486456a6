"""Scenarios on real nodes: what goes wrong there is met, and mended, as in the simulation."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_practice import connected
from atlasdb_recovery.practice.scenarios.catalogue import SCENARIOS
from atlasdb_recovery.practice.scenarios.drill import Drill
from atlasdb_recovery.practice.scenarios.script import Act, Script
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.runner import Outcome
from tests.practice.scenarios.played import paged, played

POSSIBLE = [name for name, scenario in SCENARIOS.items() if not scenario.not_real]


@asynccontextmanager
async def paged_on(real: RealCluster, name: str, directory: Path) -> AsyncIterator[Drill]:
    """The keyspace and every node that was stopped are put right again afterwards."""
    async with connected(real) as nodes:
        try:
            async with paged(name, nodes, directory) as drill:
                yield drill
        finally:
            for address in nodes.addresses:
                if not nodes.is_up(address):
                    await nodes.start_node(address)
            if await nodes.cluster.keyspace("shop") is not None:
                await nodes.cluster.change_schema("DROP KEYSPACE shop")


async def finished(real: RealCluster, name: str, directory: Path, *, also: Sequence[Act] = ()) -> None:
    """`also` is done before the first retry."""
    async with paged_on(real, name, directory) as drill:
        right = list(drill.scenario.right.moves)
        if also:
            at = right.index(Choice.RETRY)
            right[at:at] = also
        outcome, debrief = await played(drill, Script(tuple(right)))
        assert (outcome, debrief.is_right) == (Outcome.DONE, True), "\n".join(debrief.lines())
        assert debrief.met, "\n".join(debrief.lines())


@pytest.mark.deep
@pytest.mark.parametrize("name", POSSIBLE)
async def test_on_5_0(cluster_5_0: RealCluster, name: str, tmp_path: Path) -> None:
    await finished(cluster_5_0, name, tmp_path)


@pytest.mark.deep
@pytest.mark.parametrize("name", POSSIBLE)
async def test_on_the_fork(cluster_2_2: RealCluster, name: str, tmp_path: Path) -> None:
    """There a repair that asks a node not yet known to be dead waits for an hour, and the remedy says: restart."""
    also = [Act("restart-all")] if name == "node-dies-in-the-repair" else []
    await finished(cluster_2_2, name, tmp_path, also=also)
