"""nodetool prints success and has repaired nothing."""

from collections.abc import Sequence

from atlasdb_recovery.events import Event
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.noticing import fails
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Script
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.step import Danger

REPAIR = "repair"
STAMP = "[2026-11-23 03:21:40,118]"
PRINTED = (
    f"{STAMP} Repair completed successfully",
    f"{STAMP} Repair command #1 finished in 0 seconds",
)


class NodetoolSaysSuccess(Scenario):
    name = "nodetool-says-success-and-did-not-repair"
    title = "nodetool says success and did not repair"
    situation = "The service is stopped and all three nodes are up. You work from the new jump host."
    built_in = (
        "On the jump host nodetool is a script of the platform team: it defers repairs to the nightly window, prints "
        "the words of success, and exits 0."
    )
    rules = (
        "A repair is done when every expected range of every node is accounted for and the completion line was seen: "
        "never by exit code, percentage or the words of success.",
        "What did not help once will not help the fifth time: ask why before you try again.",
    )

    async def arrange(self) -> None:
        self.world.nodetool.instead = self._deferred
        self.world.happened("nodetool on the jump host had been replaced by a script that defers repairs")

    def _deferred(self, _: str, arguments: Sequence[str]) -> Sequence[str] | None:
        return PRINTED if arguments[:1] == (REPAIR,) else None

    def is_met_by(self, event: Event) -> bool:
        return fails(event, REPAIR)

    def own_actions(self) -> Sequence[Action]:
        nodetool = self.world.nodetool

        async def look() -> str:
            if nodetool.instead != self._deferred:
                return "nodetool is Cassandra's own: /opt/cassandra/bin/nodetool"
            return "nodetool is /usr/local/bin/nodetool, a shell script: `case $* in *repair*) defer_to_nightly …`"

        async def use_own() -> str:
            nodetool.reset()
            return "nodetool is /opt/cassandra/bin/nodetool now"

        return (
            Action(
                "look",
                "look at what nodetool is on this host",
                "In the shell: type -a nodetool, and read it.",
                look,
                danger=Danger.READS,
            ),
            Action(
                "own-nodetool",
                "put Cassandra's own nodetool first on the PATH",
                "You correct the PATH of this host, or nodetool.command in recovery.yml.",
                use_own,
            ),
        )

    @property
    def right(self) -> Script:
        return Script((Act("look"), Act("own-nodetool"), Choice.RETRY))

    @property
    def wrong_first(self) -> Script:
        return Script((Choice.RETRY, Choice.RETRY, Act("restart-all"), Choice.RETRY, *self.right.moves))
