"""The two kinds of cluster one can practise on, behind one protocol."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from atlasdb_recovery.cassandra.cluster import DriverCluster
from atlasdb_recovery.cassandra.nodetool import CommandNodetool
from atlasdb_recovery.cassandra.ports import Cluster, Nodetool
from atlasdb_recovery.cassandra.sockets import addresses_of_this_machine
from atlasdb_recovery.practice.real import RealCluster
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


class RealPractice:
    """Three real nodes on this machine's loopback addresses."""

    def __init__(self, real: RealCluster, cluster: DriverCluster) -> None:
        self.real = real
        self.cluster: Cluster = cluster
        self.nodetool: Nodetool = CommandNodetool(real.nodetool_command, nodes=real.nodetool_nodes)
        self.addresses = tuple(real.addresses)
        self.data_directories: Mapping[str, Path] = real.data_directories
        self.replication: Mapping[str, str] = {
            "class": "NetworkTopologyStrategy",
            **{center: str(count) for center, count in real.nodes_by_data_center.items()},
        }
        self.local_addresses = addresses_of_this_machine(self.addresses)

    def seconds_now(self) -> float:
        return time.time()

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def without_node(self, address: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        await self.real.stop_node(address)
        try:
            await meanwhile()
        finally:
            await self.real.start_node(address)


@asynccontextmanager
async def real_practice(version: str, directory: Path) -> AsyncIterator[RealPractice]:
    """Starts three nodes, stops them at the end, and removes what they wrote."""
    real = await RealCluster.start(version, directory)
    try:
        cluster = await DriverCluster.connect(real.addresses, port=real.native_port)
        try:
            yield RealPractice(real, cluster)
        finally:
            await cluster.close()
    finally:
        await real.stop()
