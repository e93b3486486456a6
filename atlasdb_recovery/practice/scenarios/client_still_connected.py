"""A forgotten instance connects while the store is being restored."""

from collections.abc import Sequence

from atlasdb_recovery.events import Event, StepIntended
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.actions import restart
from atlasdb_recovery.practice.scenarios.noticing import refuses
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Script
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.steps.names import RESTORE_STORE

COMES_BACK = "The client connects again as soon as the node is back. Stop the process, not its connection."


class ClientStillConnected(Scenario):
    name = "client-still-connected"
    title = "A client is still connected"
    situation = "Operations confirm that all three instances of the service are stopped. All nodes are up."
    built_in = "A nightly job of the same service, which nobody counts among its instances, connects on its own."
    rules = (
        "The restore is offline: nobody else touches the keyspace until it is complete. One write of a stranger can "
        "be lost in the removal, or outlive it.",
        "“Everything is stopped” is an opinion; the servers' own list of clients is a fact. Ask before each step.",
    )

    def happens(self, event: Event) -> None:
        if isinstance(event, StepIntended) and event.step == RESTORE_STORE and self.first("connected"):
            node = self.world.nodes.addresses[0]
            self.world.happened(f"the nightly job connected to {node}")
            self.world.later(self.world.nodes.connect_stranger(node, "orders-batch"))

    def is_met_by(self, event: Event) -> bool:
        return refuses(event, "NoClientsConnected")

    def own_actions(self) -> Sequence[Action]:
        async def stop() -> str:
            await self.world.nodes.disconnect_stranger()
            return "the job is stopped, and its schedule is suspended"

        first = self.world.nodes.addresses[0]
        return (
            Action(
                "stop-job",
                "stop the nightly job orders-batch",
                "You find the host by the address that the guard shows, and stop the process there, and its schedule.",
                stop,
            ),
            restart(self.world, "restart-first", f"restart node {first}", (first,), COMES_BACK),
        )

    @property
    def right(self) -> Script:
        return Script((Act("stop-job"), Choice.RETRY))

    @property
    def wrong_first(self) -> Script:
        return Script((Choice.RETRY, Choice.RETRY, Act("restart-first"), Choice.RETRY, *self.right.moves))
