"""The operator of real nodes: a directory with the files that they would have, and the programs as typed there."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import yaml

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.practice.exercise import Exercise
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_practice import connected
from atlasdb_recovery.practice.real_settings import write_settings

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

    def __init__(self, real: RealCluster, keyspace: str, directory: Path, **service: Any) -> None:
        """`service`: more blocks of its configuration."""
        self.directory = directory
        self.settings = write_settings(real, keyspace, directory)
        self._install = directory / f"{keyspace}.yml"
        self.configure_service(**service)
        self.change_settings(cql={"username": "recovery", "password": "${CQL_PASSWORD}"}, export_dir="exports")
        (directory / "answers.yml").write_text(yaml.safe_dump(ANSWERS))
        self._told: list[str] = []

    def configure_service(self, **blocks: Any) -> None:
        """These blocks of its AtlasDB configuration, in place of what they were."""
        document = yaml.safe_load(self._install.read_text())
        document["atlasdb"]["keyValueService"]["credentials"]["password"] = CANARIES["SERVICE_PASSWORD"]
        document["atlasdb"].update(blocks)
        self._install.write_text(yaml.safe_dump(document))

    def change_settings(self, **settings: Any) -> None:
        """These keys of `recovery.yml`, in place of what they were."""
        written = yaml.safe_load(self.settings.read_text())
        self.settings.write_text(yaml.safe_dump({**written, **settings}))

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


async def judged(real: RealCluster, operator: Operator, exercise: Exercise) -> str:
    backup = timestamp_file.read(operator.directory / "backup" / "backup.timestamp")
    forward = timestamp_file.read(operator.directory / "backup" / "fast-forward.timestamp")
    async with connected(real) as practice:
        exercise.practice = practice
        verdict = await exercise.judged(backup, forward + 1)
    assert verdict.is_right, verdict.describe()
    return verdict.describe()
