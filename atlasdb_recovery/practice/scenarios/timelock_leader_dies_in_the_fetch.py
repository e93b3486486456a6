"""TimeLock's leader dies between the lock on the immutable timestamp and B."""

from collections.abc import Sequence

from atlasdb_recovery.events import Event, FactEstablished
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.backup_on_timelock import BackUpOnTimeLock
from atlasdb_recovery.practice.scenarios.noticing import refuses
from atlasdb_recovery.practice.scenarios.script import Act, Next, Script
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.front_end import Choice


class TimeLockLeaderDiesInTheFetch(BackUpOnTimeLock):
    name = "timelock-leader-dies-in-the-fetch"
    title = "TimeLock: the leader dies during the fetch"
    situation = (
        "The service has its timestamps from TimeLock, three servers on machines of their own. All nodes are up. The "
        "hypervisors are being patched this week, too."
    )
    built_in = (
        "TimeLock's leader is shot down with its hypervisor right after the backup's lock was taken. Another server is "
        "elected within seconds and hands out B as if nothing had been; the lock died with the old leader."
    )
    rules = (
        "Timestamps outlive their leader, locks do not: they are in its memory. After a failover every lock is gone, "
        "and one that was lost once never comes back.",
        "Without the lock sweep may delete what is needed at B while the nodes are copied: such a backup is begun "
        "anew, with another B, before more time goes into it.",
    )

    def happens(self, event: Event) -> None:
        if isinstance(event, FactEstablished) and event.name == facts.IMMUTABLE_LOCK and self.first("dies"):
            leader = self.timelock.ensemble.leader
            assert leader is not None
            self._dead = leader
            self.timelock.kill(leader)
            self.world.happened(f"{self.timelock.uris[leader]}, which led TimeLock, died while B was being fetched")

    def is_met_by(self, event: Event) -> bool:
        return refuses(event, "ImmutableTimestampLocked")

    def own_actions(self) -> Sequence[Action]:
        return (
            self.look_at_timelock(),
            self.set_aside(),
            Action(
                "start-timelock",
                "start TimeLock's server that is down",
                "You log in to its machine, which is up again, and start TimeLock: systemctl start timelock.",
                self._start,
                "It gave TimeLock its third server back, and nothing of what the backup needs: a lock is in the memory "
                "of the leader that gave it.",
            ),
        )

    async def _start(self) -> str:
        dead = self._dead
        if dead is None:
            return "all of TimeLock's servers run"
        self._dead = None
        self.timelock.start(dead)
        return f"{self.timelock.uris[dead]} is up, and follows"

    _dead: int | None = None

    @property
    def right(self) -> Script:
        return Script((Act("look-timelock"), Choice.STOP, Act("set-aside"), Next.BEGIN_AGAIN))

    @property
    def wrong_first(self) -> Script:
        return Script((Choice.RETRY, Act("start-timelock"), Choice.RETRY, *self.right.moves))
