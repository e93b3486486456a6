"""Three real Cassandra nodes on 127.0.x.1 to .3, made of Maven artifacts; stopped and removed at the end.

Several clusters can run at the same time. Nothing outside of the cluster's directory is written but the jars' cache.
"""

import asyncio
import atexit
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from atlasdb_recovery.practice.artifacts import jars as jars_of
from atlasdb_recovery.practice.java import java as java_17
from atlasdb_recovery.practice.real_addresses import NATIVE_PORT, Loopback
from atlasdb_recovery.practice.real_configuration import NodePlan, write_configuration
from atlasdb_recovery.practice.real_node import UP_WITHIN, ClusterDidNotStart, RealNode
from atlasdb_recovery.practice.real_nodetool import NodetoolScript

DATA_CENTERS = ("datacenter1",) * 3
ASKED_EVERY = 1.0
"""Seconds between two calls of nodetool, each a second of a processor's time: a node is taken for down after ten."""


class RealCluster:
    """Running nodes. Make one with `start`; `stop` ends them and removes their directory."""

    native_port = NATIVE_PORT

    def __init__(
        self,
        version: str,
        directory: Path,
        loopback: Loopback,
        nodes: Sequence[RealNode],
        nodetool: NodetoolScript,
        *,
        keep: bool,
    ) -> None:
        self.version = version
        self.directory = directory
        self._loopback = loopback
        self._nodes = {node.plan.address: node for node in nodes}
        self._nodetool = nodetool
        self._keep = keep

    @classmethod
    async def start(
        cls,
        version: str,
        directory: Path,
        *,
        data_centers: Sequence[str] = DATA_CENTERS,
        subnet: int | None = None,
        keep: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> Self:
        """One node for each data centre named, all up, in a new directory within this one.

        `keep` leaves that directory behind at the end. Raises JavaMissing, ArtifactsUnavailable, NoFreeAddresses,
        ClusterDidNotStart.
        """
        java = java_17()
        jars = await asyncio.to_thread(jars_of, version, say=say)
        directory.mkdir(parents=True, exist_ok=True)
        loopback = Loopback.claimed(len(data_centers), subnet)
        own = Path(tempfile.mkdtemp(prefix=f"cassandra-{version}-", dir=directory.absolute()))
        plans = _plans(version, own, loopback, data_centers)
        nodes = [RealNode(plan, java, jars) for plan in plans]
        cluster = cls(version, own, loopback, nodes, NodetoolScript(own, java, jars), keep=keep)
        atexit.register(cluster.end)
        try:
            for plan in plans:
                write_configuration(plan)
            await cluster._start_all()
        except BaseException:
            await cluster.stop()
            raise
        return cluster

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(self._nodes)

    @property
    def jmx_ports(self) -> Mapping[str, int]:
        """All on 127.0.0.1."""
        return {address: node.plan.jmx_port for address, node in self._nodes.items()}

    @property
    def data_directories(self) -> Mapping[str, Path]:
        return {address: node.plan.data_directory for address, node in self._nodes.items()}

    @property
    def nodes_by_data_center(self) -> Mapping[str, int]:
        return Counter(node.plan.data_center for node in self._nodes.values())

    @property
    def nodetool_command(self) -> str:
        """As the settings' `nodetool.command` takes it; `nodetool_nodes` is what `nodetool.nodes` takes."""
        return self._nodetool.template

    @property
    def nodetool_nodes(self) -> Mapping[str, Mapping[str, str]]:
        return {address: {"jmx_port": str(port)} for address, port in self.jmx_ports.items()}

    def process_id(self, address: str) -> int | None:
        """The node's process, None if it is stopped."""
        return self._nodes[address].process_id

    async def start_node(self, address: str) -> None:
        """Start it and wait until every running node sees it up. ValueError if it is running."""
        self._nodes[address].start()
        await self._nodes[address].until_listening()
        await self._until_seen()

    async def stop_node(self, address: str, *, kill: bool = True) -> None:
        """End it by its process id: at once, or asking first; returns when it is gone and the others have seen it."""
        await asyncio.to_thread(self._nodes[address].stop, kill=kill)
        await self._until_seen()

    async def stop(self) -> None:
        """End all nodes and remove what they wrote."""
        await asyncio.to_thread(self.end)

    def end(self) -> None:
        """`stop` for those who cannot wait: a process at its end."""
        atexit.unregister(self.end)
        for node in self._nodes.values():
            node.stop(kill=True)
        self._loopback.release()
        if not self._keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    async def _start_all(self) -> None:
        """The first is the others' seed and must answer them; they come up together."""
        seed, *others = self._nodes.values()
        seed.start()
        await seed.until_listening()
        for node in others:
            node.start()
        await asyncio.gather(*(node.until_listening() for node in others))
        await asyncio.to_thread(self._nodetool.archive_classes, seed.plan.jmx_port)
        await self._until_seen()

    async def _until_seen(self) -> None:
        """Until every running node's own view is right: those that run are up, the others down."""
        deadline = time.monotonic() + UP_WITHIN
        running = [node for node in self._nodes.values() if node.process_id is not None]
        up = {node.plan.address for node in running}
        for node in running:
            while (seen := await asyncio.to_thread(self._nodetool.seen_up, node.plan.jmx_port)) != up:
                if time.monotonic() > deadline:
                    raise ClusterDidNotStart(
                        f"practice node {node.plan.address} sees {', '.join(sorted(seen)) or 'nobody'} up, but "
                        f"{', '.join(sorted(up))} run. The end of its logs:\n{node.log_tail()}"
                    )
                await asyncio.sleep(ASKED_EVERY)


def _plans(version: str, directory: Path, loopback: Loopback, data_centers: Sequence[str]) -> list[NodePlan]:
    nodes = len(data_centers)
    addresses = loopback.addresses(nodes)
    return [
        NodePlan(
            version=version,
            directory=directory / f"node{index + 1}",
            address=address,
            jmx_port=jmx_port,
            token=f"{index * 256 // nodes:02x}",
            seed=addresses[0],
            data_center=center,
        )
        for index, (address, jmx_port, center) in enumerate(
            zip(addresses, loopback.jmx_ports(nodes), data_centers, strict=True)
        )
    ]
