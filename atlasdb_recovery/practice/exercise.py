"""A whole exercise on a practice cluster: a history, a backup taken while it goes on, the loss, and the judgement.

The restore itself is the real procedure; nothing here knows how it is done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from atlasdb_recovery.atlas.config import AtlasConfig, HostPort
from atlasdb_recovery.cassandra.ports import Cluster, Nodetool
from atlasdb_recovery.practice import oracle, practice_keyspace
from atlasdb_recovery.practice.atlas_writer import AtlasWriter
from atlasdb_recovery.practice.oracle import Verdict
from atlasdb_recovery.practice.practice_timestamps import PracticeTimestamps
from atlasdb_recovery.settings import CqlSettings, Settings, StoreSettings

KEYSPACE = "shop"
STAGES_BETWEEN_SCHEMAS = 240
PAUSE = 0.001
"""Between two stages of the running service, in real seconds: it must not starve the backup beside it."""


class PracticeCluster(Protocol):
    """What an exercise needs of a cluster, simulated or real."""

    @property
    def cluster(self) -> Cluster: ...
    @property
    def nodetool(self) -> Nodetool: ...
    @property
    def addresses(self) -> tuple[str, ...]: ...
    @property
    def data_directories(self) -> Mapping[str, Path]: ...
    @property
    def replication(self) -> Mapping[str, str]: ...
    @property
    def local_addresses(self) -> frozenset[str]:
        """Those whose sockets this machine's kernel shows."""
        ...

    def seconds_now(self) -> float: ...

    async def wait(self, seconds: float) -> None: ...

    async def without_node(self, address: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        """Do something while this node is down; it misses what is written (there are no hints)."""
        ...


class Exercise:
    """One keyspace, one writer, one truth."""

    def __init__(self, practice: PracticeCluster, *, keyspace: str = KEYSPACE, seed: int = 0, stages: int = 0) -> None:
        self.practice = practice
        self.keyspace = keyspace
        self.timestamps = PracticeTimestamps(practice.cluster, keyspace)
        self.writer = AtlasWriter(practice.cluster, keyspace, self.timestamps, seed=seed)
        self._stages = stages or STAGES_BETWEEN_SCHEMAS
        self._schemas: Sequence[int] = ()
        self._service: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def make_history(self, schemas: Sequence[int] = (1, 2, 3)) -> None:
        """Transactions in these schemas, one after the other; one node misses a part of each."""
        self._schemas = schemas
        await self.make_keyspace()
        await self.timestamps.start()
        await self.writer.install_schema(schemas[0])
        await self.writer.run(self._stages)
        await self.miss()
        await self.writer.run(self._stages)

    async def make_keyspace(self) -> None:
        """What the service finds when it starts."""
        await practice_keyspace.create(self.practice.cluster, self.keyspace, self.practice.replication)

    async def miss(self) -> None:
        """The last node is down for a while."""
        await self.practice.without_node(self.practice.addresses[-1], self.while_a_node_is_down)

    async def while_a_node_is_down(self) -> None:
        """It misses the end of the first schema, and the other schemas up to the middle of the last."""
        await self.writer.run(self._stages // 2)
        for schema in self._schemas[1:]:
            await self.writer.install_schema(schema)
            await self.writer.run(self._stages)
        await self.writer.finish()

    def start_service(self) -> None:
        """Transactions go on in the background, as in a running service."""
        self._service = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        while True:
            await self.get_on(1)
            await asyncio.sleep(PAUSE)

    async def get_on(self, stages: int) -> None:
        """The service's transactions advance by this many stages, now."""
        async with self._one_at_a_time:
            await self.writer.run(stages)

    async def kill_service(self) -> None:
        """It stops where it is: open transactions stay open for ever."""
        if self._service is not None:
            self._service.cancel()
            with suppress(asyncio.CancelledError):
                await self._service
            self._service = None
        await self.writer.abandon()

    async def lose_keyspace(self) -> None:
        await self.practice.cluster.change_schema(f'DROP KEYSPACE "{self.keyspace}"')

    async def judged(self, backup: int, read_at: int) -> Verdict:
        """What the oracle says of the restored keyspace."""
        return await oracle.judge(
            self.practice.cluster, self.keyspace, self.writer.truth, self.writer.schema_map, backup, read_at
        )

    def settings(self, directory: Path, *, removal: str = "delete") -> Settings:
        """What a `recovery.yml` of this practice cluster would say."""
        return Settings(
            service=AtlasConfig(
                keyspace=self.keyspace,
                thrift_hosts=(),
                cql_hosts=tuple(HostPort(host=address, port=9042) for address in self.practice.addresses),
                username="",
                password="",
            ),
            config_path=directory / "install.yml",
            backup_dir=directory / "backup",
            cql=CqlSettings(contact_points=self.practice.addresses),
            store=StoreSettings(method="snapshot", data_directories=dict(self.practice.data_directories)),
            removal="abort" if removal == "abort" else "delete",
            state_dir=directory / "state",
            export_dir=directory / "exports",
        )

    def schemas_in_history(self) -> dict[int, int]:
        """How many committed transactions there are in each schema."""
        counts: dict[int, int] = {}
        for transaction in self.writer.truth.transactions:
            if transaction.commit is not None:
                counts[transaction.schema] = counts.get(transaction.schema, 0) + 1
        return counts
