"""The stored bound of AtlasDB's embedded timestamp service, in table `_timestamp` (`CassandraTimestampBoundStore`).

The bound is the highest timestamp that may have been handed out; up to `ALLOCATION_BUFFER` below it may be unused.
"""

from collections.abc import Iterable, Mapping

from atlasdb_recovery.atlas.varlong import HIGHEST

ROW = b"ts"
BOUND_POSITION = (ROW, b"ts", -1)
OLD_POSITION = (ROW, b"oldTs", -1)
"""Where a migration to TimeLock keeps the bound that it invalidated; empty after the way back."""
INITIAL_BOUND = 10_000
ALLOCATION_BUFFER = 1_000_000

INVALIDATED = b"\x00"
"""What that migration leaves where the bound was."""

_LENGTH = 8


class BoundInvalidated(ValueError):
    """The bound was given up for TimeLock (`CassandraTimestampBackupRunner`): the embedded service must not be used."""


class MalformedBound(ValueError):
    """The `_timestamp` row is not in a state that AtlasDB leaves behind."""


def encode(bound: int) -> bytes:
    """The 8 bytes of a bound, big-endian. ValueError if it is not between 0 and 2^63-1."""
    if not 0 <= bound <= HIGHEST:
        raise ValueError(f"timestamp bound {bound} is not between 0 and 2^63-1")
    return bound.to_bytes(_LENGTH)


def bound_of(cells: Iterable[tuple[bytes, int, bytes]]) -> int | None:
    """The bound in row `ROW`, given as (column1, column2, value); None if it has no bound yet.

    Raises `BoundInvalidated` or `MalformedBound`. A bound of 0 is accepted, as by Java: nothing was handed out yet.
    """
    values = _values(cells)
    value, old = values.get(BOUND_POSITION[1]), values.get(OLD_POSITION[1])
    if value == INVALIDATED:
        raise BoundInvalidated(
            f"the timestamp bound was invalidated by a migration to TimeLock{_old_bound(old)}; timestamps come from "
            "TimeLock. Configure its servers and address them; never write a bound here: that would make a second "
            "timestamp service"
        )
    if old is not None and len(old) == _LENGTH:
        raise MalformedBound(
            f"`_timestamp` has {'a' if value is not None else 'no'} bound beside the one that a migration to TimeLock "
            f"put aside{_old_bound(old)}; it cannot be told which service is the authority. Finish or undo that "
            "migration with AtlasDB's own tools first"
        )
    return None if value is None else _decoded(value)


def set_aside(cells: Iterable[tuple[bytes, int, bytes]]) -> int:
    """The bound that a migration to TimeLock put aside, which TimeLock went on from; 0 if there is none."""
    old = _values(cells).get(OLD_POSITION[1], b"")
    return max(0, int.from_bytes(old, signed=True)) if len(old) == _LENGTH else 0


def _values(cells: Iterable[tuple[bytes, int, bytes]]) -> Mapping[bytes, bytes]:
    values = {}
    for column1, column2, value in cells:
        if column1 in (BOUND_POSITION[1], OLD_POSITION[1]) and column2 != BOUND_POSITION[2]:
            raise MalformedBound(
                f"`_timestamp` has column2 {column2} in column {column1.hex()}, where AtlasDB writes only -1; "
                "something else wrote to this table. Do not use its timestamp service before that is explained"
            )
        values[column1] = value
    return values


def _decoded(value: bytes) -> int:
    bound = int.from_bytes(value[:_LENGTH], signed=True)
    if len(value) != _LENGTH or bound < 0:
        raise MalformedBound(
            f"the timestamp bound is {value[:20].hex() or 'empty'} ({len(value)} bytes), not a number of {_LENGTH} "
            "bytes; the keyspace may be on TimeLock, or `_timestamp` is damaged. Do not use its timestamp service"
        )
    return bound


def _old_bound(old: bytes | None) -> str:
    if old is None or len(old) != _LENGTH:
        return ""
    return f" (oldTs = {int.from_bytes(old, signed=True)})"
