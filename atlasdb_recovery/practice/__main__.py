"""`python -m atlasdb_recovery.practice 5.0`: real nodes that stay up until they are interrupted, for developers."""

import asyncio
import signal
import sys
import tempfile
from pathlib import Path

import click

from atlasdb_recovery.practice.artifacts import VERSIONS
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_settings import write_settings
from atlasdb_recovery.practice.unavailable import RealPracticeUnavailable


@click.command()
@click.argument("version", type=click.Choice(VERSIONS))
@click.option("--keyspace", default="shop", show_default=True, help="The keyspace that the settings name.")
@click.option("--directory", type=click.Path(path_type=Path), help="Where the nodes' own directory is made.")
@click.option("--keep", is_flag=True, help="Leave that directory behind at the end.")
def serve(version: str, keyspace: str, directory: Path | None, keep: bool) -> None:
    """Start three real nodes, write a recovery.yml for them, stop them at the end."""
    place = directory or Path(tempfile.gettempdir())
    try:
        asyncio.run(_serve(version, keyspace, place, keep=keep))
    except RealPracticeUnavailable as error:
        click.echo(str(error), err=True)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)


async def _serve(version: str, keyspace: str, place: Path, *, keep: bool) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    starting = asyncio.create_task(RealCluster.start(version, place, keep=keep, say=click.echo))
    interrupted = asyncio.create_task(ended.wait())
    await asyncio.wait({starting, interrupted}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.wait({starting})
        return
    cluster = await starting
    try:
        settings = write_settings(cluster, keyspace, cluster.directory / "settings")
        click.echo(f"# {settings}\n{settings.read_text()}")
        click.echo(f"{', '.join(cluster.addresses)} are up. Ctrl+C stops them.")
        await interrupted
    finally:
        await cluster.stop()


serve()
