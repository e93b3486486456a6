"""What a node is at: streams (`netstats`), compactions and validations (`compactionstats`), pools (`tpstats`)."""

import re
from collections.abc import Mapping

import msgspec

from atlasdb_recovery.cassandra.node_reports.text import UUID, UnreadableReport, lines_from, number, unreadable_line


class Stream(msgspec.Struct, frozen=True):
    """A streaming plan under way: what for (Repair, Bootstrap …), its id, and its lines."""

    operation: str
    plan_id: str
    lines: tuple[str, ...]

    @property
    def bytes_done_and_total(self) -> tuple[int, int]:
        """Sent and received, to and from all its peers."""
        summaries = [found for line in self.lines if (found := _SUMMARY.match(line))]
        return sum(int(found[2]) for found in summaries), sum(int(found[1]) for found in summaries)


_SUMMARY = re.compile(
    r"(?:Receiving|Sending) \d+ files?, (\d+) bytes total\. Already (?:received|sent) \d+ files?(?: \([^)]*\))?, "
    r"(\d+) bytes total"
)


class NetStats(msgspec.Struct, frozen=True):
    mode: str
    """NORMAL, STARTING, JOINING, LEAVING, MOVING, DRAINED …"""
    streams: tuple[Stream, ...]


def read_netstats(text: str) -> NetStats:
    """Of `org.apache.cassandra.tools.nodetool.NetStats`."""
    first, *rest = lines_from("netstats", text, r"Mode:")
    mode = first.partition(":")[2].strip()
    none_said, streams = False, list[Stream]()
    ended = mode == "STARTING"
    for line in rest:
        if line.startswith("Read Repair Statistics:"):
            ended = True
            break
        if line.strip() == "Not sending any streams.":
            none_said = True
        elif found := re.fullmatch(rf"(\S.*) ({UUID.pattern})\s*", line):
            streams.append(Stream(operation=found[1], plan_id=found[2], lines=()))
        elif line.startswith("    ") and streams:
            streams[-1] = msgspec.structs.replace(streams[-1], lines=(*streams[-1].lines, line.strip()))
        elif line.strip():
            raise unreadable_line("netstats", line)
    if not mode or not ended or none_said == bool(streams):
        raise UnreadableReport("netstats", "it ends too early, or does not say whether it streams")
    return NetStats(mode=mode, streams=tuple(streams))


class Compaction(msgspec.Struct, frozen=True):
    """A task of the compaction manager: a compaction, a validation of a repair, an index build …"""

    task_id: str
    kind: str
    keyspace: str
    table: str
    completed: int
    total: int
    unit: str

    @property
    def is_repair(self) -> bool:
        """A validation, or the anticompaction of an incremental repair."""
        return self.kind.lower().startswith(("validation", "anticompaction"))


class CompactionStats(msgspec.Struct, frozen=True):
    pending: int
    running: tuple[Compaction, ...]


def read_compactionstats(text: str) -> CompactionStats:
    """Of `org.apache.cassandra.tools.nodetool.CompactionStats` without -H and -V. Tasks are told by their ids."""
    lines = lines_from("compactionstats", text, r"pending tasks:|concurrent compactors\s")
    pending, running, in_table = None, [], False
    for line in lines:
        if found := re.match(r"pending tasks:?\s+(\d+)\s*$", line):
            pending = int(found[1])
        elif re.match(r"\s*id\s+compaction type\s+keyspace\s+table\s", line):
            in_table = True
        elif re.match(r"\s*active compaction remaining time", line, re.IGNORECASE):
            in_table = False
        elif in_table and line.strip():
            running.append(_compaction(line))
        elif UUID.search(line):
            raise unreadable_line("compactionstats", line)
    if pending is None:
        raise UnreadableReport("compactionstats", "it does not say how many tasks are pending")
    return CompactionStats(pending=pending, running=tuple(running))


def _compaction(line: str) -> Compaction:
    words = line.split()
    if len(words) < 8 or not UUID.fullmatch(words[0]) or not re.fullmatch(r"n/a|[\d.,]+%", words[-1]):
        raise unreadable_line("compactionstats", line)
    return Compaction(
        task_id=words[0],
        kind=" ".join(words[1:-6]),
        keyspace=words[-6],
        table=words[-5],
        completed=number("compactionstats", words[-4], line),
        total=number("compactionstats", words[-3], line),
        unit=words[-2],
    )


class Pool(msgspec.Struct, frozen=True):
    """A thread pool's tasks."""

    active: int
    pending: int
    completed: int


class ThreadPools(msgspec.Struct, frozen=True):
    """`nodetool tpstats`, by pool name."""

    pools: Mapping[str, Pool]

    @property
    def native_requests(self) -> int:
        """CQL requests served since the node's start, our own included."""
        if (pool := self.pools.get("Native-Transport-Requests")) is None:
            raise UnreadableReport("tpstats", "it has no pool Native-Transport-Requests")
        return pool.completed

    @property
    def thrift_requests(self) -> int | None:
        """Thrift requests served, None where the server counts none (only its `hsha` server has a pool for them)."""
        pools = [pool for name, pool in self.pools.items() if name.startswith(("RPC-Thread", "Thrift"))]
        return sum(pool.completed for pool in pools) if pools else None

    @property
    def repairing(self) -> Mapping[str, Pool]:
        """The pools of repair that have something to do. `Repair#N` exists while its repair runs, idle or not."""
        return {
            name: pool
            for name, pool in self.pools.items()
            if name.startswith("Repair#") or (name in REPAIR_POOLS and pool.active + pool.pending)
        }


REPAIR_POOLS = frozenset({"Repair-Task", "ValidationExecutor", "AntiEntropyStage", "AntiEntropySessions"})


def read_tpstats(text: str) -> ThreadPools:
    """Of `org.apache.cassandra.tools.nodetool.TpStats`: its first table."""
    _, *rest = lines_from("tpstats", text, r"Pool Name\s+Active\s+Pending\s+Completed\s+Blocked\s+All time blocked")
    pools = {}
    for line in rest:
        if not line.strip():
            break
        if not (found := re.fullmatch(r"(\S+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+|N/A)\s+(\d+|N/A)\s*", line)):
            raise unreadable_line("tpstats", line)
        pools[found[1]] = Pool(active=int(found[2]), pending=int(found[3]), completed=int(found[4]))
    if not pools:
        raise UnreadableReport("tpstats", "it lists no pools")
    return ThreadPools(pools=pools)
