"""The two halves of a removal: everything found is exported and fsynced, then removed row by row from the export."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path

from atlasdb_recovery.events import Event, FactEstablished, Progressed
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.removal.finder import Finder, Scope
from atlasdb_recovery.procedure.removal.findings import Found
from atlasdb_recovery.procedure.removal.pre_images import ExportWriter, Header, pre_images
from atlasdb_recovery.procedure.removal.remover import Remover
from atlasdb_recovery.procedure.step import StepFailure
from atlasdb_recovery.procedure.timestamp_row import timestamp_row

STEP = "clean-transactions"
IN_FLIGHT = 32
BATCH = 512


def next_export_path(context: Context) -> Path:
    """The first name that is not taken: an interrupted removal keeps its export."""
    number = 1
    while (path := context.export_directory / f"pre-images-{context.session}-{number}.jsonl").exists():
        number += 1
    return path


async def exported(context: Context, scope: Scope, path: Path, digest: str) -> AsyncIterator[Event]:
    """Scan again, letting the server filter where it can, and write what is found.

    The digest must equal the plan's, which was made without the server's filter: both ways agree, and nothing changed
    in between. Otherwise nothing is removed.
    """
    header = Header(
        session=context.session,
        cluster=facts.required(context, facts.IDENTITY)["cluster_name"],
        keyspace=context.keyspace,
        after=scope.after,
        removal=context.settings.removal,
        timestamp_row=await timestamp_row(context),
    )
    finder = Finder(context.cluster, scope, let_server_filter=await context.cluster.filters_by_value())
    writer = ExportWriter(path, header)
    try:
        async for page in finder.pages():
            for found in page:
                writer.add(found)
            yield Progressed(step=STEP, unit="transactions exported", done=finder.findings.count, scope="export")
        if finder.findings.digest != digest:
            raise StepFailure(
                "the transactions to remove are not the ones that were planned; nothing was removed",
                evidence=(f"planned {digest}", f"found {finder.findings.digest}"),
                remedy="Something writes to the transactions tables. Make sure nobody is connected, then retry.",
            )
        writer.seal(finder.findings.count, digest)
    finally:
        writer.close()
    yield FactEstablished(
        step=STEP, name=facts.EXPORT, value={"path": str(path), "count": finder.findings.count, "digest": digest}
    )


async def removed(context: Context, path: Path, count: int) -> AsyncIterator[Event]:
    """Remove and re-read every transaction of the export: side by side, one in flight per partition."""
    remover = Remover(context.cluster, context.keyspace, context.settings.removal)
    done = 0
    for batch in _batches(image.found for image in pre_images(path)):
        await _remove_batch(remover, batch)
        done += len(batch)
        yield Progressed(step=STEP, unit="transactions removed", done=done, total=count, scope="remove")
    yield FactEstablished(step=STEP, name=facts.REMOVED, value={"count": done, "export": str(path)})


async def _remove_batch(remover: Remover, batch: list[Found]) -> None:
    partitions: dict[bytes, list[Found]] = defaultdict(list)
    for found in batch:
        partitions[found.cell.key].append(found)
    in_flight = asyncio.Semaphore(IN_FLIGHT)

    async def one_partition(rows: list[Found]) -> None:
        async with in_flight:
            for found in rows:
                await remover.remove(found)

    results = await asyncio.gather(*map(one_partition, partitions.values()), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


def _batches(items: Iterator[Found]) -> Iterator[list[Found]]:
    while batch := list(islice(items, BATCH)):
        yield batch
