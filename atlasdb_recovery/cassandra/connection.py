"""Requests through the driver as awaitables, with its errors turned into ours.

Nothing is retried behind the procedure's back: reads and writes at a given write time may be repeated and are, a few
times; conditional writes never are.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import stamina
from cassandra import (
    ConsistencyLevel,
    OperationTimedOut,
    ReadFailure,
    ReadTimeout,
    RequestExecutionException,
    Unavailable,
    WriteFailure,
    WriteTimeout,
)
from cassandra.cluster import Cluster as Driver
from cassandra.cluster import NoHostAvailable, ResultSet, Session
from cassandra.pool import Host
from cassandra.query import PreparedStatement, SimpleStatement

from atlasdb_recovery.cassandra.ports import ClusterUnreachable, Consistency, NotEnoughReplicas, OutcomeUnknown
from atlasdb_recovery.foreign import plain

LEVELS = {
    Consistency.ONE: ConsistencyLevel.ONE,
    Consistency.QUORUM: ConsistencyLevel.QUORUM,
    Consistency.ALL: ConsistencyLevel.ALL,
    Consistency.SERIAL: ConsistencyLevel.SERIAL,
}
TOO_FEW = (Unavailable, ReadTimeout, ReadFailure, WriteTimeout, WriteFailure, OperationTimedOut)
ATTEMPTS = 4
PAGE_SIZE = 5_000

Row = tuple[Any, ...]


class Page:
    """One page of a result and where the next begins."""

    def __init__(self, rows: Sequence[Row], paging_state: bytes | None) -> None:
        self.rows = rows
        self.paging_state = paging_state


class Connection:
    """One driver session. Statements are prepared once; a request may be pinned to one node."""

    def __init__(self, driver: Driver, session: Session) -> None:
        self._driver = driver
        self._session = session
        self._prepared: dict[str, PreparedStatement] = {}
        self._preparing = asyncio.Lock()

    @property
    def driver(self) -> Driver:
        return self._driver

    def addresses(self) -> tuple[str, ...]:
        """Every node the driver knows, those that are up first."""
        hosts = sorted(self._driver.metadata.all_hosts(), key=lambda host: (not host.is_up, host.address))
        return tuple(host.address for host in hosts)

    async def read(self, cql: str, values: Sequence[Any] = (), **options: Any) -> Page:
        """A request that may be repeated: a read, or a write at a given write time."""
        async for attempt in stamina.retry_context(on=NotEnoughReplicas, attempts=ATTEMPTS, wait_initial=0.2):
            with attempt:
                return await self.once(cql, values, **options)
        raise AssertionError("stamina ends with a result or an error")

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
        """One request, one page. Raises ClusterUnreachable, NotEnoughReplicas."""
        try:
            statement = await self._statement(cql, values)
            statement.consistency_level = LEVELS[consistency]
            statement.fetch_size = page_size
            return await self._page(statement, node, paging_state)
        except TOO_FEW as error:
            raise NotEnoughReplicas(_said(f"at {consistency}", error, node)) from error
        except NoHostAvailable as error:
            raise _unreachable(error, node) from error

    async def conditional(self, cql: str, values: Sequence[Any], commit: Consistency) -> Page:
        """A conditional write: SERIAL, committed at that level, never repeated. A time-out is OutcomeUnknown."""
        try:
            statement = await self._statement(cql, values)
            statement.consistency_level = LEVELS[commit]
            statement.serial_consistency_level = ConsistencyLevel.SERIAL
            return await self._page(statement, None, None)
        except Unavailable as error:
            raise NotEnoughReplicas(_said("for a conditional write", error, None)) from error
        except (OperationTimedOut, RequestExecutionException) as error:
            raise OutcomeUnknown(
                f"a conditional write did not come to a known end ({plain(str(error))}): it may have been applied. "
                "Read again before deciding."
            ) from error
        except NoHostAvailable as error:
            raise _unreachable(error, None) from error

    async def in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """A blocking call of the driver (schema refresh, shutdown)."""
        return await asyncio.to_thread(work, *arguments)

    async def _statement(self, cql: str, values: Sequence[Any]) -> Any:
        if not values:
            return SimpleStatement(cql)
        async with self._preparing:
            if cql not in self._prepared:
                self._prepared[cql] = await asyncio.to_thread(self._session.prepare, cql)
        return self._prepared[cql].bind(values)

    async def _page(self, statement: Any, node: str | None, paging_state: bytes | None) -> Page:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Page] = loop.create_future()
        host = None if node is None else self._host(node)
        response = self._session.execute_async(statement, paging_state=paging_state, host=host)

        def settle(set_it: Callable[[Any], None], value: Any) -> None:
            if not answered.done():
                set_it(value)

        def arrived(rows: Any) -> None:
            result = ResultSet(response, rows)
            page = Page(rows or (), result.paging_state)
            loop.call_soon_threadsafe(settle, answered.set_result, page)

        def failed(error: BaseException) -> None:
            loop.call_soon_threadsafe(settle, answered.set_exception, error)

        response.add_callbacks(arrived, failed)
        return await answered

    def _host(self, address: str) -> Host:
        for host in self._driver.metadata.all_hosts():
            if host.address == address:
                return host
        raise ClusterUnreachable(
            f"{address} is not a node of this cluster as the driver sees it. Check the address; if the node has just "
            "been started, wait and try again."
        )


def _said(at: str, error: BaseException, node: str | None) -> str:
    where = f" from {node}" if node else ""
    return (
        f"too few replicas answered{where} {at}: {type(error).__name__}: {plain(str(error))}. "
        "Every replica is needed: look at nodetool status, then try again."
    )


def _unreachable(error: NoHostAvailable, node: str | None) -> ClusterUnreachable:
    errors = error.errors if isinstance(error.errors, dict) else {}
    tried = "; ".join(f"{host}: {type(e).__name__} {plain(str(e))}" for host, e in errors.items())
    return ClusterUnreachable(
        f"{'node ' + node if node else 'no node'} answered ({tried or plain(str(error))}). "
        "Check that the nodes are up and that cql.port is the native port (9042), not Thrift's (9160)."
    )
