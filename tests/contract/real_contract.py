"""Real nodes behind the contract's adapter."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from atlasdb_recovery.cassandra.ports import Cluster, Nodetool
from atlasdb_recovery.practice.real_practice import RealPractice, real_practice
from atlasdb_recovery.practice.simulated import Dialect


class RealContract:
    """Three real nodes of one version, and the driver and nodetool to them."""

    def __init__(self, dialect: Dialect, practice: RealPractice) -> None:
        self.dialect = dialect
        self._practice = practice

    @classmethod
    @asynccontextmanager
    async def started(cls, dialect: Dialect, directory: Path) -> AsyncIterator["RealContract"]:
        async with real_practice(dialect.value, directory) as practice:
            yield cls(dialect, practice)

    @property
    def cluster(self) -> Cluster:
        return self._practice.cluster

    @property
    def nodetool(self) -> Nodetool:
        return self._practice.nodetool

    @property
    def data_directories(self) -> Mapping[str, Path]:
        return self._practice.data_directories

    async def stop_node(self, address: str) -> None:
        await self._practice.real.stop_node(address)

    async def start_node(self, address: str) -> None:
        await self._practice.real.start_node(address)
