"""Three real nodes to practise on."""

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
