"""What a node says of itself: `info`, `version`, `statusbinary`, `statusthrift`, `statusgossip`."""

import re

import msgspec

from atlasdb_recovery.cassandra.node_reports.text import UUID, UnreadableReport, lines_from, unreadable_line


class Info(msgspec.Struct, frozen=True):
    """`nodetool info`. `thrift_active` is None on servers without Thrift (4.0 and later)."""

    host_id: str
    gossip_active: bool
    native_active: bool
    thrift_active: bool | None
    data_center: str
    rack: str
    uptime: int
    """Seconds."""


def read_info(text: str) -> Info:
    """Of `org.apache.cassandra.tools.nodetool.Info`."""
    fields = {}
    for line in lines_from("info", text, r"ID\s*:"):
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip()] = value.strip()
    host_id, uptime = fields.get("ID", ""), fields.get("Uptime (seconds)", "")
    if not UUID.fullmatch(host_id) or not uptime.isdecimal():
        raise UnreadableReport("info", f"host id `{host_id}`, uptime `{uptime}`")
    return Info(
        host_id=host_id,
        gossip_active=_truth(fields, "Gossip active"),
        native_active=_truth(fields, "Native Transport active"),
        thrift_active=_truth(fields, "Thrift active") if "Thrift active" in fields else None,
        data_center=fields.get("Data Center", ""),
        rack=fields.get("Rack", ""),
        uptime=int(uptime),
    )


def _truth(fields: dict[str, str], name: str) -> bool:
    value = fields.get(name)
    if value not in {"true", "false"}:
        raise UnreadableReport("info", f"`{name}` is `{value}`")
    return value == "true"


def read_running(text: str, report: str) -> bool:
    """Of `statusbinary`, `statusthrift` and `statusgossip`: whether it answers."""
    line = lines_from(report, text, r"(not )?running\s*$")[0]
    return line.strip() == "running"


def read_version(text: str) -> str:
    """The release version, as `2.2.18-1.108.0` or `5.0.6`."""
    line = lines_from("version", text, r"ReleaseVersion:")[0]
    if not (found := re.fullmatch(r"ReleaseVersion:\s*(\d+\.\S+)\s*", line)):
        raise unreadable_line("version", line)
    return found[1]
