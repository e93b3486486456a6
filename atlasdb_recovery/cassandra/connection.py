"""Requests through the driver as awaitables, with its errors turned into ours.

Reads and writes at a given write time may be repeated and are, a few times; conditional writes never are.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import stamina
from cassandra import ConsistencyLevel
from cassandra.cluster import Cluster as Driver
from cassandra.cluster import ResponseFuture, ResultSet, Session
from cassandra.pool import Host
from cassandra.query import PreparedStatement, SimpleStatement

from atlasdb_recovery.cassandra.ports import ClusterUnreachable, Consistency, NotEnoughReplicas, StatementRefused
from atlasdb_recovery.cassandra.request_errors import REQUEST_ERRORS, TimedOut, of_conditional, of_repeatable

LEVELS = {
    Consistency.ONE: ConsistencyLevel.ONE,
    Consistency.QUORUM: ConsistencyLevel.QUORUM,
    Consistency.ALL: ConsistencyLevel.ALL,
    Consistency.SERIAL: ConsistencyLevel.SERIAL,
}
ATTEMPTS = 4
FIRST_WAIT = 0.2
PAGE_SIZE = 5_000

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Page:
    """One page of a result, its columns' names, and where the next page begins."""

    rows: Sequence[Row]
    columns: Sequence[str]
    paging_state: bytes | None


class Connection:
    """One driver session. Statements with values are prepared once; a request may be pinned to one node."""

    def __init__(self, driver: Driver, session: Session) -> None:
        self._driver = driver
        self._session = session
        self._prepared: dict[str, PreparedStatement] = {}
        self._preparing = asyncio.Lock()

    def addresses(self) -> tuple[str, ...]:
        """The RPC address of every node the driver knows, those that are up first."""
        hosts = sorted(self._driver.metadata.all_hosts(), key=lambda host: (not host.is_up, _address(host)))
        return tuple(_address(host) for host in hosts)

    def endpoint(self, address: str) -> tuple[str, int]:
        """Where this node's connections of ours go to: its address and native port, as they are dialled."""
        endpoint = self._host(address).endpoint
        return endpoint.address, endpoint.port

    async def repeatable(
        self, cql: str, values: Sequence[Any] = (), *, repeat_timed_out: bool = True, **options: Any
    ) -> Page:
        """A read, or a write at an explicit write time: sent up to `ATTEMPTS` times. Options and errors as `once`."""

        def may_pass(error: Exception) -> bool:
            """Too few replicas, or a node whose connections the driver is just making anew."""
            if isinstance(error, TimedOut):
                return repeat_timed_out
            return isinstance(error, (NotEnoughReplicas, ClusterUnreachable)) and not isinstance(
                error, StatementRefused
            )

        attempts = stamina.retry_context(
            on=may_pass, attempts=ATTEMPTS, timeout=None, wait_initial=FIRST_WAIT, wait_jitter=FIRST_WAIT
        )
        async for attempt in attempts:
            with attempt:
                return await self.once(cql, values, **options)
        raise AssertionError("stamina ends with a result or an error")

    async def rows(self, cql: str, values: Sequence[Any] = (), **options: Any) -> list[Row]:
        """All pages of a `repeatable` result that is known to be small."""
        found: list[Row] = []
        state, has_more = None, True
        while has_more:
            page = await self.repeatable(cql, values, paging_state=state, **options)
            found += page.rows
            state = page.paging_state
            has_more = state is not None
        return found

    async def once(
        self,
        cql: str,
        values: Sequence[Any] = (),
        *,
        consistency: Consistency = Consistency.ONE,
        node: str | None = None,
        page_size: int = PAGE_SIZE,
        paging_state: bytes | None = None,
    ) -> Page:
        """One request, one page. Raises ClusterUnreachable, StatementRefused, NotEnoughReplicas."""
        try:
            statement = await self._statement(cql, values)
            statement.consistency_level = LEVELS[consistency]
            statement.fetch_size = page_size
            return await self._page(statement, node, paging_state)
        except REQUEST_ERRORS as error:
            raise of_repeatable(error, str(consistency), node) from error

    async def conditional(self, cql: str, values: Sequence[Any], commit: Consistency) -> Page:
        """A conditional write: SERIAL, committed at that level, never repeated.

        Raises OutcomeUnknown unless it is certain that nothing was proposed; then ClusterUnreachable,
        StatementRefused or NotEnoughReplicas.
        """
        try:
            statement = await self._statement(cql, values)
        except REQUEST_ERRORS as error:
            raise of_repeatable(error, str(commit), None) from error
        statement.consistency_level = LEVELS[commit]
        statement.serial_consistency_level = ConsistencyLevel.SERIAL
        try:
            return await self._page(statement, None, None)
        except REQUEST_ERRORS as error:
            raise of_conditional(error) from error

    async def exported(self, keyspace: str) -> tuple[str, dict[str, str]] | None:
        """CREATE statements of a keyspace and of each of its tables, read anew; None if it is absent.

        The whole schema is read: the driver's refresh of one keyspace leaves its tables as they were.
        """
        try:
            await asyncio.to_thread(self._driver.refresh_schema_metadata)
        except REQUEST_ERRORS as error:
            raise of_repeatable(error, str(Consistency.ONE), None) from error
        described = self._driver.metadata.keyspaces.get(keyspace)
        if described is None:
            return None
        return described.as_cql_query(), {name: table.as_cql_query() for name, table in list(described.tables.items())}

    async def close(self) -> None:
        await asyncio.to_thread(self._driver.shutdown)

    async def _statement(self, cql: str, values: Sequence[Any]) -> Any:
        if not values:
            return SimpleStatement(cql)
        if cql not in self._prepared:
            async with self._preparing:
                if cql not in self._prepared:
                    self._prepared[cql] = await asyncio.to_thread(self._session.prepare, cql)
        return self._prepared[cql].bind(values)

    async def _page(self, statement: Any, node: str | None, paging_state: bytes | None) -> Page:
        host = None if node is None else self._host(node)
        return await _awaited(self._session.execute_async(statement, paging_state=paging_state, host=host))

    def _host(self, address: str) -> Host:
        for host in self._driver.metadata.all_hosts():
            if address in {host.address, _address(host)}:
                return host
        raise ClusterUnreachable(
            f"{address} is not a node of this cluster as the driver sees it. Check the address; if the node has just "
            "been started, wait and try again."
        )


async def _awaited(response: ResponseFuture) -> Page:
    """The driver calls back on its own thread; nobody may be waiting any more, and the loop may be gone."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Page] = loop.create_future()

    def settle(set_it: Callable[[Any], None], value: Any) -> None:
        if not answered.done():
            set_it(value)

    def settle_in_loop(set_it: Callable[[Any], None], value: Any) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, set_it, value)

    def arrived(rows: Sequence[Row] | None) -> None:
        result = ResultSet(response, rows)
        page = Page(rows or (), tuple(result.column_names or ()), result.paging_state)
        settle_in_loop(answered.set_result, page)

    response.add_callbacks(arrived, lambda error: settle_in_loop(answered.set_exception, error))
    return await answered


def _address(host: Host) -> str:
    return str(host.broadcast_rpc_address or host.address)
