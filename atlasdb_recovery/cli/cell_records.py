"""Cells of the transactions tables as JSON objects: what `inspect decode` and `inspect locate` read and write.

Fields: `schema`, `table`, `key`, `column1`, `value` (hex), `column2`, `start`, `commit` (-1 if aborted), `status`
(committed | aborted), `state` (schema 3: staging | committed), `composite` (hex). A field that is missing or of the
wrong type is a `ValueError` whose message names it.
"""

from collections.abc import Callable
from typing import Any

from atlasdb_recovery.atlas import composite, transactions
from atlasdb_recovery.atlas.coordination import SchemaMap
from atlasdb_recovery.atlas.transactions import Entry, State
from atlasdb_recovery.foreign import plain

Record = dict[str, Any]
SchemaMapOf = Callable[[], SchemaMap | None]
"""Where the schema comes from if the object does not say; called when that happens first. None: from nowhere."""

ABORTED = -1
TWO_PHASE = 3


def decoded(record: Record, schema_map_of: SchemaMapOf, *, by_composite: bool = False) -> Record:
    """The object with what its cell says: start, status, commit and, for schema 3, state."""
    table = _text(record, "table")
    key = hex_field(record, "key")
    if by_composite:
        column1, column2 = composite.decode(hex_field(record, "composite"))
    else:
        column1, column2 = hex_field(record, "column1"), int_field(record, "column2")
    value = hex_field(record, "value")
    if record.get("schema") is not None:
        schema = int_field(record, "schema")
    else:
        schema = _schema_of(transactions.start_of(table, key, column1, column2), schema_map_of())
    return _with_entry(record, transactions.decode(schema, table, key, column1, column2, value))


def located(record: Record, *, with_composite: bool = False) -> Record:
    """The object with the place of its transaction's cell; with a commit or a status also the cell's value."""
    schema, start = int_field(record, "schema"), int_field(record, "start")
    key, column1, column2 = transactions.locate(schema, start)
    result = record | {
        "table": transactions.table_of(schema),
        "key": key.hex(),
        "column1": column1.hex(),
        "column2": column2,
    }
    if with_composite:
        result["composite"] = composite.encode(column1, column2).hex()
    if record.get("commit") is not None or record.get("status") is not None:
        result["value"] = transactions.value_of(schema, start, _commit(record), _state(record)).hex()
    return result


def hex_field(record: Record, name: str) -> bytes:
    """The bytes of a field in hex; without a prefix or spaces."""
    text = _text(record, name)
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) * 2 != len(text):
        raise ValueError(f"field {name} is not hex: {plain(text, 60)}")
    return data


def int_field(record: Record, name: str) -> int:
    """The integer in a field; 1.0, "1" and true are none."""
    value = _field(record, name)
    if type(value) is not int:
        raise ValueError(f"field {name} is not an integer")
    return value


def _text(record: Record, name: str) -> str:
    value = _field(record, name)
    if not isinstance(value, str):
        raise ValueError(f"field {name} is not a string")
    return value


def _field(record: Record, name: str) -> Any:
    try:
        return record[name]
    except KeyError:
        raise ValueError(f"field {name} is missing") from None


def _schema_of(start: int, schema_map: SchemaMap | None) -> int:
    if schema_map is None:
        raise ValueError("field schema is missing, and there is no coordination map to take it from")
    schema = schema_map.schema_at(start)
    if schema is None:
        raise ValueError(
            f"start timestamp {start} has no schema yet: the coordination map is valid to {schema_map.bound}"
        )
    return schema


def _with_entry(record: Record, entry: Entry) -> Record:
    commit = ABORTED if entry.commit is None else entry.commit
    result = record | {"start": entry.start, "status": entry.status, "commit": commit}
    if entry.schema == TWO_PHASE:
        result["state"] = entry.state.value
    return result


def _commit(record: Record) -> int | None:
    """None for an abort, which either `status` or a `commit` of -1 says; they must not contradict each other."""
    status = record.get("status")
    commit = None if record.get("commit") is None else int_field(record, "commit")
    if status not in (None, "committed", "aborted"):
        raise ValueError("field status is neither committed nor aborted")
    if status == "aborted" and commit not in (None, ABORTED):
        raise ValueError(f"field status says aborted, but field commit says {commit}")
    if status == "committed" and commit in (None, ABORTED):
        raise ValueError("field status says committed, but there is no commit timestamp")
    return None if commit == ABORTED else commit


def _state(record: Record) -> State:
    state = record.get("state")
    if state is None:
        return State.COMMITTED
    try:
        return State(state)
    except ValueError:
        raise ValueError("field state is neither staging nor committed") from None
