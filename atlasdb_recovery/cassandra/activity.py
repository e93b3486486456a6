"""Whether a node is still repairing or streaming: what a killed nodetool, and a terminated repair, leave running.

Streams of a terminated repair go on and bring rows back after a TRUNCATE (4.0, 4.1), so nothing is restored,
dropped or truncated before this is empty on every node.
"""

from atlasdb_recovery.cassandra.node_reports import read_compactionstats, read_netstats, read_tpstats
from atlasdb_recovery.cassandra.ports import Nodetool, NodetoolFailed
from atlasdb_recovery.foreign import plain


async def running_repairs_and_streams(nodetool: Nodetool, address: str) -> tuple[str, ...]:
    """One line of evidence for each stream, validation or repair this node is at; empty if it is at none.

    Raises `NodetoolFailed` and `UnreadableReport`: then it is unknown.
    """
    streams = read_netstats(await _report(nodetool, address, "netstats")).streams
    tasks = read_compactionstats(await _report(nodetool, address, "compactionstats")).running
    pools = read_tpstats(await _report(nodetool, address, "tpstats")).repairing
    return (
        *(f"stream: {plain(' '.join((stream.operation, stream.plan_id, *stream.lines[:2])))}" for stream in streams),
        *(
            f"{plain(task.kind.lower())}: {plain(task.keyspace)}.{plain(task.table)}, "
            f"{task.completed} of {task.total} {plain(task.unit)}"
            for task in tasks
            if task.is_repair
        ),
        *(f"pool {plain(name)}: {pool.active} active, {pool.pending} pending" for name, pool in pools.items()),
    )


async def _report(nodetool: Nodetool, address: str, name: str) -> str:
    output = await nodetool.run(address, name)
    if output.exit_code != 0:
        raise NodetoolFailed(
            f"nodetool {name} failed on {plain(address)} with exit code {output.exit_code}: "
            f"{plain((output.stderr or output.stdout).strip(), 500)}. Whether it repairs or streams is unknown."
        )
    return output.stdout
