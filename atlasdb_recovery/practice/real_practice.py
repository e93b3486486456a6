"""Three real nodes to practise on."""

import asyncio
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from atlasdb_recovery.cassandra.cluster import DriverCluster
from atlasdb_recovery.cassandra.nodetool import CommandNodetool
from atlasdb_recovery.cassandra.ports import Cluster, ClusterUnreachable, Nodetool, NotEnoughReplicas
from atlasdb_recovery.cassandra.sockets import addresses_of_this_machine
from atlasdb_recovery.practice.real import RealCluster

STRANGER = "atlasdb_recovery.practice.stranger"
ANSWERS_WITHIN = 60.0
LOOKED_EVERY = 0.2


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
        self._stranger: Process | None = None

    def seconds_now(self) -> float:
        return time.time()

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    @property
    def time_described(self) -> str:
        return "Times are real."

    async def pass_time(self) -> None:
        """Real time passes by itself."""

    async def without_node(self, address: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        await self.stop_node(address)
        try:
            await meanwhile()
        finally:
            await self.start_node(address)

    def is_up(self, address: str) -> bool:
        return self.real.process_id(address) is not None

    async def stop_node(self, address: str) -> None:
        """Killed: what it had not synced is lost."""
        await self.real.stop_node(address)

    async def start_node(self, address: str) -> None:
        """Until every node sees it, and until it answers on the session that this process has."""
        await self.real.start_node(address)
        deadline = time.monotonic() + ANSWERS_WITHIN
        while True:
            try:
                await self.cluster.node(address)
            except (ClusterUnreachable, NotEnoughReplicas):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(LOOKED_EVERY)
            else:
                return

    async def stop_node_in_repair(self, address: str) -> None:
        """At once: a repair of so few rows leaves no time for more."""
        await self.real.stop_node(address)

    async def connect_stranger(self, address: str, user: str) -> None:
        """Another process, whose driver connects again whatever happens to the nodes; these take every user."""
        self._stranger = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", STRANGER, address, str(self.real.native_port)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
        )
        assert self._stranger.stdout is not None
        await self._stranger.stdout.readline()

    async def disconnect_stranger(self) -> None:
        stranger, self._stranger = self._stranger, None
        if stranger is not None:
            assert stranger.stdin is not None
            stranger.stdin.close()  # the end of its input ends it
            await stranger.communicate()


@asynccontextmanager
async def connected(real: RealCluster) -> AsyncIterator[RealPractice]:
    """A session with running nodes; they stay up."""
    cluster = await DriverCluster.connect(real.addresses, port=real.native_port)
    practice = RealPractice(real, cluster)
    try:
        yield practice
    finally:
        await practice.disconnect_stranger()
        await cluster.close()


@asynccontextmanager
async def real_practice(version: str, directory: Path) -> AsyncIterator[RealPractice]:
    """Starts three nodes, stops them at the end, and removes what they wrote."""
    real = await RealCluster.start(version, directory)
    try:
        async with connected(real) as practice:
            yield practice
    finally:
        await real.stop()
