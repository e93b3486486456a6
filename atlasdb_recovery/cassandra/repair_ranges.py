"""Token ranges as nodetool and the history tables print them, and whether some of them cover others.

Tokens are hexadecimal for byte-ordered partitioners, decimal for Murmur3 and Random; the minimum token of a
byte-ordered partitioner is the empty string. Which of the two a token is need not be known here: nothing is ordered.
"""

import re
from collections.abc import Iterable

Range = tuple[str, str]
"""Start (excluded) and end (included)."""

_RANGE = r"\([-0-9A-Fa-f]*,[-0-9A-Fa-f]*\]"
RANGES = rf"(?:{_RANGE}|\[{_RANGE}(?:, {_RANGE})*\])"
"""One range as 2.2 prints it, or a list of ranges as 3.0 and later do (`Range.toString`, `Collection.toString`)."""
_PARTS = re.compile(r"\(([-0-9A-Fa-f]*),([-0-9A-Fa-f]*)\]")
_ONE_RANGE = re.compile(_RANGE)


def ranges_in(text: str) -> tuple[Range, ...]:
    """The ranges in text that matches `RANGES`, tokens as printed."""
    return tuple((found[1], found[2]) for found in _PARTS.finditer(text))


def range_of(text: str) -> Range | None:
    """The range in an element of `requested_ranges` or `successful_ranges`, None for the empty element."""
    return ranges_in(text)[0] if _ONE_RANGE.fullmatch(text) else None


def range_text(span: Range) -> str:
    """As Cassandra prints it and `range_of` reads it."""
    return f"({span[0]},{span[1]}]"


def canonical(span: Range) -> Range:
    """The same range with one spelling: lower case, and hexadecimal padded to whole bytes as the token factory does."""
    return (_token(span[0]), _token(span[1]))


def uncovered(expected: Iterable[Range], done: Iterable[Range]) -> frozenset[Range]:
    """The expected ranges that no chain of done ranges covers from start to end, as they were given."""
    ends: dict[str, set[str]] = {}
    for start, end in map(canonical, done):
        ends.setdefault(start, set()).add(end)
    return frozenset(span for span in expected if not _is_chained(canonical(span), ends))


def _is_chained(span: Range, ends: dict[str, set[str]]) -> bool:
    start, end = span
    reached, waiting = set[str](), list(ends.get(start, ()))
    while waiting:
        token = waiting.pop()
        if token == end:
            return True
        if token not in reached:
            reached.add(token)
            waiting.extend(ends.get(token, ()))
    return False


def _token(text: str) -> str:
    if text.startswith("-") or len(text) % 2 == 0:
        return text.lower()
    return f"0{text.lower()}"
