"""nodetool's reports as records: Palantir's 2.2, and 4.0, 4.1, 5.0.

Pure functions of a report's standard output. One that is not understood raises `UnreadableReport`: an empty
answer is never read as "there is nothing".
"""

from atlasdb_recovery.cassandra.node_reports.membership import (
    ClusterDescription,
    GossipState,
    Status,
    StatusRow,
    read_describecluster,
    read_gossipinfo,
    read_status,
)
from atlasdb_recovery.cassandra.node_reports.node import Info, read_info, read_running, read_version
from atlasdb_recovery.cassandra.node_reports.snapshots import read_listsnapshots
from atlasdb_recovery.cassandra.node_reports.text import UnreadableReport
from atlasdb_recovery.cassandra.node_reports.traffic import Connection, read_clientstats, read_write_counts
from atlasdb_recovery.cassandra.node_reports.work import (
    Compaction,
    CompactionStats,
    NetStats,
    Pool,
    Stream,
    ThreadPools,
    read_compactionstats,
    read_netstats,
    read_tpstats,
)

__all__ = [
    "ClusterDescription",
    "Compaction",
    "CompactionStats",
    "Connection",
    "GossipState",
    "Info",
    "NetStats",
    "Pool",
    "Status",
    "StatusRow",
    "Stream",
    "ThreadPools",
    "UnreadableReport",
    "read_clientstats",
    "read_compactionstats",
    "read_describecluster",
    "read_gossipinfo",
    "read_info",
    "read_listsnapshots",
    "read_netstats",
    "read_running",
    "read_status",
    "read_tpstats",
    "read_version",
    "read_write_counts",
]
