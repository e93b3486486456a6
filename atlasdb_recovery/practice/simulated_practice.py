"""A simulated cluster to practise on."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from atlasdb_recovery.cassandra.ports import Cluster, Nodetool
from atlasdb_recovery.practice.simulated import Dialect, SimulatedCluster, SimulatedNodetool

REPLICAS = 3


class SimulatedPractice:
    """Three nodes in this process, in simulated time."""

    def __init__(self, dialect: Dialect = Dialect.APACHE, *, seed: int = 0, data_root: Path | None = None) -> None:
        self.simulated = SimulatedCluster(dialect=dialect, seed=seed, data_root=data_root)
        self.cluster: Cluster = self.simulated
        self.nodetool: Nodetool = SimulatedNodetool(self.simulated)
        self.addresses = self.simulated.addresses
        self.replication: Mapping[str, str] = {"class": "NetworkTopologyStrategy", "datacenter1": str(REPLICAS)}

    @property
    def data_directories(self) -> Mapping[str, Path]:
        return self.simulated.data_directories

    @property
    def local_addresses(self) -> frozenset[str]:
        return frozenset()

    def seconds_now(self) -> float:
        return self.simulated.wall.time()

    async def wait(self, seconds: float) -> None:
        await self.simulated.wall.sleep(seconds)

    async def without_node(self, address: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self.simulated.stop_node(address)
        try:
            await meanwhile()
        finally:
            self.simulated.start_node(address)
