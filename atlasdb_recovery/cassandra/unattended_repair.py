"""What Cassandra does with a repair whose nodetool is gone, in words for an operator, by version.

Seen on 2.2 (Palantir's fork), 4.0, 4.1 and 5.0: the repair goes on in the server, and a terminated one may go on
streaming.
"""

import re

GOES_ON = "Cassandra goes on with this repair to its end: nodetool only watched it."
NOTHING_YET = "Until netstats is empty on every node, nothing may be restored, dropped or truncated."
FORK = (
    "`nodetool netstats`, `compactionstats` and `tpstats` (pool Repair#N) show it while it runs; "
    "`nodetool forceterminaterepairsessions` ends every repair that the node is at."
)
SHOWN = "`nodetool netstats`, `tpstats` (pool Repair#N){} show it; `compactionstats` and `repair_admin` mostly do not."
UNSEEN = SHOWN.format("")
VIEWS = SHOWN.format(" and system_views.repairs")
BY_JMX = "Only JMX ends it (StorageService.forceTerminateAllRepairSessions)"
STREAMS_LAST = f"{BY_JMX}, and its streams deliver rows up to a minute longer even then."
STREAMS_ABORT = f"{BY_JMX}, its streams with it."


def what_goes_on(release_version: str) -> str:
    """What goes on by itself on a node of this version, how to see it, and what would end it."""
    found = re.match(r"(\d+)\.(\d+)", release_version)
    release = (int(found[1]), int(found[2])) if found else (0, 0)
    if release < (4, 0):
        return f"{GOES_ON} {FORK} {NOTHING_YET}"
    shown = VIEWS if release >= (4, 1) else UNSEEN
    ended = STREAMS_ABORT if release >= (5, 0) else STREAMS_LAST
    return f"{GOES_ON} {shown} {ended} {NOTHING_YET}"
