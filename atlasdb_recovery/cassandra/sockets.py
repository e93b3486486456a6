"""Connections to a node that runs on this very machine, as the kernel shows them: exact on every version."""

import ipaddress
from collections.abc import Iterable

import psutil


def strangers_at(address: str, ports: Iterable[int]) -> list[tuple[str, int]]:
    """Remote ends (address and port, and ours at the node) of established connections to these ports of the node.

    This process's own connections are left out. Both IPv4 and IPv6 sockets are read: the fork listens on the one,
    5.0 on the other.
    """
    wanted = set(ports)
    own = {(_plain(c.laddr[0]), c.laddr[1]) for c in psutil.Process().net_connections("tcp") if c.laddr}
    found = []
    for connection in psutil.net_connections("tcp"):
        if connection.status != psutil.CONN_ESTABLISHED or not (connection.raddr and connection.laddr):
            continue
        (local, port), (remote, remote_port) = connection.laddr, connection.raddr
        if _plain(local) == address and port in wanted and (_plain(remote), remote_port) not in own:
            found.append((f"{_plain(remote)}:{remote_port}", port))
    return sorted(found)


def addresses_of_this_machine(addresses: Iterable[str]) -> frozenset[str]:
    """Those of the addresses that belong to this machine: loopback, or of one of its interfaces."""
    here = {entry.address for entries in psutil.net_if_addrs().values() for entry in entries}
    return frozenset(a for a in addresses if a in here or ipaddress.ip_address(a).is_loopback)


def _plain(text: str) -> str:
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
