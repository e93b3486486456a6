"""A simulated cluster in a process of its own: `python -m tests.e2e.elsewhere DIRECTORY DIALECT lost|alive`.

Prints READY once the cluster answers; stays until it is killed. Where its keyspace is lost, a backup was taken before;
where it is alive, its service goes on, and READY is followed by the address of the service's own timestamp endpoint.
"""

import asyncio
import sys
from pathlib import Path

from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.timestamp_endpoint import TimestampEndpoint
from tests.cli.rehearsal import Rehearsal
from tests.e2e.cluster_elsewhere import serve

SOCKET = "cluster.sock"


async def stay(directory: Path, dialect: Dialect, *, is_lost: bool) -> None:
    rehearsal = Rehearsal(directory, dialect, stages=15)
    arena, nodes = rehearsal.arena, rehearsal.nodes
    served = {"cluster": nodes.cluster, "nodetool": nodes.nodetool, "arena": arena, "exercise": arena.exercise}
    if is_lost:
        await arena.back_up_and_lose()
        server = await serve(directory / SOCKET, **served)
        print("READY", flush=True)
        await server.serve_forever()
        return
    await arena.exercise.make_history()
    arena.exercise.start_service()
    server = await serve(directory / SOCKET, **served)
    with TimestampEndpoint(arena.exercise.timestamps) as endpoint:
        print("READY", endpoint.uri, flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(stay(Path(sys.argv[1]), Dialect(sys.argv[2]), is_lost=sys.argv[3] == "lost"))
