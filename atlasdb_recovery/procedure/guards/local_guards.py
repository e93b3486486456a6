"""Guards over this machine and this program: directories, later steps' access, the timestamp authority."""

import os
import shlex
import shutil
import tempfile
from pathlib import Path

import humanize

from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, passed

ROOM_NEEDED = 64 * 1024 * 1024


class DirectoriesWritable(Guard):
    proves = "The journal and the export of what will be removed can be written, and there is room for them."
    remedy = "Name directories with room that this user may write: state_dir, export_dir, backup_dir in the settings."

    async def check(self, context: Context) -> GuardResult:
        shown = []
        for directory in (context.state_directory, context.export_directory):
            try:
                free = _probe(directory)
            except OSError as error:
                return blocked(f"{directory}: {error.strerror or error}")
            if free < ROOM_NEEDED:
                return blocked(f"{directory} has only {humanize.naturalsize(free, binary=True)} left")
            shown.append(f"{directory} ({humanize.naturalsize(free, binary=True)} free)")
        return passed(", ".join(shown))


def _probe(directory: Path) -> int:
    """Free bytes after a file has been written there and removed; where it is not there yet, in what it will be in."""
    existing = directory
    while not existing.exists():
        existing = existing.parent
    with tempfile.NamedTemporaryFile(dir=existing, prefix=".probe-") as probe:
        probe.write(b"\0" * 4096)
        probe.flush()
        os.fsync(probe.fileno())
    return shutil.disk_usage(existing).free


class StoreReachable(Guard):
    may_be_overruled = True
    proves = "What the store's method needs later is there: its program, or every node's data directory."
    remedy = "Mend store.* in the settings: the program must be on the path, the directories must be writable here."

    async def check(self, context: Context) -> GuardResult:
        store = context.settings.store
        if context.store.name == "command":
            for command in filter(None, (store.backup_command, store.restore_command)):
                program = shlex.split(command)[0]
                if shutil.which(program) is None:
                    return blocked(f"the program {program} is not on the path")
            return passed("the store's programs are on the path")
        if context.store.name != "snapshot":
            return passed("the operator does it by hand")
        for node in (await context.cluster.identity()).nodes:
            directory = store.data_directories.get(node.address)
            if directory is None:
                return blocked(f"store.data_directories does not name node {node.address}")
            if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
                return blocked(f"{directory} of node {node.address} cannot be read and written by this user")
        return passed(f"the data directories of {len(store.data_directories)} nodes are readable and writable")


class TimestampAuthorityKnown(Guard):
    proves = "It is known which timestamp service is the authority for this keyspace."
    remedy = "Check the leader, lock, timestamp and timelock blocks of the service's configuration."

    async def check(self, context: Context) -> GuardResult:
        service = context.timestamps
        if service.serves_live:
            return passed(service.description)
        return passed(f"{service.description}; it is asked only while nobody is connected")


class TimestampAuthorityUsable(Guard):
    proves = "The authority can be asked now: a stored bound only while nobody is connected, else the running service."
    remedy = (
        "A stored bound beside a running service makes B wrong and kills the service. Stop every instance, or let the "
        "fresh timestamps come from the service itself (a `timestamp` block in its configuration)."
    )

    async def check(self, context: Context) -> GuardResult:
        if context.timestamps.serves_live:
            return passed(f"{context.timestamps.description} is asked while the service runs")
        from atlasdb_recovery.procedure.guards.client_guards import NoClientsConnected

        return await NoClientsConnected().check(context)
