"""Nothing goes wrong, unless the operator makes it."""

from collections.abc import Sequence

from atlasdb_recovery.events import Event, SessionCompleted
from atlasdb_recovery.practice.exercise import STAGES_BETWEEN_SCHEMAS
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.actions import restart_all_running
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Script


class EverythingFine(Scenario):
    name = "everything-fine"
    title = "Everything goes well"
    situation = "The service is stopped, all three nodes are up, and nobody else is at the cluster."
    built_in = "Nothing: a restore in which every guard passes and every step succeeds at once."
    rules = (
        "After the restore the clock has gone back: until fast-forward is read back as at or above F, the restore is "
        "not complete, and the service must not be started.",
        "Every step is proven by an independent look; success is never inferred from silence.",
    )

    stages = STAGES_BETWEEN_SCHEMAS

    def is_met_by(self, event: Event) -> bool:
        return isinstance(event, SessionCompleted)

    def own_actions(self) -> Sequence[Action]:
        return (restart_all_running(self.world, "Nothing had asked for it: no guard refused, no step had failed."),)

    @property
    def wrong_first(self) -> Script:
        return Script(before={"repair": (Act("restart-all"),)})
