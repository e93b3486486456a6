"""When, by the wall clock, AtlasDB noted a timestamp: the `_punch` table (`KeyValueServicePuncherStore`)."""

from datetime import UTC, datetime

from atlasdb_recovery.atlas import varlong
from atlasdb_recovery.cassandra.ports import Cluster, Consistency

PUNCH = "_punch"


async def wall_clock_of(cluster: Cluster, keyspace: str, timestamp: int) -> str:
    """The newest noted time whose timestamp is not above this one, in ISO 8601; says so where none was noted."""
    newest: int | None = None
    pages = cluster.scan(keyspace, PUNCH, "", "", consistency=Consistency.QUORUM, page_size=1_000)
    async for page in pages:
        for cell in page:
            if ~cell.column2 <= timestamp:
                millis = varlong.decode(bytes(byte ^ 0xFF for byte in cell.key))
                newest = millis if newest is None else max(newest, millis)
    if newest is None:
        return "not noted by the service"
    return datetime.fromtimestamp(newest / 1000, UTC).isoformat(timespec="milliseconds")
