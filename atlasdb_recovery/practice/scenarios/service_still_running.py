"""The service, with an embedded timestamp service, comes up in the middle of the restore."""

from collections.abc import Sequence

from atlasdb_recovery.events import Event, StepVerified
from atlasdb_recovery.practice.practice_timestamps import PracticeTimestamps
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.actions import drop_keyspace
from atlasdb_recovery.practice.scenarios.noticing import refuses
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Next, Script
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.steps.names import RESTORE_STORE


class ServiceStillRunning(Scenario):
    name = "service-still-running-with-embedded-timestamps"
    title = "The service is still running, with embedded timestamps"
    situation = (
        "The service keeps its timestamps in Cassandra itself. Its deployment was scaled to zero at 03:05. All nodes "
        "are up."
    )
    built_in = (
        "An autoscaler starts one instance again as soon as the store is restored. It finds the restored bound, and "
        "raises it to hand out timestamps that were handed out before."
    )
    rules = (
        "Two writers of an embedded bound kill each other, and make B wrong: the stored bound is used only when no "
        "client is connected.",
        "After the restore the clock has gone back: whatever ran before fast-forward may have used timestamps twice. "
        "Stop it, and restore again from the backup; the bound can't be put back by hand.",
    )

    _handed_out = 0
    """The last timestamp that the instance handed out."""

    def happens(self, event: Event) -> None:
        if isinstance(event, StepVerified) and event.step == RESTORE_STORE and self.first("started"):
            self.world.happened("an instance of the service started and raised the timestamp bound")
            self.world.later(self._start())

    async def _start(self) -> None:
        timestamps = PracticeTimestamps(self.world.nodes.cluster, self.world.keyspace)
        await timestamps.start()
        self._handed_out = await timestamps.fresh_timestamp()
        await self.world.nodes.connect_stranger(self.world.nodes.addresses[0], "orders")

    def is_met_by(self, event: Event) -> bool:
        return refuses(event, "NoClientsConnected", "TimestampRowUnchanged")

    def own_actions(self) -> Sequence[Action]:
        async def stop() -> str:
            await self.world.nodes.disconnect_stranger()
            handed_out = f"; it had handed out timestamp {self._handed_out}" if self._handed_out else ""
            return f"no instance runs, and the autoscaler is suspended{handed_out}"

        return (
            Action(
                "stop-service",
                "stop the service, and what starts it",
                "You suspend the autoscaler and scale the deployment to zero, and see that its last process is gone.",
                stop,
            ),
            drop_keyspace(self.world),
        )

    @property
    def right(self) -> Script:
        return Script((Act("stop-service"), Choice.RETRY, Choice.STOP, Act("drop-keyspace"), Next.BEGIN_AGAIN))

    @property
    def wrong_first(self) -> Script:
        return Script((Choice.RETRY, Choice.RETRY, Choice.RETRY, *self.right.moves))
