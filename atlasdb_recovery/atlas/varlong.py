"""AtlasDB's ordered variable-length integer (`EncodingUtils.encodeVarLong`).

1 to 10 bytes: n-1 one bits and a zero bit, then the value, big-endian. For non-negative values the order of the
bytes is the order of the numbers; negative values take 10 bytes and sort above all others.
"""

LOWEST = -(2**63)
HIGHEST = 2**63 - 1

_NEGATIVE_PREFIX = b"\xff\x80"
_PREFIXES = tuple(((1 << (length - 1)) - 1) << (7 * length + 1) for length in range(1, 10))
"""For n bytes at index n-1: n-1 one bits at the top of the 8n bits."""
_LENGTHS = tuple(9 - (byte ^ 0xFF).bit_length() for byte in range(256))
"""How many bytes a value has, by its first byte; of 0xff only that there are 9 or more."""


class MalformedValue(ValueError):
    """Bytes that `encode` never yields. The message is one sentence saying what is wrong with them."""


def encode(value: int) -> bytes:
    """The value's bytes, as few as it takes. ValueError if it does not fit 64 bits, signed."""
    if value < 0:
        if value < LOWEST:
            raise ValueError(f"{value} does not fit 64 bits")
        return _NEGATIVE_PREFIX + value.to_bytes(8, signed=True)
    if value > HIGHEST:
        raise ValueError(f"{value} does not fit 64 bits")
    length = (value.bit_length() + 6) // 7 or 1
    return (value | _PREFIXES[length - 1]).to_bytes(length)


def decode(data: bytes) -> int:
    """The value of exactly these bytes.

    Raises `MalformedValue` where bytes are missing or left over, and for a value that could be shorter. (Java
    ignores what is left over and accepts longer forms; AtlasDB writes neither.)
    """
    if not data:
        raise MalformedValue("the VarLong is empty")
    length = _LENGTHS[data[0]]
    if length == 9 and len(data) > 1 and data[1] >= 0x80:
        return _decode_negative(data)
    _require_length(data, length)
    value = int.from_bytes(data) ^ _PREFIXES[length - 1]
    if length > 1 and not value >> 7 * (length - 1):
        raise MalformedValue(f"the VarLong {data.hex()} is over-long: {value} takes fewer than {length} bytes")
    return value


def _decode_negative(data: bytes) -> int:
    if data[1] >= 0xC0:
        raise MalformedValue(f"the VarLong {data[:2].hex()}… claims more than 10 bytes")
    _require_length(data, 10)
    value = int.from_bytes(data[2:], signed=True)
    if value >= 0 or data[1] != 0x80:
        raise MalformedValue(f"the VarLong {data.hex()} is not how AtlasDB writes {value}")
    return value


def _require_length(data: bytes, length: int) -> None:
    if len(data) < length:
        raise MalformedValue(f"the VarLong {data.hex()} is truncated: {len(data)} of {length} bytes")
    if len(data) > length:
        raise MalformedValue(
            f"bytes are left over after the VarLong {data[:length].hex()}: {len(data) - length} of them"
        )
