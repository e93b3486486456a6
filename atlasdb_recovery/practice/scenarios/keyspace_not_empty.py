"""The service came back by itself after the loss and made its tables anew."""

from collections.abc import Sequence

from atlasdb_recovery.events import Event
from atlasdb_recovery.practice import practice_keyspace
from atlasdb_recovery.practice.atlas_writer import AtlasWriter
from atlasdb_recovery.practice.practice_timestamps import PracticeTimestamps
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.actions import EMPTY_IS_NOT_ABSENT, drop_keyspace, truncate
from atlasdb_recovery.practice.scenarios.looks import committed_on
from atlasdb_recovery.practice.scenarios.noticing import refuses
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.script import Act, Script
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.step import Danger


class KeyspaceNotEmpty(Scenario):
    name = "keyspace-not-empty"
    title = "The keyspace is not empty"
    situation = (
        "The orchestrator restarted the service at 03:01, two minutes after the loss; the platform's on-call scaled it "
        "to zero at 03:05. All nodes are up."
    )
    built_in = (
        "The service that was restarted found no keyspace, made it anew with all its tables and committed a few "
        "transactions before it was stopped."
    )
    rules = (
        "A restore goes into a keyspace that does not exist: rows of another life, under timestamps that the restored "
        "history will use again, would mix with what is restored, and nothing could tell them apart afterwards.",
        "What is in the way may be all that is left of something: look before you drop, and let its owner say so.",
    )

    async def arrange(self) -> None:
        world = self.world
        cluster = world.nodes.cluster
        await practice_keyspace.create(cluster, world.keyspace, world.nodes.replication)
        timestamps = PracticeTimestamps(cluster, world.keyspace)
        await timestamps.start()
        self._writer = AtlasWriter(cluster, world.keyspace, timestamps)
        await self._writer.install_schema(1)
        await self._writer.run(40)
        await self._writer.abandon()
        world.happened("the restarted service had made the keyspace again and committed transactions in it")

    def is_met_by(self, event: Event) -> bool:
        return refuses(event, "KeyspaceEmpty")

    def own_actions(self) -> Sequence[Action]:
        world = self.world

        async def look() -> str:
            keyspace = await world.nodes.cluster.keyspace(world.keyspace)
            if keyspace is None:
                return f"there is no keyspace {world.keyspace}"
            commits = await committed_on(world, self._writer.schema_map, world.nodes.addresses[0])
            return f"{len(keyspace.tables)} tables; {len(commits)} transactions were committed since the loss"

        return (
            Action(
                "look",
                f"look at what is in {world.keyspace}",
                "In cqlsh: DESCRIBE, and SELECT from it.",
                look,
                danger=Danger.READS,
            ),
            drop_keyspace(world),
            truncate(world, EMPTY_IS_NOT_ABSENT),
        )

    def missed(self, acted: Sequence[str]) -> Sequence[str]:
        if "drop-keyspace" in acted and "look" not in acted[: acted.index("drop-keyspace")]:
            return (f"{self.world.keyspace} was dropped without a look at what was in it.",)
        return ()

    @property
    def right(self) -> Script:
        return Script((Act("look"), Act("drop-keyspace"), Choice.RETRY))

    @property
    def wrong_first(self) -> Script:
        return Script((Act("truncate"), Choice.RETRY, *self.right.moves))
