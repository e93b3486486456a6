"""Start timestamps to transactions schemas (`TimestampPartitioningMap`)."""

from collections.abc import Iterable

import msgspec

LOWEST_START = 1
SCHEMAS = frozenset({1, 2, 3})
"""What AtlasDB supports (`TransactionConstants.SUPPORTED_TRANSACTIONS_SCHEMA_VERSIONS`)."""


class MalformedCoordination(ValueError):
    """Coordination data that AtlasDB would not have written. The message is one sentence naming what is wrong."""


class SchemaRange(msgspec.Struct, frozen=True):
    """Start timestamps from `lower` (included) to `upper` (excluded; None: no end) belong to `schema`."""

    lower: int
    upper: int | None
    schema: int


class SchemaMap(msgspec.Struct, frozen=True):
    """Covers every start timestamp from 1 on, in order, without gap or overlap; neighbours differ in schema.

    `bound` is the last start timestamp for which the map is decided; None where there is no such end: a keyspace
    without `_coordination` is schema 1 for everything. Raises `MalformedCoordination` when it is made otherwise.
    """

    ranges: tuple[SchemaRange, ...]
    bound: int | None

    def __post_init__(self) -> None:
        if self.bound is not None and self.bound < LOWEST_START:
            raise MalformedCoordination(f"the schema map is valid up to {self.bound}, below every start timestamp")
        expected: int | None = LOWEST_START
        for part in self.ranges:
            if part.schema not in SCHEMAS:
                raise MalformedCoordination(
                    f"start timestamps from {part.lower} are in transactions schema {part.schema}, "
                    "and only 1, 2 and 3 are known"
                )
            if part.lower != expected or _is_empty(part):
                raise MalformedCoordination(_misfit(part, expected))
            expected = part.upper
        if expected is not None:
            raise MalformedCoordination(f"the schema map says nothing of start timestamps from {expected} on")

    def schema_at(self, start: int) -> int | None:
        """The schema of this start timestamp; None below 1 and beyond the bound."""
        if self.bound is not None and start > self.bound:
            return None
        for part in reversed(self.ranges):
            if start >= part.lower:
                return part.schema
        return None

    def schemas(self) -> frozenset[int]:
        """The schemas that a start timestamp up to the bound can have."""
        return frozenset(part.schema for part in self.ranges if self.bound is None or part.lower <= self.bound)

    @classmethod
    def of(cls, parts: Iterable[SchemaRange], bound: int | None) -> "SchemaMap":
        """The map of ranges in any order; neighbours with the same schema become one."""
        merged: list[SchemaRange] = []
        for part in sorted(parts, key=lambda part: part.lower):
            if merged and _continues(merged[-1], part):
                merged[-1] = SchemaRange(merged[-1].lower, part.upper, part.schema)
            else:
                merged.append(part)
        return cls(tuple(merged), bound)


def _continues(last: SchemaRange, part: SchemaRange) -> bool:
    return last.schema == part.schema and last.upper == part.lower and not (_is_empty(last) or _is_empty(part))


def _is_empty(part: SchemaRange) -> bool:
    return part.upper is not None and part.upper <= part.lower


def _misfit(part: SchemaRange, expected: int | None) -> str:
    shown = f"the range from {part.lower} to {part.upper or 'the end'} (schema {part.schema})"
    if _is_empty(part):
        return f"{shown} of the schema map is empty"
    if part.lower < LOWEST_START:
        return f"{shown} of the schema map starts below {LOWEST_START}"
    if expected is None or part.lower < expected:
        return f"{shown} of the schema map overlaps another"
    return f"the schema map says nothing of start timestamps from {expected} to {part.lower - 1}"


EVERYTHING_SCHEMA_1 = SchemaMap((SchemaRange(LOWEST_START, None, 1),), None)
