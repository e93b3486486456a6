"""Scans of whole tables: many pieces of the ring side by side, a bounded number of pages in memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from functools import partial

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
    how = partial(
        cluster.scan, keyspace, table, consistency=consistency, page_size=page_size, value_between=value_between
    )
    workers = [asyncio.create_task(_scan_all(how, waiting, pages)) for _ in range(concurrency)]
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


async def _scan_all(
    scan: Callable[[str, str], AsyncIterator[Sequence[Cell]]], waiting: Iterator[tuple[str, str]], pages: Pages
) -> None:
    """Takes one piece after the other; None at the end, or the error."""
    try:
        for start, end in waiting:
            async with aclosing(scan(start, end)) as found:  # type: ignore[type-var]
                async for page in found:
                    await pages.put(page)
        await pages.put(None)
    except Exception as error:
        await pages.put(error)
