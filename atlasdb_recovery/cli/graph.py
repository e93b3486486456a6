"""The object graph of a session: settings in, a Context out, everything closed at the end.

A live graph talks to the cluster that the settings name, a practice graph to a practice cluster; nobody above can tell.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import click

from atlasdb_recovery.cassandra.cluster import DriverCluster
from atlasdb_recovery.cassandra.nodetool import CommandNodetool
from atlasdb_recovery.cassandra.ports import Cluster, Nodetool
from atlasdb_recovery.cassandra.sockets import addresses_of_this_machine
from atlasdb_recovery.practice.exercise import PracticeCluster
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.timestamp_guards import TimestampAuthorityUsable
from atlasdb_recovery.procedure.store_methods.choice import store_method
from atlasdb_recovery.settings import Settings
from atlasdb_recovery.timestamps.authority import service_for
from atlasdb_recovery.timestamps.service import TimestampServiceRefused


class Graph(Protocol):
    """Makes the Context of one session. `offline`: the service is down, so its stored bound is the authority."""

    def __call__(
        self, settings: Settings, session: str, answers: Mapping[str, Any], *, offline: bool
    ) -> AbstractAsyncContextManager[Context]: ...


def graph_of(context: click.Context) -> Graph:
    """The graph that the program was started with; the live one unless somebody gave another."""
    return context.find_root().obj or live_graph


@asynccontextmanager
async def live_graph(
    settings: Settings, session: str, answers: Mapping[str, Any], *, offline: bool
) -> AsyncIterator[Context]:
    """Connects to the cluster that the settings name."""
    nodetool = CommandNodetool(
        settings.nodetool.template,
        jmx_port=settings.nodetool.jmx_port,
        nodes=settings.nodetool.node_overrides,
        secrets=settings.secrets(),
    )

    async def describe_ring(keyspace: str) -> str:
        nodes = (await cluster.identity()).nodes
        return (await nodetool.run(nodes[0].address, "describering", keyspace)).stdout

    cluster = await DriverCluster.connect(
        settings.cql.contact_points,
        port=settings.cql.port,
        username=settings.cql.username,
        password=str(settings.cql.password),
        tls=None if settings.cql.tls is None else settings.cql.tls.context(),
        connect_timeout=settings.cql.connect_timeout,
        request_timeout=settings.cql.request_timeout,
        describe_ring=describe_ring,
    )
    context = None
    try:
        nodes = (await cluster.identity()).nodes
        context = _context(settings, session, answers, cluster, nodetool, offline=offline)
        context.local_addresses = addresses_of_this_machine(node.address for node in nodes)
        yield context
    finally:
        if context is not None:
            context.close()
        await cluster.close()


def practice_graph(nodes: PracticeCluster, mode: str = "PRACTICE") -> Graph:
    """Sessions on this practice cluster, in its own time."""

    @asynccontextmanager
    async def graph(
        settings: Settings, session: str, answers: Mapping[str, Any], *, offline: bool
    ) -> AsyncIterator[Context]:
        context = _context(settings, session, answers, nodes.cluster, nodes.nodetool, offline=offline)
        context.mode = mode
        context.local_addresses = nodes.local_addresses
        context.seconds_now, context.wait = nodes.seconds_now, nodes.wait
        try:
            yield context
        finally:
            context.close()

    return graph


def _context(
    settings: Settings,
    session: str,
    answers: Mapping[str, Any],
    cluster: Cluster,
    nodetool: Nodetool,
    *,
    offline: bool,
) -> Context:
    async def nobody_connected() -> None:
        result = await TimestampAuthorityUsable().check(context)
        if not result.status.lets_pass:
            raise TimestampServiceRefused(
                f"somebody may be connected: {result.evidence}. The stored bound is not written beside a running "
                f"service. {result.remedy or 'Stop it first.'}"
            )

    def seen(server: str, role: str, note: str) -> None:
        context.server_seen(server, role, note)

    context = Context(
        session=session,
        settings=settings,
        cluster=cluster,
        nodetool=nodetool,
        timestamps=service_for(settings, cluster, nobody_connected, offline=offline, seen=seen),
        store=store_method(settings.store),
        answers=answers,
        state_directory=settings.state_dir,
        export_directory=settings.export_dir,
    )
    return context
