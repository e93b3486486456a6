"""What the commands outside a session share: guards that refuse in words, and the operators' lock."""

import getpass
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import click

from atlasdb_recovery.foreign import plain
from atlasdb_recovery.journal.lock import Holder, OperatorLock, lock_paths
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.runner import checked


async def refused(context: Context, guards: Sequence[Guard]) -> bool:
    """Whether one of these guards refuses; which, why, and what to do about it is printed."""
    refusing = 0
    for guard in guards:
        result = await checked(guard, context)
        if not result.status.lets_pass:
            refusing += 1
            click.echo(f"{guard.name} refuses: {plain(result.evidence)}", err=True)
            click.echo(f"  remedy: {plain(guard.remedy_for(result))}", err=True)
    if refusing:
        click.echo("Nothing was changed.", err=True)
    return refusing > 0


@asynccontextmanager
async def locked(context: Context, backup_dir: Path | None) -> AsyncIterator[None]:
    """The operators' lock on this keyspace, and on this backup if it is known, for as long as this lasts."""
    cluster = (await context.cluster.identity()).cluster_name
    keyspace_lock, backup_lock = lock_paths(context.state_directory, backup_dir or Path(), cluster, context.keyspace)
    paths = [keyspace_lock] if backup_dir is None else [keyspace_lock, backup_lock]
    with OperatorLock.acquire(paths, Holder.here(getpass.getuser(), context.session)) as lock:
        for holder in lock.taken_from:
            print(f"WARNING: the lock was left behind by {holder}; it is ours now", file=sys.stderr)
        context.hold_lock = lock.check
        yield
