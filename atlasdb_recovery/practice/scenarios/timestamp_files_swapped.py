"""The two timestamp files have each other's content."""

from collections.abc import Sequence

from atlasdb_recovery.events import Event
from atlasdb_recovery.practice.scenarios import timestamp_files
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.noticing import refuses
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Script
from atlasdb_recovery.procedure.front_end import Choice


class TimestampFilesSwapped(Scenario):
    name = "timestamp-files-swapped"
    title = "The timestamp files are swapped"
    situation = (
        "The service is stopped and all three nodes are up. A colleague fetched the backup from the object store and "
        "gave the two timestamp files the names that the runbook wants."
    )
    built_in = "backup.timestamp holds F, and fast-forward.timestamp holds B."
    rules = (
        "1 <= B < F. With them swapped, transactions that committed during the backup would stay, torn, and timestamps "
        "that were handed out already would be handed out again.",
        "A number that looks wrong is never made to fit: only the backup itself says what its timestamps are.",
    )

    async def arrange(self) -> None:
        await self._swap()
        self.world.happened("the two timestamp files had been swapped")

    async def _swap(self) -> str:
        backup, fast_forward = timestamp_files.read(self.world)
        return timestamp_files.write(self.world, fast_forward, backup)

    async def _make_it_fit(self) -> str:
        backup, _ = timestamp_files.read(self.world)
        return timestamp_files.write(self.world, backup, backup + 1)

    def is_met_by(self, event: Event) -> bool:
        return refuses(event, "TimestampsInOrder")

    def own_actions(self) -> Sequence[Action]:
        return (
            timestamp_files.fetch_again(self.world),
            Action("swap", "swap the two timestamp files", "In the shell: three times mv.", self._swap),
            Action(
                "make-it-fit",
                "write a number above B into fast-forward.timestamp",
                "You edit the file until the check passes.",
                self._make_it_fit,
                "It made the order right and left both numbers wrong; only the sealed manifest still knew them.",
            ),
        )

    @property
    def right(self) -> Script:
        return Script((Act("swap"), Choice.RETRY))

    @property
    def wrong_first(self) -> Script:
        return Script((Choice.RETRY, Act("make-it-fit"), Choice.RETRY, Act("fetch-again"), Choice.RETRY))
