"""One replica alone holds commits beyond B, and the repair that would show them to the others fails."""

from collections.abc import Sequence

from atlasdb_recovery.cassandra.ports import Finished
from atlasdb_recovery.events import Event
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.looks import committed_after_backup
from atlasdb_recovery.practice.scenarios.noticing import fails
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Script
from atlasdb_recovery.practice.simulated import RepairFault
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.step import Danger

REPAIR = "repair"


class ReplicasHideACommit(Scenario):
    name = "inconsistent-replicas-hide-a-commit"
    title = "Inconsistent replicas hide a commit"
    situation = (
        "The service is stopped and all three nodes are up. The backup was taken under load: its nodes were copied one "
        "after the other, forty minutes apart."
    )
    built_in = (
        "The copy of the third node, the last one, holds commits beyond B that the other two lack; and that node's "
        "disk is too full for a repair to validate anything on it."
    )
    rules = (
        "Replicas were copied at different moments: a commit that one of them holds alone is seen by some reads and "
        "not by others. All replicas must agree before the removal, or it comes back after it.",
        "A repair of a subset of the hosts says “completed successfully” and leaves the others as they were.",
    )
    not_real = "no healthy node's validation can be made to fail on cue"

    async def arrange(self) -> None:
        self._disk_is_full = True
        self.world.nodetool.before = self._before
        self.world.happened(f"the disk of {self._third} had filled up")

    async def _before(self, address: str, arguments: Sequence[str]) -> None:
        takes_part = "-hosts" not in arguments or self._third in arguments[arguments.index("-hosts") + 1]
        if arguments[:1] == (REPAIR,) and self._disk_is_full and takes_part:
            fault = RepairFault(failed_session=0, error=f"Validation failed in /{self._third}")
            _simulated(self.world.nodes).simulated.faults.in_next_repair(address, fault)

    def is_met_by(self, event: Event) -> bool:
        return fails(event, REPAIR)

    def own_actions(self) -> Sequence[Action]:
        return (
            *(self._look_at(address) for address in self.world.nodes.addresses),
            Action(
                "free-disk",
                f"look at the disk of {self._third}, and free it",
                "You log in, find the data volume at 100 %, and remove what an old heap dump took.",
                self._free_disk,
            ),
            Action(
                "repair-the-others",
                f"repair without {self._third}: nodetool repair -hosts",
                "You run nodetool repair -hosts with the addresses of the other two, by hand, on the first of them.",
                self._repair_the_others,
                f"It said success, and the commits that only {self._third} holds stayed hidden from the others.",
            ),
        )

    def _look_at(self, address: str) -> Action:
        async def look() -> str:
            count = await committed_after_backup(self.world, address)
            return f"{address} shows {count} transactions committed after B = {self.world.backup_timestamp}"

        stands_for = "In cqlsh on that node, with CONSISTENCY ONE, you read the transactions tables."
        return Action(f"look {address}", f"look at {address}'s own rows", stands_for, look, danger=Danger.READS)

    async def _free_disk(self) -> str:
        self._disk_is_full = False
        return f"the data volume of {self._third} was at 100 %; 38 GB are free now"

    async def _repair_the_others(self) -> str:
        first, second, _ = self.world.nodes.addresses
        full = [] if _simulated(self.world.nodes).simulated.dialect.has_thrift else ["-full"]
        options = [*full, "-hosts", f"{first},{second}", "--", self.world.keyspace, "_transactions", "_transactions2"]
        lines = [i async for i in self.world.nodetool.stream(first, REPAIR, *options) if not isinstance(i, Finished)]
        return lines[-1].text if lines else "nodetool printed nothing"

    @property
    def right(self) -> Script:
        looks = (Act(f"look {self.world.nodes.addresses[0]}"), Act(f"look {self._third}"))
        return Script((*looks, Act("free-disk"), Choice.RETRY))

    @property
    def wrong_first(self) -> Script:
        return Script((Act("repair-the-others"), Choice.RETRY, *self.right.moves))

    @property
    def _third(self) -> str:
        return self.world.nodes.addresses[2]


def _simulated(nodes: object) -> SimulatedPractice:
    assert isinstance(nodes, SimulatedPractice)
    return nodes
