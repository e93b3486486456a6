"""When, by the wall clock, AtlasDB noted a timestamp: the `_punch` table (`KeyValueServicePuncherStore`)."""

from datetime import UTC, datetime

from atlasdb_recovery.atlas import varlong
from atlasdb_recovery.cassandra.ports import Cluster, Consistency

PUNCH = "_punch"


async def wall_clock_of(cluster: Cluster, keyspace: str, timestamp: int) -> str:
    """The newest noted time whose timestamp is not above this one, in ISO 8601; says so where none was noted."""
    newest: datetime | None = None
    pages = cluster.scan(keyspace, PUNCH, "", "", consistency=Consistency.QUORUM, page_size=1_000)
    async for page in pages:
        for cell in page:
            noted = _wall_clock(cell.key) if ~cell.column2 <= timestamp else None
            newest = max(filter(None, (newest, noted)), default=None)
    return "not noted by the service" if newest is None else newest.isoformat(timespec="milliseconds")


def _wall_clock(key: bytes) -> datetime | None:
    """The time in a key; None for what is none, which is the service's to mend and no reason to keep a timestamp."""
    try:
        return datetime.fromtimestamp(varlong.decode(bytes(byte ^ 0xFF for byte in key)) / 1000, UTC)
    except (varlong.MalformedValue, ValueError, OverflowError, OSError):
        return None
