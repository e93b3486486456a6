"""Stands in for a tool such as medusa: `python -m tests.real.store_tool SETTINGS` restores the keyspace's files."""

import asyncio
import sys
from pathlib import Path

from atlasdb_recovery.atlas import manifest
from atlasdb_recovery.cassandra.cluster import DriverCluster
from atlasdb_recovery.cassandra.nodetool import CommandNodetool
from atlasdb_recovery.events import CommandEnded
from atlasdb_recovery.procedure.store_methods import StoreContext
from atlasdb_recovery.procedure.store_methods.snapshot import SnapshotStore
from atlasdb_recovery.settings import Settings, load


async def restore(settings: Settings) -> None:
    cluster = await DriverCluster.connect(settings.cql.contact_points, port=settings.cql.port)
    context = StoreContext(
        cluster=cluster,
        nodetool=CommandNodetool(settings.nodetool.template, nodes=settings.nodetool.node_overrides),
        keyspace=settings.keyspace,
        backup_dir=settings.backup_dir,
        session="by-hand",
        settings=settings.store,
        manifest=manifest.load(settings.backup_dir),
    )
    async for event in SnapshotStore().restore(context):
        if isinstance(event, CommandEnded):
            print(f"{event.source}: {event.exit_code}", flush=True)
    await cluster.close()
    for kept in settings.backup_dir.glob("store-restore-*.json"):
        kept.unlink()


if __name__ == "__main__":
    asyncio.run(restore(load(Path(sys.argv[1]))))
