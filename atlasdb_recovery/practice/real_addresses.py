"""Addresses and ports for real practice nodes, held against other clusters on this machine."""

import os
import socket
from collections.abc import Sequence
from typing import Self

from atlasdb_recovery.practice.unavailable import RealPracticeUnavailable

STORAGE_PORT, NATIVE_PORT, THRIFT_PORT = PORTS = (7000, 9042, 9160)
SUBNETS = range(21, 120)
CLAIMED = 254
JMX_PORTS = 20_000
"""Plus 100 for each subnet: below the ports that the kernel gives to outgoing connections."""


class NoFreeAddresses(RealPracticeUnavailable):
    """No loopback network is free. Says on which ports."""


class Loopback:
    """127.0.<subnet>.1 and up. Claimed by a bound socket, which the kernel releases even if this process is killed."""

    def __init__(self, subnet: int, claim: socket.socket) -> None:
        self.subnet = subnet
        self._claim = claim

    @classmethod
    def claimed(cls, nodes: int, subnet: int | None = None) -> Self:
        """A subnet of which nobody uses `nodes` addresses; this one, if named. Raises NoFreeAddresses."""
        for candidate in [subnet] if subnet is not None else _in_some_order():
            claim = _bound(f"127.0.{candidate}.{CLAIMED}", STORAGE_PORT)
            if claim is None:
                continue
            found = cls(candidate, claim)
            if found._is_free(nodes):
                return found
            found.release()
        wanted = "x" if subnet is None else str(subnet)
        raise NoFreeAddresses(
            f"no addresses 127.0.{wanted}.1 to .{nodes} are free on the ports {', '.join(map(str, PORTS))}: "
            "other nodes use them, or this machine has only 127.0.0.1. Stop those nodes; on other systems than Linux "
            "add the addresses to the loopback device."
        )

    def addresses(self, nodes: int) -> Sequence[str]:
        return [f"127.0.{self.subnet}.{node + 1}" for node in range(nodes)]

    def jmx_ports(self, nodes: int) -> Sequence[int]:
        """Ports of 127.0.0.1, where JMX of every node listens."""
        return [JMX_PORTS + 100 * self.subnet + node for node in range(nodes)]

    def release(self) -> None:
        self._claim.close()

    def _is_free(self, nodes: int) -> bool:
        wanted = [(address, port) for address in self.addresses(nodes) for port in PORTS]
        wanted += [("127.0.0.1", port) for port in self.jmx_ports(nodes)]
        for address, port in wanted:
            probe = _bound(address, port, reuse=True)
            if probe is None:
                return False
            probe.close()
        return True


def listens(address: str, port: int) -> bool:
    """Whether a connection is accepted there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((address, port)) == 0


def _in_some_order() -> Sequence[int]:
    """All subnets, beginning at one that depends on this process: those who start together try different ones."""
    first = os.getpid() % len(SUBNETS)
    return [*SUBNETS[first:], *SUBNETS[:first]]


def _bound(address: str, port: int, *, reuse: bool = False) -> socket.socket | None:
    """With `reuse`, connections that linger after their end do not count as use."""
    bound = socket.socket()
    if reuse:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
    except OSError:
        bound.close()
        return None
    return bound
