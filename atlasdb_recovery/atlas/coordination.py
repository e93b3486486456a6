"""Which transactions schema a start timestamp belongs to: row `ROW` of table `_coordination`.

The row has a pointer `{"sequence":S,"bound":B}` and, for every S there ever was, a value: the map from start
timestamps to schemas (`KeyValueServiceCoordinationStore`, `VersionedInternalSchemaMetadata`). Only the value that the
pointer names counts, and only for start timestamps up to B. Sequence numbers and bounds are Atlas timestamps.
"""

import base64
import binascii
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from atlasdb_recovery.atlas import varlong
from atlasdb_recovery.atlas.schema_metadata import SchemaMetadata, metadata_of, schema_map_of
from atlasdb_recovery.atlas.schema_ranges import EVERYTHING_SCHEMA_1, MalformedCoordination, SchemaMap, SchemaRange

__all__ = [
    "EVERYTHING_SCHEMA_1",
    "ROW",
    "CoordinationIncomplete",
    "CoordinationValueMissing",
    "MalformedCoordination",
    "SchemaMap",
    "SchemaRange",
    "cells_of",
    "highest_sequence",
    "read_rows",
]

ROW = b"m"
POINTER_COLUMN = varlong.encode(0)

_COLUMN2 = -1
_FORMAT = 1


Record = TypeVar("Record")


class CoordinationIncomplete(MalformedCoordination):
    """The row lacks its pointer although it has values, or the value that the pointer names: nothing in it holds."""


class CoordinationValueMissing(CoordinationIncomplete):
    """The pointer names a value that the row does not have. Read again: a writer may have been at work between."""


class _Pointer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sequence: int
    bound: int


class _Versioned(msgspec.Struct, frozen=True):
    version: int
    payload: str


def read_rows(cells: Iterable[tuple[bytes, int, bytes]]) -> SchemaMap:
    """The schema map in row `ROW`, given as (column1, column2, value).

    A row without a pointer means schema 1 for everything, as to AtlasDB, unless a value in it says otherwise.
    Raises `MalformedCoordination`, or its kind `CoordinationIncomplete`; both name what is wrong.
    """
    values = _values(cells)
    content = values.pop(POINTER_COLUMN, None)
    if content is None:
        return _without_pointer(values)
    pointer = _decoded(content, _Pointer, "the pointer")
    if not 1 <= pointer.sequence <= varlong.HIGHEST:
        raise MalformedCoordination(f"the pointer of `_coordination` has sequence {pointer.sequence}, no timestamp")
    value = values.get(varlong.encode(pointer.sequence))
    if value is None:
        raise CoordinationValueMissing(
            f"`_coordination` points at value {pointer.sequence}, which is not in the row; "
            "repair the table or restore it whole, then read again"
        )
    return schema_map_of(_metadata(value), pointer.bound)


def highest_sequence(cells: Iterable[tuple[bytes, int, bytes]]) -> int:
    """The highest fresh timestamp under which a value was ever written into row `ROW`; 0 if it has none.

    Raises `MalformedCoordination`.
    """
    try:
        return max((varlong.decode(column1) for column1 in _values(cells)), default=0)
    except varlong.MalformedValue as error:
        raise MalformedCoordination(f"a column of `_coordination` is no sequence number: {error}") from None


def cells_of(schema_map: SchemaMap, sequence: int) -> tuple[tuple[bytes, int, bytes], ...]:
    """The pointer and the value of a schema map as AtlasDB writes them: (column1, column2, value) for row `ROW`.

    ValueError for a map without a bound: AtlasDB has no such value.
    """
    if schema_map.bound is None or sequence < 1:
        raise ValueError("a coordination value needs a bound and a sequence number of at least 1")
    payload = base64.b64encode(msgspec.json.encode(metadata_of(schema_map))).decode("ascii")
    return (
        (POINTER_COLUMN, _COLUMN2, msgspec.json.encode(_Pointer(sequence, schema_map.bound))),
        (varlong.encode(sequence), _COLUMN2, msgspec.json.encode(_Versioned(_FORMAT, payload))),
    )


def _values(cells: Iterable[tuple[bytes, int, bytes]]) -> dict[bytes, bytes]:
    values = {}
    for column1, column2, value in cells:
        if column2 != _COLUMN2:
            raise MalformedCoordination(
                f"`_coordination` has column2 {column2} in column {column1[:20].hex()}, where AtlasDB writes only -1"
            )
        values[column1] = value
    return values


def _without_pointer(values: dict[bytes, bytes]) -> SchemaMap:
    """A service that dies on its very first start leaves its first value, schema 1, without a pointer."""
    for value in values.values():
        if schema_map_of(_metadata(value), None) != EVERYTHING_SCHEMA_1:
            raise CoordinationIncomplete(
                "`_coordination` has values for other schemas than 1 but no pointer that says which of them holds; "
                "repair the table or restore it whole"
            )
    return EVERYTHING_SCHEMA_1


def _metadata(value: bytes) -> SchemaMetadata:
    versioned = _decoded(value, _Versioned, "the value")
    if versioned.version != _FORMAT:
        raise MalformedCoordination(
            f"the value of `_coordination` has format version {versioned.version}, and only version {_FORMAT} is "
            "known; it was written by a newer AtlasDB"
        )
    try:
        payload = base64.b64decode(versioned.payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedCoordination(f"the value of `_coordination` has a payload that is not base64: {error}") from None
    return _decoded(payload, SchemaMetadata, "the payload")


def _decoded(content: bytes, kind: type[Record], what: str) -> Record:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedCoordination(f"{what} of `_coordination` cannot be read: {error}") from None
