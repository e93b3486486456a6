"""The backup's two timestamp files, as an operator can get at them."""

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.atlas.timestamp_file import BACKUP_FILE, FAST_FORWARD_FILE
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.world import World


def read(world: World) -> tuple[int, int]:
    """What the files hold: (backup.timestamp, fast-forward.timestamp)."""
    directory = world.settings.backup_dir
    return timestamp_file.read(directory / BACKUP_FILE), timestamp_file.read(directory / FAST_FORWARD_FILE)


def write(world: World, backup: int, fast_forward: int) -> str:
    """Returns what they hold now, in words."""
    directory = world.settings.backup_dir
    timestamp_file.write(directory / BACKUP_FILE, backup)
    timestamp_file.write(directory / FAST_FORWARD_FILE, fast_forward)
    return f"{BACKUP_FILE} holds {backup}, {FAST_FORWARD_FILE} holds {fast_forward}"


def fetch_again(world: World) -> Action:
    async def perform() -> str:
        return write(world, world.backup_timestamp, world.fast_forward_timestamp)

    return Action(
        "fetch-again",
        "fetch the two timestamp files from the object store again",
        "You download backup.timestamp and fast-forward.timestamp of this very backup, under their own names.",
        perform,
    )
