"""The whole procedure on real clusters, with every store method and both removal methods, judged by the oracle."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.cassandra.cluster import DriverCluster
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_practice import RealPractice
from atlasdb_recovery.practice.real_settings import write_settings
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.settings import load
from tests.real.store_tool import restore as restore_by_hand
from tests.restore.arena import CAREFUL, Arena, ScriptedFrontEnd

QUICK = {
    "5.0": (("snapshot", "delete"), ("command", "abort"), ("external", "delete")),
    "2.2-palantir": (("snapshot", "abort"), ("command", "delete"), ("external", "abort")),
}


@asynccontextmanager
async def lost(real: RealCluster, directory: Path) -> AsyncIterator[Arena]:
    """A history with replicas that disagree, a backup taken while the service runs, and the loss."""
    cluster = await DriverCluster.connect(real.addresses, port=real.native_port)
    try:
        arena = Arena(RealPractice(real, cluster), directory, stages=120)
        await arena.back_up_and_lose()
        yield arena
        if await cluster.keyspace(arena.exercise.keyspace) is not None:
            await arena.exercise.lose_keyspace()
    finally:
        await cluster.close()


async def restored(arena: Arena, real: RealCluster, store: str, removal: str) -> None:
    settings = write_settings(real, arena.exercise.keyspace, arena.directory)
    changed = msgspec.structs.replace(
        arena.settings.store,
        method=store,
        restore_command=f"{sys.executable} -m tests.real.store_tool {settings}",
    )
    base = arena.settings
    arena.settings = msgspec.structs.replace(base, removal=removal, store=changed)
    answers = dict(CAREFUL)
    if store == "external":
        await restore_by_hand(load(settings))
        answers["store-restored"] = "by the test's own tool"
    front_end = ScriptedFrontEnd(answers)
    outcome = await arena.restore(front_end)
    assert outcome is Outcome.DONE, (store, removal, front_end.refusals(), front_end.failures())
    verdict = await arena.verdict()
    assert verdict.is_right, (store, removal, verdict.describe())
    arena.settings = base
    await arena.exercise.lose_keyspace()


async def test_restores_of_5_0_are_right(cluster_5_0: RealCluster, tmp_path: Path) -> None:
    async with lost(cluster_5_0, tmp_path) as arena:
        for store, removal in QUICK["5.0"]:
            await restored(arena, cluster_5_0, store, removal)


async def test_restores_of_the_fork_are_right(cluster_2_2: RealCluster, tmp_path: Path) -> None:
    async with lost(cluster_2_2, tmp_path) as arena:
        for store, removal in QUICK["2.2-palantir"]:
            await restored(arena, cluster_2_2, store, removal)


@pytest.mark.deep
@pytest.mark.parametrize("store", ["snapshot", "command", "external"])
async def test_the_whole_matrix_on_5_0(cluster_5_0: RealCluster, tmp_path: Path, store: str) -> None:
    async with lost(cluster_5_0, tmp_path) as arena:
        for removal in ("delete", "abort"):
            await restored(arena, cluster_5_0, store, removal)


@pytest.mark.deep
@pytest.mark.parametrize("store", ["snapshot", "command", "external"])
async def test_the_whole_matrix_on_the_fork(cluster_2_2: RealCluster, tmp_path: Path, store: str) -> None:
    async with lost(cluster_2_2, tmp_path) as arena:
        for removal in ("delete", "abort"):
            await restored(arena, cluster_2_2, store, removal)


@pytest.mark.deep
@pytest.mark.real
@pytest.mark.parametrize("version", ["5.0", "2.2-palantir"])
async def test_two_data_centres(tmp_path: Path, version: str) -> None:
    real = await RealCluster.start(version, tmp_path / "nodes", data_centers=("east", "west", "east", "west"))
    try:
        async with lost(real, tmp_path) as arena:
            await restored(arena, real, "snapshot", "delete")
    finally:
        await real.stop()
