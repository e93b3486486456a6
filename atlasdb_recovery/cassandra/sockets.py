"""Connections to a node that runs on this very machine, as the kernel shows them: exact on every version."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any

import psutil

Socket = tuple[str, int]
"""Address and port."""


def strangers_at(address: str, ports: Iterable[int]) -> list[tuple[str, int]]:
    """Remote ends (address and port, and ours at the node) of established connections to these ports of the node.

    This process's own connections are left out. Both IPv4 and IPv6 sockets are read: the fork listens on the one,
    5.0 on the other.
    """
    own = frozenset(_end(c.laddr) for c in psutil.Process().net_connections("tcp") if c.laddr)
    return strangers_among(psutil.net_connections("tcp"), own, address, ports)


def strangers_among(
    connections: Sequence[Any], own: frozenset[Socket], address: str, ports: Iterable[int]
) -> list[tuple[str, int]]:
    """Of psutil's connections. A port that is listened to on every address is the node's on every address."""
    listening = [_end(c.laddr) for c in connections if c.status == psutil.CONN_LISTEN and c.laddr]
    everywhere = {port for local, port in listening if ipaddress.ip_address(local).is_unspecified}
    wanted, found = set(ports), []
    for connection in connections:
        if connection.status != psutil.CONN_ESTABLISHED or not (connection.raddr and connection.laddr):
            continue
        (local, port), remote = _end(connection.laddr), _end(connection.raddr)
        if port in wanted and (local == address or port in everywhere) and remote not in own:
            found.append((f"{remote[0]}:{remote[1]}", port))
    return sorted(found)


def addresses_of_this_machine(addresses: Iterable[str]) -> frozenset[str]:
    """Those of the addresses that belong to this machine: loopback, or of one of its interfaces."""
    here = {entry.address for entries in psutil.net_if_addrs().values() for entry in entries}
    return frozenset(a for a in addresses if a in here or ipaddress.ip_address(a).is_loopback)


def _end(end: Any) -> Socket:
    address = ipaddress.ip_address(end[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address), int(end[1])
