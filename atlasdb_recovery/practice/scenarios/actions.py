"""What can be done in every practice world, and what several scenarios share."""

from collections.abc import Sequence

from atlasdb_recovery.atlas.names import TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.world import World
from atlasdb_recovery.procedure.step import Danger

WAITED = 30.0
MENDS_NOTHING = (
    "A restart mends nothing that is down, in the way or untrue; it cost time, and for a while fewer nodes were up "
    "than the restore needs."
)


def wait(world: World) -> Action:
    async def perform() -> str:
        await world.nodes.wait(WAITED)
        return f"{WAITED:.0f} seconds have passed"

    return Action("wait", f"wait {WAITED:.0f} seconds", "You do nothing, and look again.", perform, danger=Danger.READS)


def start_node(world: World, address: str, lesson: str = "") -> Action:
    async def perform() -> str:
        if world.nodes.is_up(address):
            return f"{address} is running already"
        await world.nodes.start_node(address)
        return f"{address} is up"

    return Action(
        f"start {address}",
        f"start node {address}",
        "You log in to the machine and start Cassandra: systemctl start cassandra.",
        perform,
        lesson,
    )


def restart(world: World, key: str, name: str, addresses: Sequence[str], lesson: str = MENDS_NOTHING) -> Action:
    """Only nodes that run are restarted: what is down stays down."""

    async def perform() -> str:
        running = [address for address in addresses if world.nodes.is_up(address)]
        for address in running:
            await world.nodes.stop_node(address)
            await world.nodes.start_node(address)
        return f"{', '.join(running)} went down and are up again" if running else "none of them was running"

    stands_for = "You restart Cassandra on these machines, one after the other: systemctl restart cassandra."
    return Action(key, name, stands_for, perform, lesson)


def restart_all_running(world: World, lesson: str = MENDS_NOTHING) -> Action:
    return restart(world, "restart-all", "restart every node that runs", world.nodes.addresses, lesson)


def drop_keyspace(world: World, lesson: str = "") -> Action:
    async def perform() -> str:
        if await world.nodes.cluster.keyspace(world.keyspace) is None:
            return f"there is no keyspace {world.keyspace}"
        await world.exercise.lose_keyspace()
        return f"keyspace {world.keyspace} is gone"

    return Action(
        "drop-keyspace",
        f"drop keyspace {world.keyspace}",
        f"In cqlsh: DROP KEYSPACE {world.keyspace}. A restore then begins again from the backup.",
        perform,
        lesson,
        Danger.DESTROYS,
    )


def truncate(world: World, lesson: str) -> Action:
    async def perform() -> str:
        keyspace = await world.nodes.cluster.keyspace(world.keyspace)
        if keyspace is None or not keyspace.tables:
            return f"keyspace {world.keyspace} has no tables"
        for table in sorted(keyspace.tables):
            await world.nodes.cluster.change_schema(f'TRUNCATE "{world.keyspace}"."{table}"')
        return f"{len(keyspace.tables)} tables of {world.keyspace} are empty"

    return Action(
        "truncate",
        f"truncate the tables of {world.keyspace}",
        f"In cqlsh: TRUNCATE of every table, {TRANSACTIONS} and {TRANSACTIONS2} among them.",
        perform,
        lesson,
        Danger.DESTROYS,
    )


EMPTY_IS_NOT_ABSENT = (
    "Empty tables are still there, under their old ids, with whatever Paxos state was left of them; and what a restore "
    "has brought back is gone with them."
)
NO_NEED_TO_DROP = "It threw away what had been restored so far: the restore had to begin again from the backup."


def always(world: World) -> list[Action]:
    """What no scenario needs to name itself."""
    return [
        wait(world),
        *(start_node(world, address) for address in world.nodes.addresses),
        restart_all_running(world),
        truncate(world, EMPTY_IS_NOT_ABSENT),
        drop_keyspace(world, NO_NEED_TO_DROP),
    ]
