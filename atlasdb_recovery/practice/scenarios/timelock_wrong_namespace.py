"""The configuration names a namespace that is not the service's."""

from collections.abc import Sequence

from atlasdb_recovery.events import Event
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.noticing import refuses
from atlasdb_recovery.practice.scenarios.on_timelock import OnTimeLock
from atlasdb_recovery.practice.scenarios.script import Act, Next, Script
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.step import Danger


class TimeLockWrongNamespace(OnTimeLock):
    name = "timelock-wrong-namespace"
    title = "TimeLock: the wrong namespace"
    situation = (
        "The service has its timestamps from TimeLock, which is well. The service is stopped and all three nodes are "
        "up. You work from the new jump host, where its configuration was filled in from the template an hour ago."
    )
    built_in = (
        "The template has given the service a namespace of its own making: TimeLock's `client` is not the one that "
        "the service used, and TimeLock has never heard of it."
    )
    rules = (
        "A fast-forward of another namespace protects nothing: the service's own would hand out timestamps again that "
        "the tables hold already. The sealed manifest says which namespace the backup's timestamps came from.",
        "TimeLock makes a namespace of whatever name it is asked for, and hands out 1: compare names, never try them.",
    )

    async def arrange(self) -> None:
        self.configure(timelock_client=self._wrong)
        self.world.happened(f"the service's configuration on the jump host had been given the namespace {self._wrong}")

    def is_met_by(self, event: Event) -> bool:
        return refuses(event, "TimestampAuthorityKnown")

    def own_actions(self) -> Sequence[Action]:
        return (
            Action(
                "look-namespaces",
                "look at which namespaces TimeLock has",
                "curl -X POST …/tl/management/getNamespaces: a list, and nothing is made by asking for it.",
                self._look,
                danger=Danger.READS,
            ),
            Action(
                "correct-client",
                "take TimeLock's `client` from the configuration that the service runs with",
                "You open the deployed install.yml in the service's own repository, and copy its timelock block.",
                self._correct,
            ),
            Action(
                "ask-timelock",
                f"ask TimeLock for a timestamp of {self._wrong}, to see whether it works",
                f"curl -X POST …/{self._wrong}/timestamp/fresh-timestamp.",
                self._ask,
                "Asking made the namespace, empty, at timestamp 1. It looks as if it were there now, and guards "
                "nothing; somebody will find it and wonder.",
            ),
        )

    async def _look(self) -> str:
        names = sorted(set().union(*self.timelock.ensemble.listed))
        return f"TimeLock has: {', '.join(names)}; configured is {self.world.settings.namespace}"

    async def _correct(self) -> str:
        self.configure(timelock_client=self.world.keyspace)
        return f"the timelock block says `client: {self.world.keyspace}`; a session that goes on or begins reads it"

    async def _ask(self) -> str:
        return f"HTTP 200: {self.timelock.fresh(self._wrong)}"

    @property
    def right(self) -> Script:
        return Script((Act("look-namespaces"), Choice.STOP, Act("correct-client"), Next.RESUME))

    @property
    def wrong_first(self) -> Script:
        return Script((Choice.RETRY, Act("ask-timelock"), Choice.RETRY, *self.right.moves))

    @property
    def _wrong(self) -> str:
        return f"{self.world.keyspace}-blue"
