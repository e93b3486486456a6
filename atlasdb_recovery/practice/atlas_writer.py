"""A service that keeps its data in AtlasDB: transactions that begin, write, commit, abort or die, side by side.

Cells, write times and commit protocol are AtlasDB's: user cells carry the start timestamp; schemas 1 and 2 commit by
put-unless-exists; schema 3 stages by put-unless-exists and then writes the committed cell at `SET_ONCE_WRITE_TIME`.
"""

import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

from atlasdb_recovery.atlas import coordination, transactions
from atlasdb_recovery.atlas.names import COORDINATION
from atlasdb_recovery.atlas.schema_ranges import SchemaMap, SchemaRange
from atlasdb_recovery.atlas.transactions import SET_ONCE_WRITE_TIME, State
from atlasdb_recovery.cassandra.ports import Cell, Cluster, Consistency, NotEnoughReplicas, OutcomeUnknown
from atlasdb_recovery.practice.practice_keyspace import USER_TABLES
from atlasdb_recovery.practice.practice_timestamps import PracticeTimestamps
from atlasdb_recovery.practice.truth import DELETED, Address, Transaction, Truth

ROWS = 60
COLUMNS = (b"b", b"c")
TWO_PHASE = 3
ATTEMPTS = 10
ENDS = (("committed", 77), ("aborted", 8), ("died", 6), ("staging", 6), ("resolved", 3))
COORDINATION_QUANTUM = 5_000_000
"""How far ahead the schemas are decided (`KeyValueServiceCoordinationStore.ADVANCEMENT_QUANTUM`)."""


class AtlasWriter:
    """Runs transactions one stage at a time, `at_once` of them open together; everything it did is in `truth`."""

    def __init__(
        self,
        cluster: Cluster,
        keyspace: str,
        timestamps: PracticeTimestamps,
        *,
        seed: int = 0,
        at_once: int = 6,
        consistency: Consistency = Consistency.QUORUM,
        quantum: int = COORDINATION_QUANTUM,
    ) -> None:
        self._cluster = cluster
        self._keyspace = keyspace
        self._timestamps = timestamps
        self._random = random.Random(seed)
        self._at_once = at_once
        self._consistency = consistency
        self._quantum = quantum
        self._open: list[AsyncGenerator[None, None]] = []
        self._held: set[Address] = set()
        self.truth = Truth()
        self.schema_map = SchemaMap(ranges=(SchemaRange(1, None, 1),), bound=None)

    async def install_schema(self, schema: int) -> None:
        """It takes effect beyond what the map has decided, never in the past (`TransactionSchemaManager`).

        The timestamps are then moved to where it does: a service would come there by itself, later.
        """
        if self.schema_map.bound is None:
            await self._store_schemas(self.schema_map.ranges)
        *earlier, last = self.schema_map.ranges
        if schema == last.schema:
            return
        takes_effect = (self.schema_map.bound or 0) + 1
        now = SchemaRange(last.lower, takes_effect, last.schema)
        await self._store_schemas((*earlier, now, SchemaRange(takes_effect, None, schema)))
        await self._timestamps.fast_forward(takes_effect - 1)

    async def _store_schemas(self, ranges: Sequence[SchemaRange]) -> None:
        """Under a fresh sequence number, decided up to a quantum above it: the value first, then the pointer at it."""
        sequence = await self._timestamps.fresh_timestamp()
        schema_map = SchemaMap.of(ranges, sequence + self._quantum)
        for column1, column2, value in reversed(coordination.cells_of(schema_map, sequence)):
            await self._set((coordination.ROW, column1, column2), value)
        self.schema_map = schema_map

    async def _set(self, position: tuple[bytes, bytes, int], value: bytes) -> None:
        """By conditional writes, until a serial read shows it."""
        for _ in range(ATTEMPTS):
            now = await self._cluster.read(self._keyspace, COORDINATION, position, consistency=Consistency.SERIAL)
            if now is not None and now.value == value:
                return
            with suppress(OutcomeUnknown, NotEnoughReplicas):
                if now is None:
                    await self._cluster.put_unless_exists(
                        self._keyspace, COORDINATION, position, value, commit=self._consistency
                    )
                else:
                    await self._cluster.check_and_set(
                        self._keyspace, COORDINATION, position, now.value, value, commit=self._consistency
                    )
        raise NotEnoughReplicas(f"{COORDINATION} could not be written in {ATTEMPTS} attempts")

    async def run(self, stages: int) -> None:
        """Advance open transactions by this many stages in all, each time a random one."""
        for _ in range(stages):
            while len(self._open) < self._at_once:
                self._open.append(self._transaction())
            await self._advance(self._random.choice(self._open))

    async def finish(self) -> None:
        """Bring every open transaction to its end."""
        while self._open:
            await self._advance(self._open[0])

    async def abandon(self) -> None:
        """The service is killed: open transactions stay as they are."""
        for transaction in self._open:
            await transaction.aclose()
        self._open.clear()

    async def _advance(self, transaction: AsyncGenerator[None, None]) -> None:
        try:
            await anext(transaction)
        except StopAsyncIteration:
            self._open.remove(transaction)

    async def _transaction(self) -> AsyncGenerator[None, None]:
        lock = self._timestamps.lock_immutable()
        start = await self._timestamps.fresh_timestamp()
        if self.schema_map.bound is not None and start > self.schema_map.bound:
            await self._store_schemas(self.schema_map.ranges)
        schema = self.schema_map.schema_at(start)
        assert schema is not None
        writes = self._chosen_writes(start)
        transaction = Transaction(start=start, schema=schema, writes=writes)
        self.truth.begun(transaction)
        self._held |= writes.keys()
        try:
            yield
            try:
                for address, value in writes.items():
                    cell = Cell(address.row, address.column, ~start, value, start)
                    await self._cluster.put(self._keyspace, address.table, cell, consistency=self._consistency)
                    yield
            except NotEnoughReplicas:
                transaction.end = "died"
                return
            end = self._random.choices([e for e, _ in ENDS], [w for _, w in ENDS])[0]
            try:
                async for _ in self._end(transaction, end, lock):
                    yield
            except (OutcomeUnknown, NotEnoughReplicas):
                return  # nobody was told whether it committed; whoever reads it finds out
        finally:
            self._held -= writes.keys()
            self._timestamps.unlock(lock)

    async def _end(self, transaction: Transaction, end: str, lock: str) -> AsyncGenerator[None, None]:
        if end == "died":
            transaction.end = "died"
            return
        if end == "aborted":
            transaction.end = "aborted"
            await self._put_entry(transaction, None, State.COMMITTED)
            return
        commit = await self._timestamps.fresh_timestamp()
        if not self._timestamps.may_commit(lock):
            transaction.end = "died"
            return
        yield
        two_phase = transaction.schema == TWO_PHASE
        transaction.commit, transaction.end = commit, "committed"
        await self._put_entry(transaction, commit, State.STAGING if two_phase else State.COMMITTED)
        transaction.acknowledged = self._timestamps.last
        if not two_phase:
            return
        transaction.end = "staging"
        if end == "staging":
            return
        yield
        if end == "resolved":
            await self._touch(transaction, commit)
            yield
        await self._put_committed(transaction, commit)
        transaction.end = "committed"

    async def _put_entry(self, transaction: Transaction, commit: int | None, state: State) -> None:
        table = transactions.table_of(transaction.schema)
        position = transactions.locate(transaction.schema, transaction.start)
        value = transactions.value_of(transaction.schema, transaction.start, commit, state)
        await self._cluster.put_unless_exists(self._keyspace, table, position, value, commit=self._consistency)

    async def _touch(self, transaction: Transaction, commit: int) -> None:
        """As a reader that finds it staging: staging to the same staging (`ResilientCommitTimestampAtomicTable`)."""
        table = transactions.table_of(transaction.schema)
        position = transactions.locate(transaction.schema, transaction.start)
        staging = transactions.value_of(transaction.schema, transaction.start, commit, State.STAGING)
        await self._cluster.check_and_set(self._keyspace, table, position, staging, staging, commit=self._consistency)

    async def _put_committed(self, transaction: Transaction, commit: int) -> None:
        key, column1, column2 = transactions.locate(transaction.schema, transaction.start)
        value = transactions.value_of(transaction.schema, transaction.start, commit)
        cell = Cell(key, column1, column2, value, SET_ONCE_WRITE_TIME)
        table = transactions.table_of(transaction.schema)
        await self._cluster.put(self._keyspace, table, cell, consistency=self._consistency)

    def _chosen_writes(self, start: int) -> dict[Address, bytes]:
        """Two to four cells of both tables and far-apart rows that no open transaction writes."""
        writes: dict[Address, bytes] = {}
        wanted = self._random.randint(2, 4)
        while len(writes) < wanted:
            row = bytes([self._random.randrange(256), self._random.randrange(ROWS)])
            address = Address(self._random.choice(USER_TABLES), row, self._random.choice(COLUMNS))
            if address not in self._held:
                is_delete = self._random.random() < 0.1
                writes[address] = DELETED if is_delete else f"written by {start}".encode()
        return writes
