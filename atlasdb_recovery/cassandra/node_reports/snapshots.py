"""Which snapshots a node has: `listsnapshots`."""

import re

from atlasdb_recovery.cassandra.node_reports.text import UnreadableReport, columns, lines_from, unreadable_line

SNAPSHOT_COLUMNS = ("Snapshot name", "Keyspace name", "Column family name", "True size", "Size on disk")


def read_listsnapshots(text: str) -> frozenset[tuple[str, str, str]]:
    """(tag, keyspace, table) of every snapshot, of `org.apache.cassandra.tools.nodetool.ListSnapshots`."""
    _, *rest = lines_from("listsnapshots", text, r"Snapshot Details:")
    rest = [line for line in rest if line.strip()]
    if rest and rest[0].startswith("There are no snapshots"):
        return frozenset()
    if not rest or not all(name in rest[0] for name in SNAPSHOT_COLUMNS):
        raise UnreadableReport("listsnapshots", "it has neither a table nor says that there are no snapshots")
    places = columns(rest[0], SNAPSHOT_COLUMNS)
    snapshots = set[tuple[str, str, str]]()
    for line in rest[1:]:
        if line.startswith("Total TrueDiskSpaceUsed:"):
            return frozenset(snapshots)
        tag, keyspace, table = (line[places[name]].strip() for name in SNAPSHOT_COLUMNS[:3])
        words = line.split()[:3]
        if not re.search(r"[\d.]+ \w+\s+[\d.]+ \w+", line) or words != [tag, keyspace, table]:
            raise unreadable_line("listsnapshots", line)
        snapshots.add((tag, keyspace, table))
    raise UnreadableReport("listsnapshots", "it ends too early")
