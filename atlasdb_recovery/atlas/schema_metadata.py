"""The JSON in which AtlasDB writes a schema map (`InternalSchemaMetadata`), in two places:

as the payload of a `_coordination` value, and in the file `internal_schema_metadata_state` that AtlasDB's backup
service leaves beside its timestamp files (`ExternalBackupPersister`), there together with the bound.
"""

from typing import Any

import msgspec

from atlasdb_recovery.atlas.schema_ranges import EVERYTHING_SCHEMA_1, MalformedCoordination, SchemaMap, SchemaRange

CLOSED, OPEN = "CLOSED", "OPEN"


class LongRange(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """Guava's range of longs; an end that is missing, with its type, is no end."""

    lower_endpoint: int | None = None
    lower_bound_type: str | None = None
    upper_endpoint: int | None = None
    upper_bound_type: str | None = None


class RangeAndValue(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """This range of start timestamps has this schema."""

    long_range: LongRange
    value: int


class PartitioningMap(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`TimestampPartitioningMap`."""

    timestamp_mappings: list[RangeAndValue]


class SchemaMetadata(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`InternalSchemaMetadata`."""

    timestamp_to_transactions_table_schema_version: PartitioningMap


class _ValueAndBound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: SchemaMetadata | None
    bound: int


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: _ValueAndBound | None


def read_state(content: bytes) -> SchemaMap:
    """The schema map in an `internal_schema_metadata_state` file; its ranges' keys in camel or in kebab case.

    A state without a value is a keyspace without coordination: schema 1 for everything. Raises `MalformedCoordination`.
    """
    try:
        state = msgspec.convert(_camel(msgspec.json.decode(content)), _State)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedCoordination(f"the schema metadata state cannot be read: {error}") from None
    if state.value is None or state.value.value is None:
        return EVERYTHING_SCHEMA_1
    return schema_map_of(state.value.value, state.value.bound)


def write_state(schema_map: SchemaMap) -> bytes:
    """The content of an `internal_schema_metadata_state` file, as AtlasDB's backup service writes it."""
    if schema_map.bound is None:
        return msgspec.json.encode(_State(None))
    return msgspec.json.encode(_State(_ValueAndBound(metadata_of(schema_map), schema_map.bound)))


def schema_map_of(metadata: SchemaMetadata, bound: int | None) -> SchemaMap:
    """Ranges in any order and of any bound type; raises `MalformedCoordination` unless they cover [1, ∞) once."""
    mappings = metadata.timestamp_to_transactions_table_schema_version.timestamp_mappings
    return SchemaMap.of((_schema_range(mapping) for mapping in mappings), bound)


def metadata_of(schema_map: SchemaMap) -> SchemaMetadata:
    """The map in AtlasDB's words: lower ends closed, upper ends open, in order."""
    return SchemaMetadata(
        PartitioningMap([RangeAndValue(_long_range(part), part.schema) for part in schema_map.ranges])
    )


def _long_range(part: SchemaRange) -> LongRange:
    if part.upper is None:
        return LongRange(part.lower, CLOSED)
    return LongRange(part.lower, CLOSED, part.upper, OPEN)


def _schema_range(mapping: RangeAndValue) -> SchemaRange:
    ends = mapping.long_range
    lower = _boundary(ends.lower_endpoint, ends.lower_bound_type, kept=CLOSED)
    upper = _boundary(ends.upper_endpoint, ends.upper_bound_type, kept=OPEN)
    if lower is None:
        raise MalformedCoordination("a range of the schema map has no lower end, where the lowest is 1")
    return SchemaRange(lower, upper, mapping.value)


def _boundary(endpoint: int | None, bound_type: str | None, *, kept: str) -> int | None:
    """The endpoint if its type is `kept`, otherwise the timestamp after it; None for no end."""
    if endpoint is None and bound_type is None:
        return None
    if endpoint is None or bound_type not in (CLOSED, OPEN):
        raise MalformedCoordination("a range of the schema map has an end whose value or type is missing or unknown")
    return endpoint if bound_type == kept else endpoint + 1


def _camel(node: Any) -> Any:
    if isinstance(node, dict):
        return {_camel_key(key): _camel(value) for key, value in node.items()}
    return [_camel(value) for value in node] if isinstance(node, list) else node


def _camel_key(key: str) -> str:
    first, *others = key.split("-")
    return first + "".join(other.title() for other in others)
