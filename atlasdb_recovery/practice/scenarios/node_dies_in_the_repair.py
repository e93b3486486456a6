"""A node dies while another one's repair is at work."""

from atlasdb_recovery.events import CommandStarted, Event
from atlasdb_recovery.practice.scenarios.noticing import fails
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Script
from atlasdb_recovery.procedure.front_end import Choice

REPAIR = "repair"


class NodeDiesInTheRepair(Scenario):
    name = "node-dies-in-the-repair"
    title = "A node dies in the middle of the repair"
    situation = "The service is stopped and all three nodes are up."
    built_in = "While the second node repairs its ranges, the third one is killed by the kernel: out of memory."
    rules = (
        "A repair is done when every expected range of every node is accounted for and the completion line was seen: "
        "never by exit code, percentage or the word “finished”. Palantir's fork exits 0 after a repair like this.",
        "Nodes already proven are not repaired again; the failed ranges are.",
    )

    def happens(self, event: Event) -> None:
        _, second, third = self.world.nodes.addresses
        if isinstance(event, CommandStarted) and (event.step, event.source) == (REPAIR, second) and self.first("dies"):
            self.world.happened(f"node {third} was killed while {second} was repairing")
            self.world.later(self.world.nodes.stop_node_in_repair(third))

    def is_met_by(self, event: Event) -> bool:
        return fails(event, REPAIR)

    @property
    def right(self) -> Script:
        return Script((Act(f"start {self.world.nodes.addresses[2]}"), Choice.RETRY))

    @property
    def wrong_first(self) -> Script:
        return Script((*(Choice.RETRY,) * 3, Act("restart-all"), Choice.RETRY, *self.right.moves))
