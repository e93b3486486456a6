"""Scans of whole tables: many pieces of the ring side by side, a bounded number of pages in memory."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence

from atlasdb_recovery.cassandra.ports import Cell, Cluster, Consistency


async def scan_in_parallel(
    cluster: Cluster,
    keyspace: str,
    table: str,
    pieces: Iterable[tuple[str, str]],
    *,
    consistency: Consistency,
    page_size: int,
    concurrency: int,
    value_between: tuple[bytes, bytes] | None = None,
) -> AsyncGenerator[Sequence[Cell], None]:
    """Pages of all the pieces (start, end], in no particular order. The first error ends it; closing it stops it."""
    waiting = iter(pieces)
    pages: asyncio.Queue[Sequence[Cell] | BaseException | None] = asyncio.Queue(maxsize=2 * concurrency)

    async def work() -> None:
        try:
            for start, end in waiting:
                scan = cluster.scan(
                    keyspace,
                    table,
                    start,
                    end,
                    consistency=consistency,
                    page_size=page_size,
                    value_between=value_between,
                )
                async for page in scan:
                    await pages.put(page)
            await pages.put(None)
        except Exception as error:
            await pages.put(error)

    workers = [asyncio.create_task(work()) for _ in range(concurrency)]
    try:
        left = concurrency
        while left:
            page = await pages.get()
            if isinstance(page, BaseException):
                raise page
            if page is None:
                left -= 1
            else:
                yield page
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
