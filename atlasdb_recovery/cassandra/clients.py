"""Who is connected to a node: `system_views.clients` (4.0 and later), our own connections left out.

The driver's application name is not sent, so ours are known by our ends of the sockets alone.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import psutil

from atlasdb_recovery.cassandra.connection import Connection
from atlasdb_recovery.cassandra.ports import Client, Clients, Consistency

CLIENTS = "SELECT address, port, username, driver_name, driver_version FROM system_views.clients"
OWN_DRIVER = "Python Driver"
CAN_LIST = "system_views.clients of the node: every connection to its native port, idle ones included"
CANNOT_LIST = (
    "this version cannot list its clients: look at the connections to its native and Thrift ports on the node itself "
    "(/proc/net/tcp and tcp6), and see that its request counters stand still (nodetool tpstats)"
)

Socket = tuple[str, int]
"""Address and port."""


async def clients_of(connection: Connection, address: str, *, can_list: bool) -> Clients:
    """The node's clients as it lists them itself."""
    if not can_list:
        return Clients(address, False, (), CANNOT_LIST)
    endpoint = connection.endpoint(address)
    own = own_ends(endpoint)
    rows = await connection.rows(CLIENTS, consistency=Consistency.ONE, node=address)
    return Clients(address, True, others(address, rows, own | own_ends(endpoint)), CAN_LIST)


def own_ends(endpoint: Socket) -> frozenset[Socket]:
    """Our ends of this process's connections to that address and port."""
    connections = psutil.Process().net_connections("tcp")
    return frozenset(_end(c.laddr) for c in connections if c.laddr and c.raddr and _end(c.raddr) == endpoint)


def others(node: str, rows: Iterable[Sequence[Any]], own: frozenset[Socket]) -> tuple[Client, ...]:
    """The rows that are not ours.

    Behind address translation the node sees one of our ports with another address: such a row is ours only if the
    port is seen nowhere with our own address and the client is the same driver as ours; anything else is somebody.
    """
    seen = [(str(row[0]), int(row[1]), row) for row in rows]
    translated = {port for _, port in own} - {port for ip, port, _ in seen if (ip, port) in own}
    found = []
    for ip, port, row in seen:
        driver = f"{row[3] or ''} {row[4] or ''}".strip()
        if (ip, port) in own or (port in translated and OWN_DRIVER in driver):
            continue
        found.append(Client(node=node, address=ip, port=port, user=str(row[2] or ""), driver=driver))
    return tuple(found)


def _end(address: Any) -> Socket:
    return str(address[0]).removeprefix("::ffff:"), int(address[1])
