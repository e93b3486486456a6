"""The embedded timestamp service, by the bound it stores in `_timestamp`: only while nobody else is connected.

Agrees with `CassandraTimestampBoundStore`, `PersistentUpperLimit` and `PersistentTimestampServiceImpl`: what is stored
is above everything ever handed out, and is stored before anything is handed out.
"""

import asyncio
from collections.abc import Awaitable, Callable

from atlasdb_recovery.atlas import timestamp_bound
from atlasdb_recovery.atlas.timestamp_bound import ALLOCATION_BUFFER, BOUND_POSITION, INITIAL_BOUND, ROW
from atlasdb_recovery.cassandra import cell_statements
from atlasdb_recovery.cassandra.ports import CasOutcome, Cell, Cluster, Consistency, OutcomeUnknown
from atlasdb_recovery.timestamps.service import (
    HIGHEST_TIMESTAMP,
    AnotherTimestampService,
    FastForwarded,
    ImmutableTimestampLocks,
    NamespaceDisabling,
    TimestampServiceRefused,
    TimestampServiceUnavailable,
)
from atlasdb_recovery.timestamps.targets import require_reachable

TABLE = "_timestamp"
ATTEMPTS = 5
"""How many conditional writes may end unknown before it is given up."""


class EmbeddedTimestamps:
    """`TimestampService` over the stored bound of one keyspace.

    `nobody_connected` is awaited before every conditional write and raises `TimestampServiceRefused` if a client of
    this cluster could be a running service: two writers of one bound kill each other.
    """

    serves_live = False
    uses_stored_bound = True
    immutable_locks: ImmutableTimestampLocks | None = None
    disabling: NamespaceDisabling | None = None

    def __init__(self, cluster: Cluster, keyspace: str, nobody_connected: Callable[[], Awaitable[None]]) -> None:
        self._cluster = cluster
        self._keyspace = keyspace
        self._nobody_connected = nobody_connected
        self._one_at_a_time = asyncio.Lock()

    @property
    def description(self) -> str:
        return f"the bound stored in “{self._keyspace}”.“{TABLE}” (embedded timestamp service)"

    async def bound(self) -> int | None:
        """The stored bound, read at ALL: unlike a serial read that leaves no Paxos rows, and a look must leave nothing.

        None if the row is empty. Raises TimestampServiceRefused if it must not be used.
        """
        return await self._bound(Consistency.ALL)

    async def _bound(self, consistency: Consistency = Consistency.SERIAL) -> int | None:
        cells = await self._cells(consistency)
        try:
            bound = timestamp_bound.bound_of((cell.column1, cell.column2, cell.value) for cell in cells)
        except (timestamp_bound.BoundInvalidated, timestamp_bound.MalformedBound) as error:
            raise TimestampServiceRefused(
                f"Nothing was changed: the timestamp bound of {self._keyspace} is not one an embedded service may use."
                f" It was found that {error}."
            ) from error
        if bound is None and cells:
            raise TimestampServiceRefused(
                f"Nothing was changed: {self._keyspace}'s row in {TABLE} has cells but no bound, so it was migrated or"
                " damaged. A new bound beside them could hand out timestamps again. Restore this table from the"
                " backup, or use the service that now hands out timestamps."
            )
        return bound

    async def lower_limit(self) -> int | None:
        return await self.bound()

    async def ping(self) -> str:
        """Raises TimestampServiceRefused unless there is a bound that may be used, or none yet."""
        await self.bound()
        return ""

    async def fresh_timestamp(self) -> int:
        """The bound plus one, after the bound was raised above it. Up to 1 000 000 timestamps are skipped."""
        async with self._one_at_a_time:
            before = await self._raise_bound(lambda bound: bound + 1 + ALLOCATION_BUFFER)
            return before + 1

    def writes_to_fast_forward(self, target: int, bound: int | None) -> tuple[str, ...]:
        """Conditional writes, SERIAL and committed at ALL."""
        if bound is not None and bound >= target:
            return ()
        lines = []
        if bound is None:
            bound = INITIAL_BOUND
            first = cell_statements.put_cell_unless_exists(self._keyspace, TABLE)
            lines.append(cell_statements.written_out(first, *BOUND_POSITION, timestamp_bound.encode(bound)))
        if target <= bound:
            return tuple(lines)
        raised = timestamp_bound.encode(min(target + ALLOCATION_BUFFER, HIGHEST_TIMESTAMP))
        update = cell_statements.update_cell_if(self._keyspace, TABLE)
        lines.append(cell_statements.written_out(update, raised, *BOUND_POSITION, timestamp_bound.encode(bound)))
        return tuple(lines)

    async def fast_forward(self, target: int) -> FastForwarded:
        """Raise the bound to `target` + 1 000 000 if it is below `target`; then read it back."""
        require_reachable(target)
        async with self._one_at_a_time:
            before = await self._bound()
            await self._raise_bound(lambda bound: target + ALLOCATION_BUFFER if target > bound else None)
            reached = await self._bound()
        if reached is None or reached < target:
            raise TimestampServiceRefused(
                f"After the fast-forward to {target} the stored bound reads {reached}: timestamps already used would be"
                " handed out again. Do not start the service. Find out who wrote to this keyspace, then fast-forward"
                " again."
            )
        return FastForwarded(target=target, before=before, reached=reached, changed=reached != before)

    async def _raise_bound(self, raised: Callable[[int], int | None]) -> int:
        """The bound from which it was raised; it is left alone where `raised` gives None.

        After an unknown outcome nothing is repeated: the bound is read again, and only a value that this call may
        have written itself is built upon, from above it.
        """
        written: set[int] = set()
        expected: int | None = None
        for _ in range(ATTEMPTS):
            bound = await self._bound_or_initial()
            if written and bound != expected and bound not in written:
                raise self._another(bound)
            new = raised(bound)
            if new is None:
                return bound
            _require_in_range(new)
            await self._nobody_connected()
            try:
                outcome = await self._replace(bound, new)
            except OutcomeUnknown:
                written.add(new)
                expected = bound
                continue
            if outcome.applied:
                await self._require_visible(bound, new)
                return bound
            if outcome.current is None or outcome.current not in map(timestamp_bound.encode, written):
                raise self._another(outcome.current)
        raise TimestampServiceUnavailable(
            f"The timestamp bound of {self._keyspace} could not be raised: {ATTEMPTS} conditional writes timed out, and"
            " whether the last was applied is not known. Nothing was handed out. See that all nodes are up, then try"
            " again: that is safe."
        )

    async def _bound_or_initial(self) -> int:
        initial = timestamp_bound.encode(INITIAL_BOUND)
        is_unknown = False
        for _ in range(ATTEMPTS):
            bound = await self._bound()
            if bound is not None:
                return bound
            await self._nobody_connected()
            try:
                outcome = await self._cluster.put_unless_exists(self._keyspace, TABLE, BOUND_POSITION, initial)
            except OutcomeUnknown:
                is_unknown = True
                continue
            if not outcome.applied and not (is_unknown and outcome.current == initial):
                raise self._another(outcome.current)
        raise TimestampServiceUnavailable(
            f"The first timestamp bound of {self._keyspace} could not be stored, or not be read back. Nothing was"
            " handed out. See that all nodes are up, then try again: that is safe."
        )

    async def _replace(self, bound: int, new: int) -> CasOutcome:
        return await self._cluster.check_and_set(
            self._keyspace, TABLE, BOUND_POSITION, timestamp_bound.encode(bound), timestamp_bound.encode(new)
        )

    async def _require_visible(self, bound: int, new: int) -> None:
        """ "Applied" is not proof: a cell with a later write time would stay as it was."""
        found = await self._bound()
        if found == bound:
            raise TimestampServiceRefused(
                f"The cluster said that it raised the timestamp bound of {self._keyspace} from {bound} to {new}, but it"
                f" still reads {found}: the cell has a write time in the future. No timestamp was handed out, and none"
                " can be until that is corrected. Compare WRITETIME(value) of the row with the nodes' clocks."
            )
        if found != new:
            raise self._another(found)

    async def _cells(self, consistency: Consistency) -> tuple[Cell, ...]:
        keyspace = await self._cluster.keyspace(self._keyspace)
        if keyspace is None or TABLE not in keyspace.tables:
            missing = f"keyspace {self._keyspace}" if keyspace is None else f"table {self._keyspace}.{TABLE}"
            raise TimestampServiceRefused(
                f"There is no {missing}, so there is no timestamp bound to read. Nothing was changed. Restore the key"
                " value store first, or correct the keyspace's name in the service's configuration."
            )
        return await self._cluster.read_partition(self._keyspace, TABLE, ROW, consistency=consistency)

    def _another(self, found: int | bytes | None) -> AnotherTimestampService:
        shown = f"0x{found.hex()}" if isinstance(found, bytes) else "absent" if found is None else str(found)
        return AnotherTimestampService(
            f"The timestamp bound of {self._keyspace} became {shown} under our hand: another timestamp service is"
            " running on this keyspace, and two of them hand out wrong timestamps. No timestamp was handed out here."
            " Stop every instance of the service (that one may have stopped itself), then try again."
        )


def _require_in_range(new: int) -> None:
    if new > HIGHEST_TIMESTAMP:
        raise TimestampServiceRefused(
            f"Nothing was changed: the bound would have to become {new}, above the highest timestamp there is"
            f" ({HIGHEST_TIMESTAMP}). This timestamp service is exhausted. Restore an earlier backup of {TABLE}, or ask"
            " AtlasDB's maintainers."
        )
