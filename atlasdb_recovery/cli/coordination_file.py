"""A schema map from a file: rows of `_coordination`, or the state that AtlasDB's backup service leaves."""

from pathlib import Path
from typing import Any

import msgspec

from atlasdb_recovery.atlas import coordination, schema_metadata
from atlasdb_recovery.atlas.coordination import MalformedCoordination, SchemaMap
from atlasdb_recovery.cli.cell_records import hex_field, int_field


def read(path: Path) -> SchemaMap:
    """The map in the file. ValueError (also `MalformedCoordination`) says what is wrong with it; OSError as it comes.

    Accepted: `internal_schema_metadata_state`; a list of rows, or an object with the list `rows`, or one row a line.
    A row is an object with `key` (optional), `column1` and `value` in hex, and `column2`.
    """
    content = path.read_bytes()
    document = _document(content)
    if isinstance(document, dict) and "value" in document and "column1" not in document:
        return schema_metadata.read_state(content)
    cells = [_cell(row) for row in _rows(document) if _is_of_the_row(row)]
    if not cells:
        raise MalformedCoordination(f"the file has no cell of row {coordination.ROW.hex()} of `_coordination`")
    return coordination.read_rows(cells)


def _document(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        lines = [line for line in content.splitlines() if line.strip()]
        if len(lines) < 2:
            raise ValueError(f"it is not JSON: {error}") from None
    try:
        return [msgspec.json.decode(line) for line in lines]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"it is neither JSON nor JSON Lines: {error}") from None


def _rows(document: Any) -> list[dict[str, Any]]:
    rows = document
    if isinstance(document, dict):
        rows = document.get("rows", [document])
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "rows" not in row for row in rows):
        raise ValueError("it holds neither one list of rows nor one state")
    return rows


def _is_of_the_row(row: dict[str, Any]) -> bool:
    return "key" not in row or hex_field(row, "key") == coordination.ROW


def _cell(row: dict[str, Any]) -> tuple[bytes, int, bytes]:
    return hex_field(row, "column1"), int_field(row, "column2"), hex_field(row, "value")
