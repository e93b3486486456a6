"""Scans of whole tables: many pieces of the ring side by side, a bounded number of pages in memory."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing

from atlasdb_recovery.cassandra.ports import Cell, Cluster, Consistency

Pages = asyncio.Queue[Sequence[Cell] | BaseException | None]
"""Pages as they arrive; an error where one piece failed; None from every worker that has no more pieces."""


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
    """Pages of all the pieces (start, end], in no particular order; within a piece in token order.

    At most `concurrency` pages wait to be taken and as many again are under way. The first error ends it; closing it
    stops it.
    """
    waiting = iter(pieces)
    pages: Pages = asyncio.Queue(maxsize=concurrency)

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
                async with aclosing(scan):  # type: ignore[type-var]
                    async for page in scan:
                        await pages.put(page)
            await pages.put(None)
        except Exception as error:
            await pages.put(error)

    workers = [asyncio.create_task(work()) for _ in range(concurrency)]
    try:
        working = concurrency
        while working:
            page = await pages.get()
            if isinstance(page, BaseException):
                raise page
            if page is None:
                working -= 1
            else:
                yield page
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
