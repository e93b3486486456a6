"""A practice service's timestamps: `PersistentTimestampServiceImpl` over the stored bound, or TimeLock."""

from typing import Protocol

from atlasdb_recovery.atlas import timestamp_bound
from atlasdb_recovery.atlas.names import TIMESTAMP
from atlasdb_recovery.atlas.timestamp_bound import (
    ALLOCATION_BUFFER,
    BOUND_POSITION,
    INITIAL_BOUND,
    INVALIDATED,
    OLD_POSITION,
)
from atlasdb_recovery.cassandra.ports import Cluster, Consistency
from atlasdb_recovery.timestamps.service import (
    AnotherTimestampService,
    FastForwarded,
    ImmutableTimestampLocks,
    NamespaceDisabling,
)

QUORUM = Consistency.QUORUM


class TimeLock(Protocol):
    """TimeLock, as a service has it."""

    def fresh(self, namespace: str) -> int: ...

    def fast_forward(self, namespace: str, target: int) -> None: ...

    def lock_immutable(self, namespace: str, token: str) -> None: ...

    def holds(self, namespace: str, token: str) -> bool:
        """Whether this lock has been held until now, as a refresh says."""
        ...

    def unlock(self, namespace: str, token: str) -> None: ...


class PracticeTimestamps:
    """Hands out timestamps from memory and keeps the bound above them in Cassandra, by compare-and-set; once it has
    been migrated, TimeLock hands them out.
    """

    serves_live = True
    immutable_locks: ImmutableTimestampLocks | None = None
    disabling: NamespaceDisabling | None = None

    def __init__(self, cluster: Cluster, keyspace: str) -> None:
        self._cluster = cluster
        self._keyspace = keyspace
        self._last = 0
        self._limit = 0
        self._timelock: TimeLock | None = None
        self._locked = 0

    @property
    def uses_stored_bound(self) -> bool:
        return self._timelock is None

    @property
    def description(self) -> str:
        return f"the practice service's own timestamp service of {self._keyspace}"

    @property
    def last(self) -> int:
        """The last timestamp handed out."""
        return self._last

    async def start(self) -> None:
        """Begin at the stored bound; the first timestamp is the one after it."""
        stored = await self.bound()
        if stored is None:
            value = timestamp_bound.encode(INITIAL_BOUND)
            await self._cluster.put_unless_exists(self._keyspace, TIMESTAMP, BOUND_POSITION, value, commit=QUORUM)
            stored = INITIAL_BOUND
        self._last = self._limit = stored

    async def migrate(self, timelock: TimeLock) -> None:
        """To TimeLock, as a service does at its first start with TimeLock configured: its bound is put aside."""
        put_aside = timestamp_bound.encode(self._limit)
        await self._cluster.put_unless_exists(self._keyspace, TIMESTAMP, OLD_POSITION, put_aside, commit=QUORUM)
        await self._change(INVALIDATED)
        timelock.fast_forward(self._keyspace, self._limit)
        self._timelock = timelock

    async def ping(self) -> str:
        """It is in this very process."""
        return ""

    async def lower_limit(self) -> int:
        return self._last

    async def fresh_timestamp(self) -> int:
        if self._timelock is not None:
            self._last = self._timelock.fresh(self._keyspace)
            return self._last
        self._last += 1
        if self._last > self._limit:
            await self._store(self._last + ALLOCATION_BUFFER)
        return self._last

    def lock_immutable(self) -> str:
        """The token of a transaction's lock on the immutable timestamp, taken before its start; "" without TimeLock."""
        if self._timelock is None:
            return ""
        self._locked += 1
        token = f"transaction {self._locked}"
        self._timelock.lock_immutable(self._keyspace, token)
        return token

    def may_commit(self, token: str) -> bool:
        """Whether the lock is held still: asked after the commit timestamp was fetched, as AtlasDB's client does.

        A service is restarted for its migration: what was open then never commits.
        """
        return self._timelock is None or (token != "" and self._timelock.holds(self._keyspace, token))

    def unlock(self, token: str) -> None:
        if self._timelock is not None and token:
            self._timelock.unlock(self._keyspace, token)

    async def start_timestamp(self) -> int:
        """Of a reader that begins now, whatever this service itself remembers."""
        return await self.fresh_timestamp() if self._timelock is not None else (await self.bound() or 0) + 1

    async def bound(self) -> int | None:
        cells = await self._cluster.read_partition(
            self._keyspace, TIMESTAMP, timestamp_bound.ROW, consistency=Consistency.QUORUM
        )
        return timestamp_bound.bound_of((c.column1, c.column2, c.value) for c in cells)

    def writes_to_fast_forward(self, target: int, bound: int | None) -> tuple[str, ...]:
        return (f"raise the practice service's bound to {target + ALLOCATION_BUFFER}",)

    async def fast_forward(self, target: int) -> FastForwarded:
        if self._timelock is not None:
            self._timelock.fast_forward(self._keyspace, target)
            reached = await self.fresh_timestamp()
            return FastForwarded(target=target, before=None, reached=reached, changed=True)
        before = self._limit
        self._last = max(self._last, target)
        if target > self._limit:
            await self._store(target + ALLOCATION_BUFFER)
        return FastForwarded(target=target, before=before, reached=self._limit, changed=self._limit != before)

    async def _store(self, limit: int) -> None:
        await self._change(timestamp_bound.encode(limit))
        self._limit = limit

    async def _change(self, value: bytes) -> None:
        outcome = await self._cluster.check_and_set(
            self._keyspace,
            TIMESTAMP,
            BOUND_POSITION,
            timestamp_bound.encode(self._limit),
            value,
            commit=QUORUM,
        )
        if not outcome.applied:
            raise AnotherTimestampService("another timestamp service is running on the practice keyspace")
