"""The two timestamp files belong to another service's backup."""

from collections.abc import Sequence

from atlasdb_recovery.events import Event
from atlasdb_recovery.practice.scenarios import timestamp_files
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.noticing import refuses
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Script
from atlasdb_recovery.procedure.front_end import Choice

OF_ANOTHER_KEYSPACE = (52_004_711, 52_031_940)


class TimestampFilesOfAnotherKeyspace(Scenario):
    name = "timestamp-files-of-another-keyspace"
    title = "The timestamp files are another keyspace's"
    situation = (
        "The service is stopped and all three nodes are up. The storage team put the backup directory together from "
        "the archive, where every service's backups lie side by side."
    )
    built_in = "Both timestamp files are those of keyspace billing: in order, well-formed, and far above B and F."
    rules = (
        "Judge by commit timestamp against this backup's B. With a B above every commit nothing at all is removed, "
        "every torn transaction stays, and no step fails.",
        "B and F belong to one backup of one keyspace. Two plain numbers do not say so; the sealed manifest does.",
    )

    async def arrange(self) -> None:
        timestamp_files.write(self.world, *OF_ANOTHER_KEYSPACE)
        self.world.happened("the two timestamp files had been replaced by those of keyspace billing")

    async def _last_weeks(self) -> str:
        backup, fast_forward = self.world.backup_timestamp, self.world.fast_forward_timestamp
        return timestamp_files.write(self.world, max(1, backup - 2 * (fast_forward - backup)), backup - 1)

    def is_met_by(self, event: Event) -> bool:
        return refuses(event, "TimestampsInOrder")

    def own_actions(self) -> Sequence[Action]:
        return (
            timestamp_files.fetch_again(self.world),
            Action(
                "last-weeks",
                "take the timestamp files of last week's backup of this keyspace",
                "You copy backup.timestamp and fast-forward.timestamp from the backup before this one.",
                self._last_weeks,
                "They are this keyspace's, and not this backup's: its F lies below what the tables hold.",
            ),
        )

    @property
    def right(self) -> Script:
        return Script((Act("fetch-again"), Choice.RETRY))

    @property
    def wrong_first(self) -> Script:
        return Script((Choice.RETRY, Act("last-weeks"), Choice.RETRY, *self.right.moves))
