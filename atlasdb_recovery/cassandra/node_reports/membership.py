"""What a node says of the cluster: `status`, `gossipinfo`, `describecluster`."""

import re
from collections.abc import Mapping

import msgspec

from atlasdb_recovery.cassandra.node_reports.text import UUID, UnreadableReport, lines_from, number, unreadable_line


class StatusRow(msgspec.Struct, frozen=True):
    """One node as `nodetool status` sees it. `up` is None where the report says `?`."""

    up: bool | None
    state: str
    """N normal | L leaving | J joining | M moving | S stopped"""
    address: str
    load: str | None
    host_id: str
    rack: str
    data_center: str


class Status(msgspec.Struct, frozen=True):
    rows: tuple[StatusRow, ...]

    @property
    def not_up_and_normal(self) -> tuple[StatusRow, ...]:
        return tuple(row for row in self.rows if not row.up or row.state != "N")


def read_status(text: str) -> Status:
    """Of `org.apache.cassandra.tools.nodetool.Status`: a tokens column, or one token after the host id."""
    rows: list[StatusRow] = []
    data_center, token_last = "", None
    for line in lines_from("status", text, r"Datacenter:"):
        if line.startswith("Datacenter:"):
            data_center, token_last = line.partition(":")[2].strip(), None
        elif line.startswith("--  "):
            token_last = " Token " in line
        elif not line.strip():
            token_last = None
        elif token_last is not None:
            rows.append(_status_row(line, data_center, token_last=token_last))
    if not rows:
        raise UnreadableReport("status", "it lists no nodes")
    return Status(rows=tuple(rows))


def _status_row(line: str, data_center: str, *, token_last: bool) -> StatusRow:
    found = re.match(r"([UD?])([NLJMS])\s+(\S+)\s+(\?|[\d.,]+ \w+)\s(.*)$", line)
    words = found[5].split() if found else []
    at = next((index for index, word in enumerate(words) if UUID.fullmatch(word)), None)
    if not found or at is None or len(words) < at + (3 if token_last else 2):
        raise unreadable_line("status", line)
    return StatusRow(
        up={"U": True, "D": False}.get(found[1]),
        state=found[2],
        address=found[3],
        load=None if found[4] == "?" else found[4],
        host_id=words[at],
        rack=" ".join(words[at + (2 if token_last else 1) :]),
        data_center=data_center,
    )


class GossipState(msgspec.Struct, frozen=True):
    """What gossip knows of one endpoint: the application states' values by name, without their versions."""

    address: str
    generation: int
    heartbeat: int
    states: Mapping[str, str]

    @property
    def status(self) -> str:
        """NORMAL, LEFT, shutdown …; "" if gossip has none."""
        return (self.states.get("STATUS_WITH_PORT") or self.states.get("STATUS", "")).partition(",")[0]


def read_gossipinfo(text: str) -> tuple[GossipState, ...]:
    """Of `FailureDetector.getAllEndpointStates`."""
    fields: dict[str, dict[str, str]] = {}
    address = ""
    for line in lines_from("gossipinfo", text, r"[^/\s]*/\S+$"):
        if re.fullmatch(r"[^/\s]*/\S+", line):
            address = line.partition("/")[2]
            fields[address] = {}
        elif found := re.fullmatch(r"\s+(generation|heartbeat|[A-Z_0-9]+:-?\d+|[A-Z_0-9]+):(.*)", line):
            fields[address][found[1].partition(":")[0]] = found[2]
        elif line.strip():
            raise unreadable_line("gossipinfo", line)
    return tuple(
        GossipState(
            address=address,
            generation=number("gossipinfo", states.pop("generation", ""), address),
            heartbeat=number("gossipinfo", states.pop("heartbeat", ""), address),
            states=states,
        )
        for address, states in fields.items()
    )


class ClusterDescription(msgspec.Struct, frozen=True):
    """`nodetool describecluster`: which addresses have which schema version, and which could not be asked."""

    name: str
    partitioner: str
    schema_versions: Mapping[str, tuple[str, ...]]
    unreachable: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return len(self.schema_versions) == 1 and not self.unreachable


def read_describecluster(text: str) -> ClusterDescription:
    """Of `org.apache.cassandra.tools.nodetool.DescribeCluster`."""
    lines = lines_from("describecluster", text, r"Cluster Information:")
    names = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines[:8])}
    versions: dict[str, tuple[str, ...]] = {}
    for line in lines[1:]:
        if found := re.fullmatch(rf"\s+({UUID.pattern}|UNREACHABLE|UNKNOWN): \[(.*)\]\s*", line):
            versions[found[1]] = tuple(found[2].split(", "))
    unreachable = versions.pop("UNREACHABLE", ()) + versions.pop("UNKNOWN", ())
    if not versions or "Name" not in names or "Partitioner" not in names:
        raise UnreadableReport("describecluster", "it names no cluster, partitioner or schema version")
    return ClusterDescription(
        name=names["Name"], partitioner=names["Partitioner"], schema_versions=versions, unreachable=unreachable
    )
