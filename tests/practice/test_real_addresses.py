"""Loopback addresses for clusters that run at the same time."""

import socket
import subprocess
import sys

import pytest

from atlasdb_recovery.practice.real_addresses import PORTS, Loopback, NoFreeAddresses, listens

HOLD = """
from atlasdb_recovery.practice.real_addresses import Loopback
held = Loopback.claimed(3)
print(held.subnet, flush=True)
input()
"""


def test_two_claims_share_neither_addresses_nor_jmx_ports() -> None:
    first, second = Loopback.claimed(3), Loopback.claimed(3)
    try:
        assert not set(first.addresses(3)) & set(second.addresses(3))
        assert not set(first.jmx_ports(100)) & set(second.jmx_ports(100))
    finally:
        first.release()
        second.release()


def test_no_jmx_port_is_one_that_the_kernel_gives_to_outgoing_connections() -> None:
    highest = Loopback(119, socket.socket())
    assert max(highest.jmx_ports(100)) < 32768
    highest.release()


def test_a_subnet_of_another_process_is_refused_until_that_process_is_killed() -> None:
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        subnet = int(other.stdout.readline())
        with pytest.raises(NoFreeAddresses, match=rf"127\.0\.{subnet}\.1 to \.3 .* 9042"):
            Loopback.claimed(3, subnet)
        other.kill()
    Loopback.claimed(3, subnet).release()


@pytest.mark.parametrize("port", PORTS)
def test_a_subnet_with_a_port_in_use_is_passed_over(port: int) -> None:
    free = Loopback.claimed(3)
    free.release()
    with socket.create_server((free.addresses(3)[2], port)):
        with pytest.raises(NoFreeAddresses, match="other nodes use them"):
            Loopback.claimed(3, free.subnet)
        elsewhere = Loopback.claimed(3)
        assert elsewhere.subnet != free.subnet
        elsewhere.release()
        assert listens(free.addresses(3)[2], port)
    assert not listens(free.addresses(3)[2], port)


def test_a_refused_subnet_is_not_held() -> None:
    free = Loopback.claimed(3)
    free.release()
    with socket.create_server((free.addresses(3)[0], PORTS[1])), pytest.raises(NoFreeAddresses):
        Loopback.claimed(3, free.subnet)
    Loopback.claimed(3, free.subnet).release()
