"""The program on the cluster elsewhere: `python -m tests.e2e.program DIRECTORY ARGUMENTS…`, as the console script."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, cast

from atlasdb_recovery.cassandra.ports import Cluster, Nodetool
from atlasdb_recovery.cli.graph import practice_graph
from atlasdb_recovery.cli.main import run
from atlasdb_recovery.practice.exercise import PracticeCluster
from tests.e2e.cluster_elsewhere import Elsewhere
from tests.e2e.elsewhere import SOCKET


def command(address: str, *arguments: str) -> tuple[str, ...]:
    return ("nodetool", "-h", address, "-p", "7199", *arguments)


class NodesElsewhere:
    """What a graph needs of a practice cluster."""

    def __init__(self, socket: Path) -> None:
        self.cluster = cast("Cluster", Elsewhere(socket, "cluster", streams=("scan",)))
        self.nodetool = cast("Nodetool", Elsewhere(socket, "nodetool", streams=("stream",), plain={"command": command}))
        self.addresses: tuple[str, ...] = ()
        self.data_directories: Mapping[str, Path] = {}
        self.replication: Mapping[str, str] = {}
        self.local_addresses: frozenset[str] = frozenset()

    def seconds_now(self) -> float:
        return time.time()

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.1))

    async def without_node(self, address: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        raise NotImplementedError


if __name__ == "__main__":
    nodes: Any = NodesElsewhere(Path(sys.argv[1]) / SOCKET)
    sys.exit(run(sys.argv[2:], practice_graph(cast("PracticeCluster", nodes), mode="LIVE")))
