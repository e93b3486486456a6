"""A simulated cluster with a lost keyspace, in a process of its own: `python -m tests.e2e.elsewhere DIRECTORY DIALECT`.

Prints READY once a backup was taken, the keyspace is lost and the cluster answers; stays until it is killed.
"""

import asyncio
import sys
from pathlib import Path

from atlasdb_recovery.practice.simulated import Dialect
from tests.cli.rehearsal import Rehearsal
from tests.e2e.cluster_elsewhere import serve

SOCKET = "cluster.sock"


async def stay(directory: Path, dialect: Dialect, *, is_lost: bool) -> None:
    rehearsal = Rehearsal(directory, dialect, stages=15)
    arena = rehearsal.arena
    if is_lost:
        await arena.back_up_and_lose()
    else:
        await arena.exercise.make_history()
    server = await serve(
        directory / SOCKET, cluster=rehearsal.nodes.cluster, nodetool=rehearsal.nodes.nodetool, arena=arena
    )
    print("READY", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(stay(Path(sys.argv[1]), Dialect(sys.argv[2]), is_lost=sys.argv[3] == "lost"))
