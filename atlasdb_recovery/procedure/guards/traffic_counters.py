"""Who is at work on nodes that cannot list their clients: request and write counters, sampled twice."""

import asyncio
from collections.abc import Mapping, Sequence

from atlasdb_recovery.cassandra.node_reports.text import UnreadableReport
from atlasdb_recovery.cassandra.node_reports.traffic import read_write_counts
from atlasdb_recovery.cassandra.node_reports.work import read_tpstats
from atlasdb_recovery.procedure.context import Context

SAMPLED_APART = 2.0
SAMPLES = 3
OWN_REQUESTS_ALLOWED = 20
"""The driver's heartbeats count too, and on 2.2 each request counts twice."""
NATIVE, THRIFT = "native requests", "Thrift requests"


async def moving_counters(context: Context, nodes: Sequence[str]) -> list[str]:
    """One line for each counter that moves, empty if all stand still.

    What moves is sampled once more before it is called somebody else's: the guards beside this one make requests too,
    and their reads at ALL may write to a replica that lacks something.
    """
    before = await _sampled(context, nodes)
    moved: list[str] = []
    for _ in range(SAMPLES - 1):
        await context.wait(SAMPLED_APART)
        after = await _sampled(context, nodes)
        moved, before = _moved(before, after), after
        if not moved:
            break
    return moved


def _moved(before: Mapping[str, Mapping[str, int]], after: Mapping[str, Mapping[str, int]]) -> list[str]:
    return [
        f"{node}: {name} rose from {before[node].get(name, 0)} to {count} within {SAMPLED_APART:.0f} s"
        for node, counts in after.items()
        for name, count in counts.items()
        if count - before[node].get(name, 0) > (OWN_REQUESTS_ALLOWED if name == NATIVE else 0)
    ]


async def _sampled(context: Context, nodes: Sequence[str]) -> dict[str, dict[str, int]]:
    keyspace = await context.cluster.keyspace(context.keyspace)
    has_tables = keyspace is not None and bool(keyspace.tables)

    async def one(node: str) -> dict[str, int]:
        pools = read_tpstats((await context.nodetool.run(node, "tpstats")).stdout)
        counts = {NATIVE: pools.native_requests}
        if pools.thrift_requests is not None:
            counts[THRIFT] = pools.thrift_requests
        return counts | (await _writes(context, node) if has_tables else {})

    return dict(zip(nodes, await asyncio.gather(*(one(node) for node in nodes)), strict=True))


async def _writes(context: Context, node: str) -> dict[str, int]:
    output = await context.nodetool.run(node, "cfstats", context.keyspace)
    if output.exit_code != 0:
        raise UnreadableReport("cfstats", f"on {node} it ends with {output.exit_code}: {output.complaint}")
    return {f"writes to {table}": writes for (_, table), writes in read_write_counts(output.stdout).items()}
