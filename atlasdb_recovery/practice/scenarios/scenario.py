"""What a scenario is: what the operator knows when paged, what goes wrong, what can be done, what it teaches."""

from collections.abc import Sequence

from atlasdb_recovery.events import Event
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.actions import always
from atlasdb_recovery.practice.scenarios.script import Script
from atlasdb_recovery.practice.scenarios.world import World
from atlasdb_recovery.procedure.step import Danger

IN_ORDER = tuple(Danger)
"""What only looks stands first in the practice world's menu, what destroys last."""


class Scenario:
    """One scenario on one world. `happens` is called after every event of the operator's sessions is on record."""

    name: str
    title: str
    situation: str
    """What the operator knows when paged, beside what is always so. No hint of the solution."""
    built_in: str
    """What goes wrong, for the debrief."""
    rules: tuple[str, ...]
    """The truths of `design.md`, section 4, that it is about."""
    procedure: str = "restore"
    """What the operator does: restore | backup. A backup is judged by restoring it."""
    not_real: str = ""
    """Why it cannot be run on real nodes; "" if it can."""

    stages: int = 120
    """How long the history is, for each schema, in stages of transactions."""
    schemas: tuple[int, ...] = (1, 2, 3)
    stages_between_snapshots: int = 30

    def __init__(self, world: World) -> None:
        self.world = world
        self._happened: set[str] = set()

    @property
    def briefing(self) -> tuple[str, ...]:
        """Paragraphs for the operator, before anything else is shown."""
        world = self.world
        nodes = ", ".join(world.nodes.addresses)
        return (
            f"03:07, the pager. Keyspace {world.keyspace} is gone: a clean-up job dropped it on the whole cluster "
            f"({nodes}) at 02:58. Last night's backup is in {world.settings.backup_dir}.",
            self.situation,
            "Bring the keyspace back to the backup's one consistent point in time.",
        )

    async def grow_up(self) -> None:
        """What became of the service between its first transactions and its backup."""

    async def arrange(self) -> None:
        """What has happened between the loss and the page."""

    def happens(self, event: Event) -> None:
        """The live failure: must not wait; what takes time is begun with `world.later`."""

    def is_met_by(self, event: Event) -> bool:
        """Whether this event is the built-in failure being noticed."""
        return False

    def own_actions(self) -> Sequence[Action]:
        """What can be done here and in no other scenario, or means something else here."""
        return ()

    def actions(self) -> Sequence[Action]:
        """What can be done now, wrong things among it: what only looks first, what destroys last, by name among those.

        The order gives nothing away of what helps.
        """
        by_key = {action.key: action for action in (*always(self.world), *self.own_actions())}
        return sorted(by_key.values(), key=lambda action: (IN_ORDER.index(action.danger), action.name))

    def missed(self, acted: Sequence[str]) -> Sequence[str]:
        """What of this scenario in particular was missed, given the keys of all actions in order."""
        return ()

    @property
    def right(self) -> Script:
        """The scripted operator who knows."""
        return Script()

    @property
    def wrong_first(self) -> Script:
        """The scripted operator who does something else first, and then that."""
        raise NotImplementedError

    def first(self, what: str) -> bool:
        """True once for each `what`."""
        is_first = what not in self._happened
        self._happened.add(what)
        return is_first
