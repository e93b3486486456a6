"""A keyspace on real nodes that is lost, and the backup of it: every restore begins here."""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from atlasdb_recovery.atlas.names import TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.atlas.schema_ranges import SchemaMap
from atlasdb_recovery.cassandra.ports import Cell, Cluster, Consistency
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_practice import connected
from atlasdb_recovery.practice.real_settings import write_settings
from atlasdb_recovery.practice.truth import Truth
from tests.restore.arena import Arena
from tests.restore.real_rows import ExerciseOnRealRows, contradictions

STAGES = 120


@dataclass(frozen=True)
class Lost:
    """What is left: the nodes, the backup directory, and the truth that a restore is compared with."""

    real: RealCluster
    backup: Path
    truth: Truth
    schema_map: SchemaMap

    @asynccontextmanager
    async def arena(self, directory: Path) -> AsyncIterator[Arena]:
        """Sessions of this process, on a copy of the backup in this directory. The keyspace is lost again at last."""
        shutil.copytree(self.backup, directory / "backup", dirs_exist_ok=True)
        async with connected(self.real) as practice:
            arena = Arena(practice, directory, stages=STAGES, exercise=ExerciseOnRealRows)
            arena.exercise.writer.truth = self.truth
            arena.exercise.writer.schema_map = self.schema_map
            try:
                yield arena
            finally:
                if await practice.cluster.keyspace(arena.exercise.keyspace) is not None:
                    await arena.exercise.lose_keyspace()

    def settings(self, directory: Path) -> Path:
        """A `recovery.yml` for the program, run as a command, on a copy of the backup in this directory."""
        shutil.copytree(self.backup, directory / "backup", dirs_exist_ok=True)
        return write_settings(self.real, "shop", directory)


class ExerciseWithAllNodesUp(ExerciseOnRealRows):
    """Where two replicas are all there are, a quorum needs both."""

    async def miss(self) -> None:
        await self.while_a_node_is_down()


@asynccontextmanager
async def lost(
    real: RealCluster, directory: Path, *, replication: Mapping[str, str] | None = None, always_up: bool = False
) -> AsyncIterator[Lost]:
    """All three schemas, of the real AtlasDB and of the practice service; a backup taken while that runs; the loss."""
    async with connected(real) as practice:
        practice.replication = replication or practice.replication
        exercise = ExerciseWithAllNodesUp if always_up else ExerciseOnRealRows
        arena = Arena(practice, directory, stages=STAGES, exercise=exercise)
        await arena.exercise.make_history()
        for table in (TRANSACTIONS, TRANSACTIONS2):
            held = [await own_rows(practice.cluster, arena.exercise.keyspace, table, a) for a in practice.addresses]
            assert always_up or held[0] - held[-1], f"the replicas of {table} agree, so a restore would prove little"
        await arena.back_up_running_service()
        await arena.exercise.lose_keyspace()
        writer = arena.exercise.writer
        assert writer.truth.straddling(arena.backup_timestamp)
    yield Lost(real, arena.settings.backup_dir, writer.truth, writer.schema_map)


async def own_rows(cluster: Cluster, keyspace: str, table: str, address: str) -> set[Cell]:
    pages = cluster.scan(keyspace, table, "", "", consistency=Consistency.ONE, page_size=1_000, node=address)
    return {cell async for page in pages for cell in page}


async def proven_right(arena: Arena) -> None:
    """By the oracle, and by what the real AtlasDB said of its own rows."""
    verdict = await arena.verdict()
    assert verdict.is_right, verdict.describe()
    found = await contradictions(arena.nodes.cluster, arena.exercise.keyspace, arena.backup_timestamp)
    assert found == []
