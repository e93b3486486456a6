"""The operator's connection breaks when half of the transactions are removed."""

from collections.abc import Sequence

from atlasdb_recovery.events import Event, Progressed, SessionParked
from atlasdb_recovery.journal.lock import lock_places
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Next, Script
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.step import Danger
from atlasdb_recovery.procedure.steps.names import CLEAN_TRANSACTIONS


class InterruptedAfterHalfTheRemovals(Scenario):
    name = "interrupted-after-half-the-removals"
    title = "Interrupted after half the removals"
    situation = (
        "The service is stopped and all three nodes are up. You are on a train, on ssh over a phone, without tmux."
    )
    built_in = "The ssh connection breaks when half of the transactions are removed, and the session parks."
    rules = (
        "Before a row is removed its pre-image is on disk, outside the cluster: what was done is known after any "
        "interruption.",
        "An interrupted session is resumed, not begun again: it asks the cluster what is already true, and repeats "
        "nothing blindly.",
    )
    stages_between_snapshots = 3_000

    def happens(self, event: Event) -> None:
        if (
            isinstance(event, Progressed)
            and (event.step, event.scope) == (CLEAN_TRANSACTIONS, "remove")
            and 0 < event.done < (event.total or 0)
            and self.first("broken")
        ):
            self.world.happened(f"the ssh connection broke after {event.done} of {event.total} removals")
            self.world.break_connection()

    def is_met_by(self, event: Event) -> bool:
        return isinstance(event, SessionParked) and event.step == CLEAN_TRANSACTIONS

    def own_actions(self) -> Sequence[Action]:
        return (
            Action(
                "delete-lock",
                "delete the lock files",
                "In the shell: rm of the lock in the backup directory, and of the one in the state directory.",
                self._delete_lock,
                "A session that parks gives its lock back. One that looks left behind names its holder: ask them, and "
                "take it over on record with resume --take-over; deleted, it would let two operators undo each other.",
                Danger.DESTROYS,
            ),
        )

    async def _delete_lock(self) -> str:
        world, settings = self.world, self.world.settings
        cluster = (await world.nodes.cluster.identity()).cluster_name
        places = lock_places(settings.state_dir, settings.backup_dir, cluster, world.keyspace)
        there = [place for place in places if place.exists()]
        for place in there:
            place.unlink()
        return f"{len(there)} lock files were there"

    @property
    def right(self) -> Script:
        return Script((Next.RESUME,))

    @property
    def wrong_first(self) -> Script:
        return Script((Act("delete-lock"), Next.BEGIN_AGAIN, Choice.RETRY, Choice.STOP, *self.right.moves))
