"""Whether a node is still repairing or streaming: what a killed nodetool, and a terminated repair, leave running.

Streams of a terminated repair go on and bring rows back after a TRUNCATE (4.0, 4.1), so nothing is restored,
dropped or truncated before this is empty on every node.
"""

from collections.abc import Mapping

import msgspec

from atlasdb_recovery.cassandra.node_reports import (
    Compaction,
    Pool,
    Stream,
    read_compactionstats,
    read_netstats,
    read_tpstats,
)
from atlasdb_recovery.cassandra.ports import Nodetool, NodetoolFailed
from atlasdb_recovery.foreign import plain


class Activity(msgspec.Struct, frozen=True):
    """A node's streams, the validations among its compaction tasks, and its pools that have a repair to do."""

    streams: tuple[Stream, ...]
    validations: tuple[Compaction, ...]
    pools: Mapping[str, Pool] = {}

    @property
    def evidence(self) -> tuple[str, ...]:
        """One line for each; empty if the node is at none."""
        return (
            *(f"stream: {plain(' '.join((each.operation, each.plan_id, *each.lines[:2])))}" for each in self.streams),
            *(
                f"{plain(task.kind.lower())}: {plain(task.keyspace)}.{plain(task.table)}, "
                f"{task.completed} of {task.total} {plain(task.unit)}"
                for task in self.validations
            ),
            *(f"pool {plain(name)}: {pool.active} active, {pool.pending} pending" for name, pool in self.pools.items()),
        )


async def running_repairs_and_streams(nodetool: Nodetool, address: str) -> tuple[str, ...]:
    """One line of evidence for each stream, validation or repair this node is at; empty if it is at none.

    Raises `NodetoolFailed` and `UnreadableReport`: then it is unknown.
    """
    return (await activity(nodetool, address)).evidence


async def activity(nodetool: Nodetool, address: str) -> Activity:
    """Everything a node can be at, by three reports. Raises `NodetoolFailed` and `UnreadableReport`."""
    visible = await visible_activity(nodetool, address)
    pools = read_tpstats(await _report(nodetool, address, "tpstats")).repairing
    return msgspec.structs.replace(visible, pools=pools)


async def visible_activity(nodetool: Nodetool, address: str) -> Activity:
    """What has figures: streams and validations. A repair may run without either. Raises as `activity`."""
    streams = read_netstats(await _report(nodetool, address, "netstats")).streams
    tasks = read_compactionstats(await _report(nodetool, address, "compactionstats")).running
    return Activity(streams=streams, validations=tuple(task for task in tasks if task.is_repair))


async def _report(nodetool: Nodetool, address: str, name: str) -> str:
    output = await nodetool.run(address, name)
    if output.exit_code != 0:
        raise NodetoolFailed(
            f"nodetool {name} failed on {plain(address)} with exit code {output.exit_code}: "
            f"{plain((output.stderr or output.stdout).strip(), 500)}. Whether it repairs or streams is unknown."
        )
    return output.stdout
