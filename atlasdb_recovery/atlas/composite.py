"""A column's name as Thrift tools know it: column1 and column2 in one.

Agrees with `CassandraKeyValueServices.makeCompositeBuffer`: a Cassandra composite of BytesType and LongType.
"""

import struct

_COLUMN2 = struct.Struct(">xHqx")
"""End of column1; length of a bigint; the bigint; its end."""


def encode(column1: bytes, column2: int) -> bytes:
    """Two components, each its length (2 bytes), its bytes and a zero byte. ValueError where they do not fit."""
    if len(column1) > 0xFFFF or not -(2**63) <= column2 < 2**63:
        raise ValueError("column1 has at most 65535 bytes, column2 is a 64-bit number")
    return len(column1).to_bytes(2) + column1 + _COLUMN2.pack(8, column2)


def decode(composite: bytes) -> tuple[bytes, int]:
    """(column1, column2). ValueError for anything that `encode` does not yield."""
    column1 = composite[2 : -_COLUMN2.size]
    if len(composite) < 2 + _COLUMN2.size:
        raise ValueError(f"composite {composite.hex()} is too short")
    _, column2 = _COLUMN2.unpack(composite[-_COLUMN2.size :])
    if encode(column1, column2) != composite:
        raise ValueError(f"composite {composite[:40].hex()} is not a column1 and a bigint column2")
    return column1, column2
