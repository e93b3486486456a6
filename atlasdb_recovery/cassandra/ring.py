"""The ring: tokens as Cassandra prints them, CQL binds them and the ring orders them; `nodetool describering`."""

import re
from collections.abc import Mapping

from atlasdb_recovery.cassandra.node_reports.text import UnreadableReport
from atlasdb_recovery.cassandra.ports import TokenRange
from atlasdb_recovery.foreign import plain

FAMILIES = {
    "ByteOrderedPartitioner": "byte-ordered",
    "AtlasDbPartitioner": "byte-ordered",
    "AtlasDbOrderedPartitioner": "byte-ordered",
    "Murmur3Partitioner": "murmur3",
    "RandomPartitioner": "random",
}
REPORT = "describering"
_LINE = re.compile(
    r"\s*TokenRange\(start_token:(-?[0-9A-Fa-f]*), end_token:(-?[0-9A-Fa-f]*), endpoints:\[[^\]]*\], "
    r"rpc_endpoints:\[([^\]]*)\], endpoint_details:\[.*\]\)\s*"
)


def partitioner_family(partitioner: str) -> str:
    """byte-ordered | murmur3 | random | unknown, from the class name."""
    return FAMILIES.get(partitioner.rpartition(".")[2], "unknown")


def token_value(text: str, family: str) -> bytes | int:
    """What a token's text stands for, as it is bound in CQL; tokens of one family compare by it.

    Hex with an odd number of digits is padded at the left, as `ByteOrderedPartitioner`'s token factory does. Raises
    UnreadableReport for a token that is none of the family's, and for an unknown partitioner.
    """
    try:
        if family == "byte-ordered":
            return bytes.fromhex(text if len(text) % 2 == 0 else "0" + text)
        if family in {"murmur3", "random"}:
            return int(text)
    except ValueError as error:
        raise UnreadableReport("ring", f"{plain(text, 80)} is not a token of a {family} partitioner") from error
    raise UnreadableReport("ring", "the partitioner is none that AtlasDB uses: its tokens have no known order")


def pieces_in_token_order(start: str, end: str, family: str) -> list[tuple[str, str]]:
    """(start, end] as one or two pieces that do not wrap; "" is the open end of the ring. (t, t] is the whole ring."""
    if start == "" or end == "":
        return [(start, end)]
    low, high = token_value(start, family), token_value(end, family)
    return [(start, end)] if low < high else [("", end), (start, "")]  # type: ignore[operator]


def ranges_from_describering(text: str, primaries: Mapping[str, str] | None = None) -> tuple[TokenRange, ...]:
    """Every range in ring order, from the one after the first that is printed.

    nodetool prints the replicas as the strategy names them, the primary first; `primaries` (token to the address
    that owns it) puts another first where it is given. Raises UnreadableReport for anything but a closed ring.
    """
    found = {}
    for line in text.splitlines():
        if "TokenRange(" not in line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise UnreadableReport(REPORT, f"the line {plain(line, 200)}")
        start, end = match[1].lower(), match[2].lower()
        replicas = [address.strip() for address in match[3].split(",") if address.strip()]
        owner = (primaries or {}).get(end)
        ordered = sorted(replicas, key=lambda address: address != owner)
        if start in found:
            raise UnreadableReport(REPORT, f"two ranges begin at {start!r}")
        found[start] = TokenRange(start, end, tuple(ordered))
    if not found:
        raise UnreadableReport(REPORT, f"it names no range: {plain(text, 200)}")
    return _in_ring_order(found)


def _in_ring_order(by_start: Mapping[str, TokenRange]) -> tuple[TokenRange, ...]:
    first = next(iter(by_start.values()))
    chain = [first]
    while chain[-1].end != first.start:
        following = by_start.get(chain[-1].end)
        if following is None or len(chain) > len(by_start):
            raise UnreadableReport(REPORT, f"no range begins at {chain[-1].end!r}: the ring is not closed")
        chain.append(following)
    if len(chain) != len(by_start):
        raise UnreadableReport(REPORT, f"{len(by_start) - len(chain)} ranges lie outside of the ring")
    return tuple(chain)
