"""The ring: token ranges and their replicas, for every partitioner that AtlasDB uses."""

import re
from collections.abc import Mapping
from typing import Any

from atlasdb_recovery.cassandra.ports import TokenRange

FAMILIES = {
    "ByteOrderedPartitioner": "byte-ordered",
    "AtlasDbPartitioner": "byte-ordered",
    "AtlasDbOrderedPartitioner": "byte-ordered",
    "Murmur3Partitioner": "murmur3",
    "RandomPartitioner": "random",
}
_RANGE = re.compile(
    r"TokenRange\(start_token:([^,]*), end_token:([^,]*), endpoints:\[[^\]]*\], rpc_endpoints:\[([^\]]*)\]"
)


class UnreadableRing(Exception):
    """The ring could not be read. Says what was read and what to do."""


def partitioner_family(partitioner: str) -> str:
    """byte-ordered | murmur3 | random | unknown, from the class name."""
    return FAMILIES.get(partitioner.rpartition(".")[2], "unknown")


def token_text(value: Any) -> str:
    """A token as Cassandra prints it: hex of the bytes, or the decimal number."""
    return value.hex() if isinstance(value, bytes) else str(value)


def token_value(text: str, family: str) -> Any:
    """What a token's text stands for, as it is bound in CQL; tokens of one family compare by it."""
    return bytes.fromhex(text if len(text) % 2 == 0 else "0" + text) if family == "byte-ordered" else int(text)


def pieces_in_token_order(start: str, end: str, family: str) -> list[tuple[str, str]]:
    """(start, end] as one or two pieces that do not wrap; "" is the open end of the ring."""
    if start == "" or end == "" or token_value(start, family) < token_value(end, family):
        return [(start, end)]
    return [("", end), (start, "")]


def ranges_from_token_map(token_map: Any, keyspace: str) -> tuple[TokenRange, ...]:
    """From the driver's token map. The first replica is the one that `--partitioner-range` counts the range for:
    the first along the ring (`AbstractReplicationStrategy.calculateNaturalEndpoints`)."""
    ring = list(token_map.ring)
    found = []
    for index, token in enumerate(ring):
        replicas = {host.address for host in token_map.get_replicas(keyspace, token)}
        along = [token_map.token_to_host_owner[ring[(index + step) % len(ring)]].address for step in range(len(ring))]
        ordered = tuple(address for address in dict.fromkeys(along) if address in replicas)
        found.append(TokenRange(token_text(ring[index - 1].value), token_text(token.value), ordered))
    return tuple(found)


def ranges_from_describering(text: str, primaries: Mapping[str, str]) -> tuple[TokenRange, ...]:
    """From `nodetool describering`. `primaries` is token to the address that owns it, which then comes first."""
    found = []
    for start, end, endpoints in _RANGE.findall(text):
        replicas = [address.strip() for address in endpoints.split(",") if address.strip()]
        owner = primaries.get(end.lower())
        ordered = [owner, *(r for r in replicas if r != owner)] if owner in replicas and owner else replicas
        found.append(TokenRange(start.lower(), end.lower(), tuple(ordered)))
    if not found:
        raise UnreadableRing(
            f"nodetool describering did not name a range: {text[:200]!r}. Run it by hand and look at its output."
        )
    ends = {r.end for r in found}
    if {r.start for r in found} != ends or len(ends) != len(found):
        raise UnreadableRing(
            "the ranges of nodetool describering do not close the ring. Wait until the ring is stable."
        )
    return tuple(found)
