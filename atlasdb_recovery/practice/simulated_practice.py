"""A simulated cluster to practise on."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from atlasdb_recovery.cassandra.ports import Client, Cluster, Nodetool
from atlasdb_recovery.practice.simulated import (
    Dialect,
    PacedClock,
    SimulatedClock,
    SimulatedCluster,
    SimulatedNodetool,
)
from atlasdb_recovery.practice.simulated.servers import places_on_loopback

REPLICAS = 3
STARTS_IN = 20.0
"""Simulated seconds until a started node is up."""
SECONDS_PER_WATCHED_RANGE = 5.0
BUSY = 30.0
"""Requests a second of a stranger."""


class SimulatedPractice:
    """Nodes in this process, in simulated time, each with so many tokens."""

    def __init__(
        self,
        dialect: Dialect = Dialect.APACHE,
        *,
        nodes: int = 3,
        tokens: int = 1,
        seed: int = 0,
        data_root: Path | None = None,
        clock: SimulatedClock | None = None,
    ) -> None:
        self.simulated = SimulatedCluster(
            dialect=dialect,
            places=places_on_loopback(nodes, tokens=tokens),
            seed=seed,
            data_root=data_root,
            clock=clock,
        )
        if isinstance(clock, PacedClock):
            self.simulated.seconds_per_range = SECONDS_PER_WATCHED_RANGE
        self.cluster: Cluster = self.simulated
        self.nodetool: Nodetool = SimulatedNodetool(self.simulated)
        self.addresses = self.simulated.addresses
        self.replication: Mapping[str, str] = {"class": "NetworkTopologyStrategy", "datacenter1": str(REPLICAS)}
        self._stranger: Client | None = None

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

    @property
    def time_described(self) -> str:
        clock = self.simulated.wall
        return clock.described if isinstance(clock, PacedClock) else "Times are the simulated cluster's."

    async def pass_time(self) -> None:
        if isinstance(self.simulated.wall, PacedClock):
            await self.simulated.wall.follow()

    async def without_node(self, address: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self.simulated.stop_node(address)
        try:
            await meanwhile()
        finally:
            self.simulated.start_node(address)

    def is_up(self, address: str) -> bool:
        return self.simulated.nodes[address].up

    async def stop_node(self, address: str) -> None:
        self.simulated.stop_node(address)

    async def start_node(self, address: str) -> None:
        await self.simulated.wall.sleep(STARTS_IN)
        self.simulated.start_node(address)
        if self._stranger is not None and self._stranger.node == address:
            await self.connect_stranger(address, self._stranger.user)

    async def stop_node_in_repair(self, address: str) -> None:
        self.simulated.faults.before("repair.range", lambda: self.simulated.stop_node(address))

    async def connect_stranger(self, address: str, user: str) -> None:
        self._stranger = self.simulated.connect_client(address, user, requests_per_second=BUSY)

    async def disconnect_stranger(self) -> None:
        if self._stranger is not None:
            self.simulated.disconnect_client(self._stranger)
            self._stranger = None
