"""Real nodes behind the contract's adapter."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from atlasdb_recovery.cassandra.ports import Cluster, Nodetool
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_practice import RealPractice, connected
from atlasdb_recovery.practice.simulated import Dialect


class RealContract:
    """Three real nodes of one version, and the driver and nodetool to them."""

    def __init__(self, dialect: Dialect, practice: RealPractice) -> None:
        self.dialect = dialect
        self._practice = practice

    @classmethod
    @asynccontextmanager
    async def of(cls, real: RealCluster) -> AsyncIterator["RealContract"]:
        async with connected(real) as practice:
            yield cls(Dialect(real.version), practice)

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
        await self._practice.stop_node(address)

    async def start_node(self, address: str) -> None:
        await self._practice.start_node(address)
