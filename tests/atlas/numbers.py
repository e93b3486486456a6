"""Generated timestamps, thick around the places where encodings change their length or their row."""

import random
from collections.abc import Iterator

import pytest

HIGHEST = 2**63 - 1
COUNTS = [100_000, pytest.param(1_000_000, marks=pytest.mark.deep)]
"""How many generated values a property is held against: in `make test`, and in `make test-deep`."""
QUANTUM = 25_000_000


def timestamps(count: int, seed: int, lowest: int = 0) -> Iterator[int]:
    """`count` numbers from `lowest` to 2^63-1: of every bit length, around powers of two and around partitions."""
    source = random.Random(seed)
    for _ in range(count):
        match source.randrange(4):
            case 0:
                value = source.getrandbits(source.randint(1, 63))
            case 1:
                value = 2 ** source.randint(0, 63) + source.randint(-2, 2)
            case 2:
                value = source.randrange(HIGHEST // QUANTUM) * QUANTUM + source.randint(-17, 17)
            case _:
                value = source.randrange(10_000, 10**12)
        yield min(max(value, lowest), HIGHEST)
