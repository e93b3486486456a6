"""The service of a history: chapters of its life, on replicas that miss things, played until it is killed."""

import random
from collections.abc import Awaitable
from typing import Any

from atlasdb_recovery.atlas.names import TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.cassandra.ports import CasOutcome
from atlasdb_recovery.practice.atlas_writer import AtlasWriter
from atlasdb_recovery.practice.practice_timestamps import PracticeTimestamps
from atlasdb_recovery.practice.simulated import SimulatedCluster
from atlasdb_recovery.practice.simulated.faults import outcome_unknown
from tests.properties.history import Chapter, History

IN_A_CAS = ("paxos.prepared", "paxos.accepted", "paxos.committed")


class UnsteadyCluster:
    """The cluster as the service sees it: conditional writes of its transactions time out now and then."""

    def __init__(self, cluster: SimulatedCluster, source: random.Random) -> None:
        self._cluster = cluster
        self._source = source
        self.timeouts = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def put_unless_exists(self, keyspace: str, table: str, *rest: Any, **options: Any) -> CasOutcome:
        return await self._conditional(table, self._cluster.put_unless_exists(keyspace, table, *rest, **options))

    async def check_and_set(self, keyspace: str, table: str, *rest: Any, **options: Any) -> CasOutcome:
        return await self._conditional(table, self._cluster.check_and_set(keyspace, table, *rest, **options))

    async def _conditional(self, table: str, write: Awaitable[CasOutcome]) -> CasOutcome:
        faults = self._cluster.faults
        if table in {TRANSACTIONS, TRANSACTIONS2} and self._source.random() < self.timeouts:
            faults.before(self._source.choice(IN_A_CAS), outcome_unknown)
        try:
            return await write
        finally:
            faults.forget()


class Service:
    """Writes transactions as the history says; all it did is in `writer.truth`."""

    def __init__(self, history: History, cluster: SimulatedCluster, keyspace: str) -> None:
        self._cluster = cluster
        self._source = random.Random(history.seed)
        self._unsteady = UnsteadyCluster(cluster, self._source)
        self.timestamps = PracticeTimestamps(cluster, keyspace)
        self._keyspace = keyspace
        self.writer = AtlasWriter(
            self._unsteady,  # every other method is the cluster's own
            keyspace,
            self.timestamps,
            seed=history.seed,
            at_once=history.at_once,
            quantum=history.quantum,
        )

    async def play(self, chapter: Chapter) -> None:
        """One chapter from its beginning to its end."""
        if chapter.schema is not None:
            await self.writer.install_schema(chapter.schema)
        await self.timestamps.fresh_timestamp()  # a service whose bound cannot be stored is dead: that is another story
        addresses, faults = self._cluster.addresses, self._cluster.faults
        if chapter.down is not None:
            self._cluster.stop_node(addresses[chapter.down])
        faults.loss, self._unsteady.timeouts = chapter.loss, chapter.timeouts
        if chapter.lossy is not None:
            faults.lossy.add(addresses[chapter.lossy])
        await self.writer.run(chapter.stages)
        if chapter.finishes:
            await self.writer.finish()
        faults.calm()
        self._unsteady.timeouts = 0.0
        if chapter.down is not None:
            self._cluster.start_node(addresses[chapter.down])
        if chapter.late:
            self.hand_over(chapter.late)

    def hand_over(self, share: float) -> None:
        """As hints and read repairs do: replicas get some of what they lack, whatever the order."""
        ring = self._cluster.ring(self._keyspace)
        for table in self._cluster.space(self._keyspace).tables.values():
            stores = {address: node.store(table.id) for address, node in self._cluster.nodes.items()}
            for position in sorted({position for store in stores.values() for position in store.cells}):
                replicas = [stores[address] for address in ring.replicas(position[0])]
                newest = max(found for store in replicas if (found := store.cells.get(position)) is not None)
                for store in replicas:
                    if store.cells.get(position) != newest and self._source.random() < share:
                        store.merge(position, newest)
