"""Who writes to a node, and who is connected: `tablestats` (`cfstats`), `clientstats --all`."""

import re
from collections.abc import Mapping

import msgspec

from atlasdb_recovery.cassandra.node_reports.text import UnreadableReport, columns, lines_from, unreadable_line


def read_write_counts(text: str) -> Mapping[tuple[str, str], int]:
    """Replica writes since the node's start by (keyspace, table), of `tablestats` (2.2: `cfstats`).

    A keyspace without tables is not printed: then there are none.
    """
    counts: dict[tuple[str, str], int] = {}
    keyspace, table = "", ""
    for line in lines_from("tablestats", text, r"(Total number of tables|Keyspace)\s?:"):
        if found := re.fullmatch(r"Keyspace\s?: (\S+)\s*", line):
            keyspace, table = found[1], ""
        elif found := re.fullmatch(r"\s+Table(?: \(index\))?: (\S+)\s*", line):
            table = found[1]
        elif found := re.fullmatch(r"\s+Local write count: (.*)", line):
            if not keyspace or not table or not found[1].strip().isdecimal():
                raise unreadable_line("tablestats", line)
            counts[keyspace, table] = int(found[1])
            table = ""
    if keyspace and not counts:
        raise UnreadableReport("tablestats", "it has no table's write count")
    return counts


class Connection(msgspec.Struct, frozen=True):
    """A connection to the node's native port."""

    address: str
    port: int
    user: str
    keyspace: str
    requests: int
    driver: str


CLIENT_COLUMNS = ("Address", "SSL", "Cipher", "Protocol", "Version", "User", "Keyspace", "Requests")
DRIVER_COLUMNS = ("Driver-Name", "Driver-Version", "Client-Options")


def read_clientstats(text: str) -> tuple[Connection, ...]:
    """Of `org.apache.cassandra.tools.nodetool.ClientStats --all` (4.0 and later)."""
    lines = lines_from("clientstats --all", text, r"Address\s+SSL\s|Total connected clients: 0")
    total, connections = None, []
    header, *rest = lines
    if header.startswith("Total connected clients: 0"):
        return ()
    places = columns(header, CLIENT_COLUMNS + DRIVER_COLUMNS)
    if not set(CLIENT_COLUMNS) <= places.keys():
        raise unreadable_line("clientstats --all", header)
    for line in rest:
        if found := re.fullmatch(r"Total connected clients: (\d+)\s*", line):
            total = int(found[1])
            break
        if line.strip():
            connections.append(_connection(line, {name: line[place].strip() for name, place in places.items()}))
    if total != len(connections):
        raise UnreadableReport("clientstats --all", f"it lists {len(connections)} connections and counts {total}")
    return tuple(connections)


def _connection(line: str, fields: Mapping[str, str]) -> Connection:
    found = re.fullmatch(r"[^/]*/(.+):(\d+)", fields["Address"])
    if not found or not fields["Requests"].isdecimal():
        raise unreadable_line("clientstats --all", line)
    return Connection(
        address=found[1].strip("[]"),
        port=int(found[2]),
        user=fields["User"],
        keyspace=fields["Keyspace"],
        requests=int(fields["Requests"]),
        driver=f"{fields.get('Driver-Name', '')} {fields.get('Driver-Version', '')}".strip(),
    )
