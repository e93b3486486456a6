"""Three real Cassandra nodes on 127.0.x.1 to .3, made of Maven artifacts; stopped and removed at the end.

Every node is a child of this process, in a process group of its own, and is stopped by its id. The kernel ends it if
this process dies (PR_SET_PDEATHSIG). Nothing else on the machine is touched.
"""

import asyncio
import atexit
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from atlasdb_recovery.cassandra.node_reports.membership import read_status
from atlasdb_recovery.cassandra.node_reports.text import UnreadableReport
from atlasdb_recovery.practice.artifacts import jars as jars_of
from atlasdb_recovery.practice.java import java
from atlasdb_recovery.practice.real_configuration import (
    NodePlan,
    daemon_command,
    opens,
    write_configuration,
)

NATIVE_PORT = 9042
PORTS = (7000, 9042, 9160)
UP_WITHIN = 180.0
STOPS_WITHIN = 20.0
SUBNETS = range(21, 120)
PR_SET_PDEATHSIG = 1
LOG_TAIL = 25


class ClusterDidNotStart(Exception):
    """A node did not come up. Holds the end of its log."""


class RealCluster:
    """Running nodes. Make one with `start`; `stop` ends them and removes their directory."""

    def __init__(self, version: str, directory: Path, plans: Sequence[NodePlan], jars: Path) -> None:
        self.version = version
        self.directory = directory
        self._plans = {plan.address: plan for plan in plans}
        self._jars = jars
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.native_port = NATIVE_PORT

    @classmethod
    async def start(
        cls,
        version: str,
        directory: Path,
        *,
        data_centers: Sequence[str] = ("datacenter1",) * 3,
        say: Callable[[str], None] = lambda _: None,
    ) -> Self:
        """One node for each data centre named. Raises JavaMissing, ArtifactsUnavailable, ClusterDidNotStart."""
        java()
        jars = await asyncio.to_thread(jars_of, version, say=say)
        directory.mkdir(parents=True, exist_ok=True)
        own = Path(tempfile.mkdtemp(prefix=f"cassandra-{version}-", dir=directory))
        subnet = _free_subnet(len(data_centers))
        plans = [
            NodePlan(
                version=version,
                directory=own / f"node{index + 1}",
                address=f"127.0.{subnet}.{index + 1}",
                jmx_port=_free_port(),
                token=f"{index * 256 // len(data_centers):02x}",
                seed=f"127.0.{subnet}.1",
                data_center=center,
            )
            for index, center in enumerate(data_centers)
        ]
        cluster = cls(version, own, plans, jars)
        atexit.register(cluster.kill)
        _write_nodetool(own, jars)
        try:
            for plan in plans:
                write_configuration(plan)
                await cluster.start_node(plan.address)
        except BaseException:
            await cluster.stop()
            raise
        return cluster

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(self._plans)

    @property
    def data_directories(self) -> Mapping[str, Path]:
        return {address: plan.data_directory for address, plan in self._plans.items()}

    @property
    def nodes_by_data_center(self) -> Mapping[str, int]:
        return Counter(plan.data_center for plan in self._plans.values())

    @property
    def nodetool_command(self) -> str:
        return f"{self.directory}/nodetool -h 127.0.0.1 -p {{jmx_port}}"

    @property
    def nodetool_nodes(self) -> Mapping[str, Mapping[str, str]]:
        return {address: {"jmx_port": str(plan.jmx_port)} for address, plan in self._plans.items()}

    def process_id(self, address: str) -> int | None:
        """The node's process, None if it is stopped."""
        running = self._running.get(address)
        return None if running is None else running.pid

    async def start_node(self, address: str) -> None:
        """Start it and wait until every running node sees every other as up and normal."""
        plan = self._plans[address]
        with (plan.directory / "output.log").open("ab") as output:
            self._running[address] = subprocess.Popen(  # noqa: ASYNC220 — it returns at once
                daemon_command(plan, java(), self._jars),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 — one system call, no locks
            )
        await self._until_up(plan)

    async def stop_node(self, address: str, *, kill: bool = True) -> None:
        """End it by its process id: at once, or asking first; returns when it is gone and the others have seen it."""
        running = self._running.pop(address)
        running.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            await asyncio.to_thread(running.wait, STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            running.kill()
            await asyncio.to_thread(running.wait)
        await self._until_seen()

    async def stop(self) -> None:
        """End all nodes and remove what they wrote."""
        await asyncio.to_thread(self.kill)
        await asyncio.to_thread(shutil.rmtree, self.directory, ignore_errors=True)
        atexit.unregister(self.kill)

    def kill(self) -> None:
        """End all nodes at once."""
        for running in self._running.values():
            with suppress(ProcessLookupError):
                running.kill()
        for running in self._running.values():
            running.wait()
        self._running.clear()

    async def _until_up(self, plan: NodePlan) -> None:
        deadline = time.monotonic() + UP_WITHIN
        running = self._running[plan.address]
        while not _listens(plan.address, NATIVE_PORT):
            if running.poll() is not None or time.monotonic() > deadline:
                how = f"ended with {running.returncode}" if running.returncode is not None else "is not up"
                raise ClusterDidNotStart(f"node {plan.address} {how} after {UP_WITHIN:.0f} s\n{_tail(plan)}")
            await asyncio.sleep(0.1)
        await self._until_seen()

    async def _until_seen(self) -> None:
        """Until every running node's own view is right: those that run are up, the others down."""
        deadline = time.monotonic() + UP_WITHIN
        for viewer in list(self._running):
            while not await asyncio.to_thread(self._sees_rightly, viewer):
                if time.monotonic() > deadline:
                    raise ClusterDidNotStart(f"{viewer} does not see the others rightly\n{_tail(self._plans[viewer])}")
                await asyncio.sleep(0.2)

    def _sees_rightly(self, viewer: str) -> bool:
        command = [str(self.directory / "nodetool"), "-h", "127.0.0.1", "-p", str(self._plans[viewer].jmx_port)]
        output = subprocess.run([*command, "status"], capture_output=True, text=True, timeout=60, check=False)
        try:
            rows = read_status(output.stdout).rows
        except UnreadableReport:
            return False
        up = {row.address for row in rows if row.up and row.state.upper().startswith("N")}
        return up == set(self._running)


def _write_nodetool(directory: Path, jars: Path) -> None:
    path = directory / "nodetool"
    flags = " ".join([*opens(), "-Xmx128M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"])
    logging = directory / "nodetool-logback.xml"
    logging.write_text("<configuration><root level='OFF'/></configuration>")
    path.write_text(
        f'#!/bin/sh\nexec "{java()}" {flags} -Dlogback.configurationFile="{logging}" '
        f'-cp "{jars}/*" org.apache.cassandra.tools.NodeTool "$@"\n'
    )
    path.chmod(0o755)


def _die_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _free_subnet(nodes: int) -> int:
    first = os.getpid() % len(SUBNETS)
    for offset in range(len(SUBNETS)):
        subnet = SUBNETS[(first + offset) % len(SUBNETS)]
        if all(_is_free(f"127.0.{subnet}.{node + 1}", port) for node in range(nodes) for port in PORTS):
            return subnet
    raise ClusterDidNotStart(f"no loopback network 127.0.x.0 is free on the ports {PORTS}")


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((address, port)) == 0


def _tail(plan: NodePlan) -> str:
    lines: list[str] = []
    for path in (plan.log, plan.directory / "output.log"):
        with suppress(OSError):
            lines += path.read_text(errors="replace").splitlines()[-LOG_TAIL:]
    return "\n".join(lines)
