"""`inspect repair-log`: the verdict on a saved transcript."""

from typing import IO

import click
import msgspec

from atlasdb_recovery.cassandra.repair import judge
from atlasdb_recovery.cassandra.repair_log import lines_in
from atlasdb_recovery.cli.teaching import TeachingCommand


@click.command(
    "repair-log",
    cls=TeachingCommand,
    examples=(
        "atlasdb-recovery inspect repair-log nodetool.out "
        "--command 'nodetool repair --partitioner-range --full -- atlas _transactions'",
    ),
    exits={0: "judged, whatever the verdict", 2: "FILE cannot be read", 3: "", 4: "", 5: "interrupted"},
)
@click.argument("file", type=click.File("rb"))
@click.option(
    "--command",
    metavar="TEXT",
    help="The nodetool command line that printed it; without it the options that the server printed count.",
)
def repair_log(file: IO[bytes], command: str | None) -> None:
    """Whether the repair whose output is in FILE (- for standard input) worked: repaired, not-repaired or unknown.

    FILE may hold both streams, be in any encoding, and have seconds and two blanks before each line. Prints one JSON
    object with `verdict` and `reasons`; exits with 2 only if FILE cannot be read.
    """
    try:
        content = file.read()
    except OSError as error:
        raise click.UsageError(f"the transcript cannot be read: {error.strerror}. Give a file that holds it.") from None
    judgement = judge(command, lines_in(content))
    answer = {"verdict": judgement.verdict.value, "reasons": list(judgement.reasons)}
    click.echo(msgspec.json.encode(answer).decode())
