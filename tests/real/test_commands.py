"""The commands as typed on real nodes: a backup of a running service, the restore, and AtlasDB's own lines."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import yaml

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.practice.exercise import Exercise
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_practice import connected
from atlasdb_recovery.practice.real_settings import write_settings
from atlasdb_recovery.practice.timestamp_endpoint import TimestampEndpoint

KEYSPACE = "orders"
STAGES = 40
ENDS_WITHIN = 300.0
PROGRAMS = Path(sys.executable).parent
CANARIES = {"CQL_PASSWORD": "canary-cql-5d1e", "SERVICE_PASSWORD": "canary-service-88c2"}
ANSWERS = {"offline": True, "clean-transactions": {"remove_at_most": 100_000}}


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class HistoryWithAllNodesUp(Exercise):
    """What disagreeing replicas need is proven elsewhere; this is about the commands."""

    async def miss(self) -> None:
        await self.while_a_node_is_down()


class Operator:
    """A directory with `recovery.yml`, and the programs. No password is ever among any process's arguments."""

    def __init__(self, real: RealCluster, directory: Path) -> None:
        self.directory = directory
        settings = write_settings(real, KEYSPACE, directory)
        install = directory / f"{KEYSPACE}.yml"
        document = yaml.safe_load(install.read_text())
        document["atlasdb"]["keyValueService"]["credentials"]["password"] = CANARIES["SERVICE_PASSWORD"]
        install.write_text(yaml.safe_dump(document))
        more = {"cql": {"username": "recovery", "password": "${CQL_PASSWORD}"}, "export_dir": "exports"}
        settings.write_text(settings.read_text() + yaml.safe_dump(more))
        (directory / "answers.yml").write_text(yaml.safe_dump(ANSWERS))
        self._told: list[str] = []

    async def runs(self, program: str, *words: str) -> Ended:
        child = await asyncio.create_subprocess_exec(
            str(PROGRAMS / program),
            *words,
            cwd=self.directory,
            env={**os.environ, **CANARIES},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        watching = asyncio.create_task(self._watch(child.pid))
        try:
            out, err = await asyncio.wait_for(child.communicate(), ENDS_WITHIN)
        finally:
            watching.cancel()
            if child.returncode is None:
                child.kill()
                await child.wait()
        ended = Ended(child.returncode or 0, out.decode(), err.decode())
        self._told += [ended.out, ended.err]
        return ended

    async def recovers(self, *words: str) -> Ended:
        """`atlasdb-recovery`, unattended, as the README has it."""
        command, *rest = words
        return await self.runs(
            "atlasdb-recovery", command, "--settings", "recovery.yml", "--plain", "--answers", "answers.yml", *rest
        )

    async def _watch(self, process: int) -> None:
        """Every process that the program starts."""
        while True:
            try:
                family = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
                self._told += ["\0".join(one.cmdline()) for one in family]
            except psutil.Error:
                pass  # one has just ended
            await asyncio.sleep(0.1)

    def leaks(self) -> list[str]:
        """Where a password is to be read: in what was printed or was an argument, or in a file of ours."""
        kept = (path for path in self.directory.rglob("*") if path.is_file() and path.suffix != ".yml")
        told = [*enumerate(self._told), *((path.name, path.read_bytes().decode("utf-8", "replace")) for path in kept)]
        return [f"{name}: {canary}" for name, text in told for canary in CANARIES.values() if canary in text]


async def backed_up_and_lost(real: RealCluster, operator: Operator) -> Exercise:
    """By the command, while the service runs and hands out B and F itself."""
    async with connected(real) as practice:
        exercise = HistoryWithAllNodesUp(practice, keyspace=KEYSPACE, stages=STAGES)
        await exercise.make_history()
        exercise.start_service()
        with TimestampEndpoint(exercise.timestamps) as endpoint:
            ended = await operator.recovers("backup", "--timestamps-servers", endpoint.uri)
        await exercise.kill_service()
        assert ended.code == 0, ended
        assert f"Backup complete: keyspace {KEYSPACE}" in ended.out
        await exercise.lose_keyspace()
    return exercise


async def judged(real: RealCluster, operator: Operator, exercise: Exercise) -> str:
    backup = timestamp_file.read(operator.directory / "backup" / "backup.timestamp")
    forward = timestamp_file.read(operator.directory / "backup" / "fast-forward.timestamp")
    async with connected(real) as practice:
        exercise.practice = practice
        verdict = await exercise.judged(backup, forward + 1)
    assert verdict.is_right, verdict.describe()
    return verdict.describe()


async def committed_after(operator: Operator, after: int) -> set[int]:
    ended = await operator.runs("atlasdb-recovery", "inspect", "transactions", "--after", str(after))
    assert ended.code == 0, ended
    return {row["commit"] for row in map(json.loads, ended.out.splitlines())}


async def atlasdbs_lines_are_true(operator: Operator, commits: Sequence[int]) -> None:
    """As AtlasDB's page prints them, and in the Java tool's order, on the keyspace that has just been restored."""
    page = ["--config", f"{KEYSPACE}.yml", "--config-root", "/atlasdb", "timestamp"]
    java = ["--offline", "-c", f"{KEYSPACE}.yml", "timestamp"]
    fetched = await operator.runs("atlasdb", *page, "fetch", "--file", "b2/backup.timestamp")
    assert fetched.code == 0, fetched
    fresh = timestamp_file.read(operator.directory / "b2" / "backup.timestamp")
    assert fetched.out.splitlines()[0] == f"The fresh timestamp is: {fresh}"
    cut = sorted(commits)[len(commits) // 2]
    refused = await operator.runs("atlasdb", *page, "clean-transactions", "--timestamp", str(cut))
    assert (refused.code, "--offline" in refused.err) == (5, True), refused
    assert await committed_after(operator, cut)
    cleaned = await operator.runs("atlasdb", *java, "-t", str(cut), "clean-transactions")
    assert cleaned.code == 0, cleaned
    assert f"no transaction committed after {cut} is left" in cleaned.out
    assert await committed_after(operator, cut) == set()
    assert cut in await committed_after(operator, cut - 1)
    target = fresh + 50_000_000
    forwarded = await operator.runs("atlasdb", *page, "fast-forward", "--offline", "--timestamp", str(target))
    assert forwarded.code == 0, forwarded
    again = await operator.runs("atlasdb", *java, "fetch")
    assert int(again.out.splitlines()[0].split()[-1]) > target


async def whole(real: RealCluster, directory: Path) -> None:
    operator = Operator(real, directory)
    try:
        exercise = await backed_up_and_lost(real, operator)
        looked = await operator.runs("atlasdb-recovery", "doctor")
        assert looked.code == 0, looked
        restored = await operator.recovers("restore")
        assert restored.code == 0, restored
        assert f"Restore complete: keyspace {KEYSPACE}" in restored.out
        assert "\x1b" not in restored.out
        print(await judged(real, operator, exercise))
        backup = timestamp_file.read(directory / "backup" / "backup.timestamp")
        commits = [t.commit for t in exercise.writer.truth.transactions if t.commit is not None and t.commit <= backup]
        await atlasdbs_lines_are_true(operator, commits)
        assert operator.leaks() == []
    finally:
        async with connected(real) as practice:
            await practice.cluster.change_schema(f"DROP KEYSPACE IF EXISTS {KEYSPACE}")


@pytest.mark.timeout(600)
async def test_a_backup_a_restore_and_atlasdbs_lines_on_5_0(cluster_5_0: RealCluster, tmp_path: Path) -> None:
    await whole(cluster_5_0, tmp_path)


@pytest.mark.timeout(600)
async def test_a_backup_a_restore_and_atlasdbs_lines_on_the_fork(cluster_2_2: RealCluster, tmp_path: Path) -> None:
    await whole(cluster_2_2, tmp_path)
