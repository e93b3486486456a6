"""Where schemas 2 and 3 keep a start timestamp (`TicketsCellEncodingStrategy`).

Start timestamps are cut into partitions of 25,000,000. Each has 16 rows, which take the starts in turn; the number of
a row is written with its 64 bits reversed, so that neighbouring rows lie far apart on a byte-ordered ring.
"""

from atlasdb_recovery.atlas import varlong
from atlasdb_recovery.atlas.varlong import HIGHEST

PARTITIONING_QUANTUM = 25_000_000
ROWS_PER_QUANTUM = 16
HIGHEST_COLUMN = PARTITIONING_QUANTUM // ROWS_PER_QUANTUM - 1

_KEY_LENGTH = 8
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class TicketOutOfRange(ValueError):
    """A key or column that belongs to no start timestamp. The message says why, in a clause."""


def cell_of_ticket(start: int) -> tuple[bytes, bytes]:
    """(key, column1) of a start timestamp."""
    partition, offset = divmod(start, PARTITIONING_QUANTUM)
    column, turn = divmod(offset, ROWS_PER_QUANTUM)
    return _key(partition * ROWS_PER_QUANTUM + turn), varlong.encode(column)


def ticket_of_cell(key: bytes, column1: bytes) -> int:
    """The start timestamp kept under this key and column. Raises `TicketOutOfRange` or `varlong.MalformedValue`."""
    if len(key) != _KEY_LENGTH:
        raise TicketOutOfRange(f"the key has {len(key)} bytes, not {_KEY_LENGTH}")
    column = varlong.decode(column1)
    if not 0 <= column <= HIGHEST_COLUMN:
        raise TicketOutOfRange(f"column1 is {column}, not between 0 and {HIGHEST_COLUMN}")
    partition, turn = divmod(int.from_bytes(key.translate(_REVERSED_BITS), "little"), ROWS_PER_QUANTUM)
    start = partition * PARTITIONING_QUANTUM + column * ROWS_PER_QUANTUM + turn
    if start > HIGHEST:
        raise TicketOutOfRange(f"they would make {start}, which is above 2^63-1")
    return start


def partition_of_key(key: bytes) -> int | None:
    """The partition of the start timestamps that a key's row can hold; None for one that is no row's."""
    if len(key) != _KEY_LENGTH:
        return None
    return int.from_bytes(key.translate(_REVERSED_BITS), "little") // ROWS_PER_QUANTUM


def rows_covering(first: int, last: int) -> list[bytes]:
    """Keys of all rows that can hold a start timestamp from `first` to `last`, both included, by partition.

    Always whole partitions: the rows hold other start timestamps too.
    """
    if not 0 <= first <= last <= HIGHEST:
        raise ValueError(f"{first} to {last} is no range of start timestamps")
    lowest_row = first // PARTITIONING_QUANTUM * ROWS_PER_QUANTUM
    beyond = (last // PARTITIONING_QUANTUM + 1) * ROWS_PER_QUANTUM
    return [_key(row) for row in range(lowest_row, beyond)]


def _key(row: int) -> bytes:
    return row.to_bytes(_KEY_LENGTH, "little").translate(_REVERSED_BITS)
