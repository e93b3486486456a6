"""A cluster seen through one quorum, as AtlasDB's own tool sees it, and a service that writes between two snapshots."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from atlasdb_recovery.cassandra.ports import Cell, Cluster, Consistency, Finished, Line, Nodetool, Output

ONE = Consistency.ONE
Position = tuple[bytes, bytes, int]


class SeenThroughOneQuorum:
    """Every read at more than ONE is answered by the same nodes, and mends nothing. All else is the cluster's own."""

    def __init__(self, cluster: Cluster, quorum: Sequence[str]) -> None:
        self._cluster = cluster
        self._quorum = quorum

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def scan(
        self,
        keyspace: str,
        table: str,
        start: str,
        end: str,
        *,
        consistency: Consistency,
        page_size: int,
        value_between: tuple[bytes, bytes] | None = None,
        node: str | None = None,
    ) -> AsyncIterator[Sequence[Cell]]:
        replicas = []
        for replica in self._quorum if node is None else (node,):
            pages = self._cluster.scan(keyspace, table, start, end, consistency=ONE, page_size=page_size, node=replica)
            replicas.append([cell async for page in pages for cell in page])
        low, high = value_between or (b"", b"\xff" * 20)
        if found := [cell for cell in _newest(replicas) if value_between is None or low < cell.value < high]:
            yield found

    async def read(self, keyspace: str, table: str, position: Position, *, consistency: Consistency) -> Cell | None:
        partition = await self.read_partition(keyspace, table, position[0], consistency=consistency)
        return next((cell for cell in partition if cell.position == position), None)

    async def read_partition(
        self, keyspace: str, table: str, key: bytes, *, consistency: Consistency, node: str | None = None
    ) -> tuple[Cell, ...]:
        replicas = [
            await self._cluster.read_partition(keyspace, table, key, consistency=ONE, node=replica)
            for replica in (self._quorum if node is None else (node,))
        ]
        return tuple(_newest(replicas))


def _newest(replicas: Sequence[Sequence[Cell]]) -> list[Cell]:
    found: dict[Position, Cell] = {}
    for replica in replicas:
        for cell in replica:
            known = found.get(cell.position)
            if known is None or (cell.write_time or 0, cell.value) > (known.write_time or 0, known.value):
                found[cell.position] = cell
    return sorted(found.values())


class WritesBetweenSnapshots:
    """nodetool; right after this node's snapshot was taken, the service goes on for a while."""

    def __init__(self, nodetool: Nodetool, node: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._nodetool = nodetool
        self._node = node
        self._meanwhile = meanwhile
        self.happened = False

    def command(self, address: str, *arguments: str) -> tuple[str, ...]:
        return self._nodetool.command(address, *arguments)

    async def run(self, address: str, *arguments: str, timeout: float = 60.0) -> Output:
        output = await self._nodetool.run(address, *arguments, timeout=timeout)
        await self._after(address, arguments)
        return output

    async def stream(self, address: str, *arguments: str) -> AsyncGenerator[Line | Finished, None]:
        async for item in self._nodetool.stream(address, *arguments):
            yield item
        await self._after(address, arguments)

    async def _after(self, address: str, arguments: Sequence[str]) -> None:
        if (address, arguments[0]) == (self._node, "snapshot") and not self.happened:
            self.happened = True
            await self._meanwhile()
