"""`inspect decode` and `inspect locate`: cells of the transactions tables, JSON Lines in and out.

One output line for each input line, in order. A line that is JSON but no cell of AtlasDB's comes back with `error`.
"""

import functools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import click
import msgspec

from atlasdb_recovery.atlas.coordination import SchemaMap
from atlasdb_recovery.cli import coordination_file
from atlasdb_recovery.cli.cell_records import Record, decoded, located
from atlasdb_recovery.cli.teaching import TeachingCommand
from atlasdb_recovery.foreign import plain

LiveSchemaMap = Callable[[click.Context], SchemaMap | None]
"""The schema map of a live keyspace, as the command's own options name it; None if they name none."""

FILTER = {
    0: "every line was answered",
    2: "a line is no JSON, or a file cannot be read",
    3: "",
    4: "",
    5: "interrupted",
}
_ERROR = "error"
_input = click.argument("file", type=click.File("rb"), default="-")


def decode_command(live: LiveSchemaMap | None = None) -> click.Command:
    """`decode`; `live` is asked for a schema map when an object has no schema and no --coordination file is given."""

    @click.command(
        "decode",
        cls=TeachingCommand,
        examples=(
            "atlasdb-recovery inspect decode cells.jsonl",
            """echo '{"schema":1,"table":"_transactions","key":"64","column1":"74","column2":-1,"value":"65"}' | """
            "atlasdb-recovery inspect decode",
        ),
        exits=FILTER,
    )
    @click.option(
        "--coordination",
        "coordination_path",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="Rows of `_coordination` as JSON, or AtlasDB's internal_schema_metadata_state: which schema a start has.",
    )
    @click.option("--composite", "by_composite", is_flag=True, help="Read column1 and column2 from field composite.")
    @_input
    @click.pass_context
    def decode(
        context: click.Context, /, coordination_path: Path | None, by_composite: bool, file: IO[bytes], **_: Any
    ) -> None:
        """What cells of the transactions tables say: FILE or standard input, one JSON object a line.

        Reads `schema` (or --coordination tells, else the keyspace of the settings), `table`, `key`, `column1`,
        `column2`, `value`; adds `start`, `status`, `commit` (-1 if aborted) and, for schema 3, `state`; or `error` for
        anything that AtlasDB would not have written.
        """
        given = None if coordination_path is None else _coordination(coordination_path)

        @functools.cache
        def schema_map_of() -> SchemaMap | None:
            return given if given is not None or live is None else live(context)

        _filter(file, lambda record: decoded(record, schema_map_of, by_composite=by_composite))

    return decode


@click.command(
    cls=TeachingCommand,
    examples=("""echo '{"schema":3,"start":25000017,"commit":25000021}' | atlasdb-recovery inspect locate""",),
    exits=FILTER,
)
@click.option(
    "--composite", "with_composite", is_flag=True, help="Also write the column's name as Thrift tools show it."
)
@_input
def locate(with_composite: bool, file: IO[bytes]) -> None:
    """Where the cells of transactions are: FILE or standard input, one JSON object a line.

    Reads `schema`, `start` and optionally `commit` or `"status": "aborted"` (and `state`); adds `table`, `key`,
    `column1`, `column2` and, where a commit or status was given, `value`.
    """
    _filter(file, lambda record: located(record, with_composite=with_composite))


def _coordination(path: Path) -> SchemaMap:
    try:
        return coordination_file.read(path)
    except (ValueError, OSError) as error:
        raise click.UsageError(f"--coordination {path}: {plain(str(error), 1000)}") from None


def _filter(file: IO[bytes], convert: Callable[[Record], Record]) -> None:
    compact = json.JSONEncoder(separators=(",", ":"))
    try:
        for record in _records(file):
            sys.stdout.write(compact.encode(_converted(record, convert)) + "\n")
    finally:
        sys.stdout.flush()


def _converted(record: Any, convert: Callable[[Record], Record]) -> Record:
    if not isinstance(record, dict):
        return {_ERROR: "the line is not a JSON object, or has a number out of range"}
    known = {name: value for name, value in record.items() if name != _ERROR} if _ERROR in record else record
    try:
        return convert(known)
    except ValueError as error:
        return known | {_ERROR: str(error)}


def _records(file: IO[bytes]) -> Iterator[Any]:
    decoder = msgspec.json.Decoder()
    for number, line in enumerate(file, start=1):
        try:
            yield decoder.decode(line)
        except msgspec.ValidationError:
            yield None  # JSON, but with a number that Python cannot hold
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            name = plain(getattr(file, "name", "-"))
            raise click.UsageError(f"{name}, line {number}: not JSON: {plain(str(error), 200)}") from None
