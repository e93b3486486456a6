"""The simulated cluster as exercises and scenarios use one: the same shape as a real one."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from atlasdb_recovery.practice.simulated.cluster import SimulatedCluster
from atlasdb_recovery.practice.simulated.nodetool import SimulatedNodetool


class SimulatedPractice:
    """A simulated cluster with its nodetool (`PracticeCluster`). Arguments are the servers' own."""

    def __init__(self, *, pace: float = 0.0, replication_factor: int = 3, **servers: Any) -> None:
        self.cluster = SimulatedCluster(**servers)
        self.nodetool = SimulatedNodetool(self.cluster, pace=pace)
        self._replication_factor = replication_factor

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.cluster.addresses

    @property
    def data_directories(self) -> Mapping[str, Path]:
        return self.cluster.data_directories

    @property
    def replication(self) -> Mapping[str, str]:
        return {"class": "SimpleStrategy", "replication_factor": str(self._replication_factor)}

    async def stop_node(self, address: str) -> None:
        self.cluster.stop_node(address)

    async def start_node(self, address: str) -> None:
        self.cluster.start_node(address)

    async def without_node(self, address: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self.cluster.stop_node(address)
        try:
            await meanwhile()
        finally:
            self.cluster.start_node(address)
