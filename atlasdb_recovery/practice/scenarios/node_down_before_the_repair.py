"""A node goes down between the store's restore and the repair."""

from atlasdb_recovery.events import Event, StepVerified
from atlasdb_recovery.practice.scenarios.noticing import refuses
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Script
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.steps.names import RESTORE_STORE


class NodeDownBeforeTheRepair(Scenario):
    name = "node-down-before-the-repair"
    title = "A node is down before the repair"
    situation = "The service is stopped and all three nodes are up. The data centre works on its power tonight."
    built_in = "The second node loses power as soon as the store is restored."
    rules = (
        "A repair is done when every expected range of every node is accounted for. With a replica missing it repairs "
        "less, and its words need not say so.",
        "Removal is written and read at ALL: a replica that was away could bring a removed commit back.",
    )

    def happens(self, event: Event) -> None:
        if isinstance(event, StepVerified) and event.step == RESTORE_STORE and self.first("down"):
            self.world.happened(f"node {self._node} lost power")
            self.world.later(self.world.nodes.stop_node(self._node))

    def is_met_by(self, event: Event) -> bool:
        return refuses(event, "EveryNodeUp")

    @property
    def right(self) -> Script:
        return Script((Act(f"start {self._node}"), Choice.RETRY))

    @property
    def wrong_first(self) -> Script:
        return Script((Choice.RETRY, Choice.RETRY, Act("restart-all"), Choice.RETRY, *self.right.moves))

    @property
    def _node(self) -> str:
        return self.world.nodes.addresses[1]
