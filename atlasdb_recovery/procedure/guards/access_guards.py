"""Guards that try now what later steps will need: the store's programs and directories, the right to write."""

import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from atlasdb_recovery.atlas.names import COORDINATION, TIMESTAMP, TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.cassandra.ports import StatementRefused
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed

WRITTEN_TABLES = (TRANSACTIONS, TRANSACTIONS2, COORDINATION, TIMESTAMP)


class StoreReachable(Guard):
    may_be_overruled = True
    proves = "What the store's method needs later is there: its program, or every node's data directory."
    remedy = "Mend store.* in the settings: the program must be on the path, the directories must be writable here."

    async def check(self, context: Context) -> GuardResult:
        store = context.settings.store
        if context.store.name == "command":
            commands = {"backup": (store.backup_command,), "restore": (store.restore_command,)}
            both = (store.backup_command, store.restore_command)
            for command in filter(None, commands.get(context.state.procedure, both)):
                program = shlex.split(command)[0]
                if shutil.which(program) is None:
                    return blocked(f"the program {program} is not on the path")
            return passed("the store's programs are on the path")
        if context.store.name != "snapshot":
            return not_applicable("the operator does it by hand")
        addresses = [node.address for node in (await context.cluster.identity()).nodes]
        if troubles := [trouble for address in addresses if (trouble := _trouble(store.data_directories, address))]:
            return blocked("; ".join(troubles))
        return passed(f"the data directories of {len(addresses)} nodes are readable and writable")


def _trouble(directories: Mapping[str, Path], address: str) -> str:
    """Why this node's data directory cannot be used; "" if it can."""
    directory = directories.get(address)
    if directory is None:
        return f"store.data_directories does not name node {address}"
    if not directory.is_dir():
        return f"{directory} of node {address} is not a directory here"
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        return f"{directory} of node {address} cannot be read and written by this user"
    return ""


class WritesPermitted(Guard):
    proves = "This user may write to the tables that the removal and the fast-forward write to."
    remedy = "Grant the user of cql.username MODIFY on the keyspace, then check again."

    async def check(self, context: Context) -> GuardResult:
        keyspace = await context.cluster.keyspace(context.keyspace)
        tables = [] if keyspace is None else [name for name in WRITTEN_TABLES if name in keyspace.tables]
        if not tables:
            return not_applicable("there are no tables yet on which it could be tried")
        refused = []
        for table in tables:
            try:
                await context.cluster.try_to_write(context.keyspace, table)
            except StatementRefused as error:
                refused.append(f"{table}: {error}")
        return blocked("; ".join(refused)) if refused else passed(f"writing to {', '.join(tables)} is permitted")
