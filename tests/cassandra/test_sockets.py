"""Who is connected to a node of this machine, by the kernel's list of sockets."""

from typing import NamedTuple

import psutil
import pytest

from atlasdb_recovery.cassandra.sockets import strangers_among

NODE, PORTS = "127.0.7.1", (9042, 9160)


class Connection(NamedTuple):
    status: str
    laddr: tuple[str, int] | tuple[()]
    raddr: tuple[str, int] | tuple[()] = ()


def established(local: str, port: int, remote: str, remote_port: int) -> Connection:
    return Connection(psutil.CONN_ESTABLISHED, (local, port), (remote, remote_port))


def listening(local: str, port: int) -> Connection:
    return Connection(psutil.CONN_LISTEN, (local, port))


@pytest.mark.parametrize("local", [NODE, f"::ffff:{NODE}"])
def test_a_connection_to_the_node_is_told_and_our_own_is_not(local: str) -> None:
    ours, theirs = ("127.0.0.1", 40_001), ("127.0.0.1", 40_002)
    connections = [
        listening(NODE, 9042),
        established(local, 9042, *ours),
        established(local, 9042, *theirs),
        established(local, 9160, "127.0.0.9", 5),
    ]
    found = strangers_among(connections, frozenset({ours}), NODE, PORTS)
    assert found == [("127.0.0.1:40002", 9042), ("127.0.0.9:5", 9160)]


def test_other_nodes_other_ports_and_the_clients_own_ends_are_not() -> None:
    connections = [
        listening(NODE, 9042),
        established("127.0.7.2", 9042, "127.0.0.1", 1),
        established(NODE, 7000, "127.0.7.2", 2),
        established("127.0.0.1", 40_002, NODE, 9042),
        Connection("TIME_WAIT", (NODE, 9042), ("127.0.0.1", 3)),
    ]
    assert strangers_among(connections, frozenset(), NODE, PORTS) == []


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::", "::ffff:0.0.0.0"])
def test_a_node_that_listens_everywhere_is_reached_by_any_address(wildcard: str) -> None:
    connections = [listening(wildcard, 9042), established("127.0.0.1", 9042, "127.0.0.1", 7), listening(NODE, 9160)]
    assert strangers_among(connections, frozenset(), NODE, PORTS) == [("127.0.0.1:7", 9042)]
