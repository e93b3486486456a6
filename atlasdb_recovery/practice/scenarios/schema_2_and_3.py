"""Everything is in schemas 2 and 3, and a replica drops writes in the middle of the removal."""

from collections.abc import Sequence

from atlasdb_recovery.atlas.names import TRANSACTIONS
from atlasdb_recovery.cassandra.ports import Consistency
from atlasdb_recovery.events import Event, StepIntended
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.noticing import fails
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Script
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.step import Danger
from atlasdb_recovery.procedure.steps.names import CLEAN_TRANSACTIONS

WRITE_TIME_OF_ATLASDBS_TOOL = 1_010_002


class Schema2And3(Scenario):
    name = "schema-2-and-3"
    title = "Schemas 2 and 3, and a removal that stops half way"
    situation = (
        "The service is stopped and all three nodes are up. The runbook on the wiki is of 2018: nodetool repair of "
        "_transactions, then atlasdb timestamp clean-transactions."
    )
    built_in = (
        "No transaction is in _transactions: all of them are in _transactions2, under schemas 2 and 3. The third node "
        "is overloaded and drops writes as soon as the removal begins."
    )
    rules = (
        "Removal on Cassandra needs the cell's own write time: a delete below it changes nothing, and a conditional "
        "write on a schema 3 cell says “applied” and changes nothing. Always read again.",
        "Judge by commit timestamp over the whole of both tables. The schema comes from _coordination, not from bytes.",
    )
    not_real = "no real node can be made to drop writes on cue without changing this machine's network"
    schemas = (2, 3)

    def happens(self, event: Event) -> None:
        if isinstance(event, StepIntended) and event.step == CLEAN_TRANSACTIONS and self.first("overloaded"):
            self._lose_writes(lose=True)
            self.world.happened(f"{self._third} began to drop writes")

    def is_met_by(self, event: Event) -> bool:
        return fails(event, CLEAN_TRANSACTIONS)

    def own_actions(self) -> Sequence[Action]:
        return (
            Action(
                "calm-down",
                f"look at what {self._third} is at, and end it",
                "nodetool tpstats shows dropped mutations; you stop the compaction that starves it, and wait.",
                self._calm_down,
            ),
            Action(
                "atlasdbs-own-tool",
                "run AtlasDB's own clean-transactions",
                "As the wiki says: atlasdb --config install.yml timestamp clean-transactions --file backup.timestamp.",
                self._atlasdbs_own_tool,
                "It deletes at a write time below the cells' own, and never looks at _transactions2: nothing changed.",
                Danger.DESTROYS,
            ),
        )

    async def _calm_down(self) -> str:
        self._lose_writes(lose=False)
        return f"{self._third}: MutationStage pending 0, nothing dropped any more"

    async def _atlasdbs_own_tool(self) -> str:
        """What the Java tool was seen to do: `_transactions` alone, deleted at a timestamp of AtlasDB's own."""
        cluster, keyspace = self.world.nodes.cluster, self.world.keyspace
        quorum = Consistency.QUORUM
        pages = [p async for p in cluster.scan(keyspace, TRANSACTIONS, "", "", consistency=quorum, page_size=1_000)]
        cells = [cell for page in pages for cell in page]
        for cell in cells:
            await cluster.delete(
                keyspace, TRANSACTIONS, cell.position, write_time=WRITE_TIME_OF_ATLASDBS_TOOL, consistency=quorum
            )
        return f"it looked at {len(cells)} rows of {TRANSACTIONS}: “Delete completed.”, exit code 0"

    def _lose_writes(self, *, lose: bool) -> None:
        nodes = self.world.nodes
        assert isinstance(nodes, SimulatedPractice)
        nodes.simulated.lose_writes(self._third, lose=lose)

    @property
    def right(self) -> Script:
        return Script((Act("calm-down"), Choice.RETRY))

    @property
    def wrong_first(self) -> Script:
        return Script((Act("atlasdbs-own-tool"), Choice.RETRY, *self.right.moves))

    @property
    def _third(self) -> str:
        return self.world.nodes.addresses[2]
