"""A scenario in which the operator backs up, beside the running service; the backup is judged by restoring it."""

from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.on_timelock import OnTimeLock


class BackUpOnTimeLock(OnTimeLock):
    procedure = "backup"

    @property
    def briefing(self) -> tuple[str, ...]:
        world = self.world
        return (
            f"14:05, a change ticket. The cluster ({', '.join(world.nodes.addresses)}) is to be upgraded at 15:00, and "
            f"nobody begins before there is a backup of keyspace {world.keyspace} in {world.settings.backup_dir}. The "
            "service goes on meanwhile.",
            self.situation,
            "Take a backup that brings back one consistent point in time. Afterwards it is restored, and looked at.",
        )

    def set_aside(self) -> Action:
        async def perform() -> str:
            directory = self.world.settings.backup_dir
            if not directory.is_dir() or not any(directory.iterdir()):
                return f"{directory} is empty"
            number = len(list(directory.parent.glob(f"{directory.name}-unusable-*"))) + 1
            aside = directory.rename(directory.with_name(f"{directory.name}-unusable-{number}"))
            return f"the unfinished backup is in {aside}; {directory} is there no more"

        return Action(
            "set-aside",
            "set the unfinished backup aside",
            "In the shell: mv of the whole backup directory, so that the next backup begins in an empty one.",
            perform,
        )
