"""Keys of a byte-ordered table as numbers, so that half way between two keys is half of the rows, not of the bytes."""

from bisect import bisect_right
from typing import Protocol

from atlasdb_recovery.atlas import varlong
from atlasdb_recovery.atlas.transactions import TRANSACTIONS

BYTES_LOOKED_AT = 16


class Scale(Protocol):
    """Monotone, both ways; what it cannot tell apart shares a number."""

    top: int

    def number(self, key: bytes) -> int: ...

    def key(self, number: int) -> bytes: ...


class ByteScale:
    """Keys that may be any bytes alike: their first bytes as a fraction."""

    top = 256**BYTES_LOOKED_AT

    def number(self, key: bytes) -> int:
        return int.from_bytes(key[:BYTES_LOOKED_AT].ljust(BYTES_LOOKED_AT, b"\0"))

    def key(self, number: int) -> bytes:
        return number.to_bytes(BYTES_LOOKED_AT).rstrip(b"\0")


class StartTimestampScale:
    """Keys of `_transactions`: start timestamps as VarLongs, whose first byte tells mostly how long they are."""

    top = varlong.HIGHEST

    def number(self, key: bytes) -> int:
        """The highest timestamp whose key is not above this one; of bytes that are no VarLong too."""
        return max(bisect_right(range(varlong.HIGHEST), key, key=varlong.encode) - 1, 0)

    def key(self, number: int) -> bytes:
        return varlong.encode(number)


def scale_of(table: str) -> Scale:
    return StartTimestampScale() if table == TRANSACTIONS else ByteScale()
