"""The lock on the immutable timestamp runs out while the nodes are being copied."""

from collections.abc import Sequence

from atlasdb_recovery.events import CommandStarted, Event
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.backup_on_timelock import BackUpOnTimeLock
from atlasdb_recovery.practice.scenarios.noticing import fails
from atlasdb_recovery.practice.scenarios.script import Act, Next, Script
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.steps.names import BACK_UP_STORE


class TimeLockLockLostInTheBackup(BackUpOnTimeLock):
    name = "timelock-lock-lost-in-the-backup"
    title = "TimeLock: the lock is lost in the middle of the backup"
    situation = (
        "The service has its timestamps from TimeLock, which is well; sweep runs as always. All nodes are up. The "
        "network team rolls out its new firewall rules this afternoon."
    )
    built_in = (
        "While the second node is copied nothing from this host reaches TimeLock for half a minute. The backup's lock "
        "is not refreshed within its lease of 20 seconds, and TimeLock forgets it."
    )
    rules = (
        "The lock on the immutable timestamp must be held from before B until after F without a gap: in a gap sweep "
        "may have deleted what a reader at B needs, and no look at the copy can tell.",
        "What failed half way is not mended: a backup without its lock is begun anew, with another B, in an empty "
        "directory.",
    )

    def happens(self, event: Event) -> None:
        second = self.world.nodes.addresses[1]
        is_copied = isinstance(event, CommandStarted) and (event.step, event.source) == (BACK_UP_STORE, second)
        if is_copied and self.first("lost"):
            self.timelock.lose_locks(self.world.keyspace)
            self.world.happened(f"TimeLock had not heard of the lock for its lease, while {second} was copied")

    def is_met_by(self, event: Event) -> bool:
        return fails(event, BACK_UP_STORE)

    def own_actions(self) -> Sequence[Action]:
        return (
            self.look_at_timelock(),
            self.set_aside(),
            Action(
                "lock-again",
                "take the lock on the immutable timestamp again, by hand",
                "curl -X POST …/timelock/lock-immutable-timestamp, so that there is a lock again.",
                self._lock_again,
                "A new lock holds sweep back from now on; what was deleted in the gap stays deleted.",
            ),
        )

    async def _lock_again(self) -> str:
        locked = self.timelock.ensemble.namespace(self.world.keyspace).lock_immutable("by-hand")
        return f"HTTP 200: the immutable timestamp is locked at {locked}, for 20 seconds"

    @property
    def right(self) -> Script:
        return Script((Choice.STOP, Act("set-aside"), Next.BEGIN_AGAIN))

    @property
    def wrong_first(self) -> Script:
        return Script((Choice.RETRY, Act("lock-again"), Choice.RETRY, *self.right.moves))
