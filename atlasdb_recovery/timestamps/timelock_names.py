"""Names of TimeLock's namespaces (`TimelockNamespaces`), judged here before any server hears of one.

A server answers 404, 400 or 503 to a name that it cannot use, and 503 looks like a server that is not the leader.
"""

import re

from atlasdb_recovery.foreign import plain
from atlasdb_recovery.timestamps.service import TimestampServiceRefused

LONGEST = 255
"""Characters. One more, and the server cannot make the namespace's directory and answers 503 for ever."""
RESERVED = frozenset({"tl", "lw", "leader", "__leader__"})
"""The first three are paths of the server itself, the last is where it keeps its own leadership."""

_NAME = re.compile(r"[a-zA-Z0-9_-]+")


def require_name(namespace: str) -> None:
    """Raises TimestampServiceRefused for a name that no namespace of a service can have."""
    if namespace in RESERVED:
        problem = "is a name that TimeLock keeps for itself"
    elif not _NAME.fullmatch(namespace):
        problem = "has other characters than letters, digits, - and _"
    elif len(namespace) > LONGEST:
        problem = f"has {len(namespace)} characters, and TimeLock takes {LONGEST} at most"
    else:
        return
    raise TimestampServiceRefused(
        f"Nothing was asked of TimeLock: its namespace “{plain(namespace, 60)}” {problem}. Correct `namespace`, or"
        " `client` of the timelock block, in the service's configuration."
    )
