"""A complete backup and a complete restore of three real nodes, by keys only, in a real terminal."""

import asyncio
import sys
from pathlib import Path

import pytest

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_practice import connected
from atlasdb_recovery.practice.real_settings import write_settings
from atlasdb_recovery.practice.timestamp_endpoint import TimestampEndpoint
from tests.e2e.operator import Operator
from tests.e2e.terminal import Terminal, environment
from tests.real.operator import HistoryWithAllNodesUp

KEYSPACE = "ledger"
STAGES = 40
PROGRAM = Path(sys.executable).with_name("atlasdb-recovery")
PATIENCE = 400.0
"""Seconds for a step of real nodes."""


def by_keys(settings: Path, *words: str) -> None:
    command = [str(PROGRAM), *words, "--settings", str(settings)]
    with Terminal(command, environment=environment(settings.parent)) as terminal:
        Operator(terminal, patience=PATIENCE).until("")
        terminal.press("C-q")
        terminal.wait_for("EXIT-CODE=0")
        terminal.assert_sane()


async def backed_up_and_restored(real: RealCluster, directory: Path) -> None:
    """The backup while the service runs and hands out B and F itself; the restore judged by the oracle."""
    settings = write_settings(real, KEYSPACE, directory)
    try:
        async with connected(real) as practice:
            exercise = HistoryWithAllNodesUp(practice, keyspace=KEYSPACE, stages=STAGES)
            await exercise.make_history()
            exercise.start_service()
            with TimestampEndpoint(exercise.timestamps) as endpoint:
                await asyncio.to_thread(by_keys, settings, "backup", "--timestamps-servers", endpoint.uri)
            await exercise.kill_service()
            await exercise.lose_keyspace()
        await asyncio.to_thread(by_keys, settings, "restore")
        backup = timestamp_file.read(directory / "backup" / "backup.timestamp")
        forward = timestamp_file.read(directory / "backup" / "fast-forward.timestamp")
        removed = [t for t in exercise.writer.truth.transactions if t.commit is not None and t.commit > backup]
        assert removed, "nothing was committed after B, so a restore would prove little"
        async with connected(real) as practice:
            exercise.practice = practice
            verdict = await exercise.judged(backup, forward + 1)
        assert verdict.is_right, verdict.describe()
    finally:
        async with connected(real) as practice:
            await practice.cluster.change_schema(f"DROP KEYSPACE IF EXISTS {KEYSPACE}")


async def test_palantirs_fork_by_keys(cluster_2_2: RealCluster, tmp_path: Path) -> None:
    await backed_up_and_restored(cluster_2_2, tmp_path)


@pytest.mark.deep
async def test_5_0_by_keys(cluster_5_0: RealCluster, tmp_path: Path) -> None:
    await backed_up_and_restored(cluster_5_0, tmp_path)
