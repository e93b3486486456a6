"""The `servers` of an AtlasDB block: Cassandra's Thrift and CQL addresses, in every form AtlasDB has read."""

import re
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

import msgspec

from atlasdb_recovery.atlas.yaml_document import Part
from atlasdb_recovery.foreign import plain

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?|[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?")

URI_REMEDY = "Write it as `https://host:port/path`, without user, query or fragment."


class HostPort(msgspec.Struct, frozen=True, order=True):
    """A host (name, IPv4 or IPv6 without brackets) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def of(cls, part: Part) -> Self:
        """Of `host:port` or `[IPv6]:port`. Raises ConfigurationError."""
        written = part.text().strip()
        host, colon, port = written.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise part.error(
                f"{part.name} is no address: “{written}”", "Write an IPv6 address in brackets: `[2001:db8::1]:9160`."
            )
        if not colon or not _is_port(port):
            raise part.error(
                f"{part.name} has no port: “{written}”", "Write it as `host:port`, for example `cass-1:9160`."
            )
        if not _HOST.fullmatch(host):
            raise part.error(f"{part.name} has no usable host name: “{written}”", "Write it as `host:port`.")
        return cls(host, int(port))


class CassandraServers(msgspec.Struct, frozen=True):
    """Thrift and CQL addresses. `cql` is empty if the file has none, or if Java would not use them (see `note`)."""

    thrift: tuple[HostPort, ...]
    cql: tuple[HostPort, ...] = ()
    note: str = ""


def cassandra_servers(part: Part) -> CassandraServers | None:
    """Of a list, `type: default`, `type: cqlCapable`, or the 2019 form with `hosts`; None if it names no host.

    Agrees with `CassandraServersConfigs`: where the Thrift and CQL host names differ, CQL counts as not configured.
    """
    if part.is_list:
        return _thrift_only(part)
    kind = part.entry("type")
    if part.entry("hosts") is not None:
        return _form_of_2019(part)
    if kind is not None and kind.text() == "cqlCapable":
        return _cql_capable(part)
    if kind is not None and kind.text() != "default":
        raise kind.error(f"{kind.name} is “{kind.text()}”, which is not known", "Use `default` or `cqlCapable`.")
    listed = part.entry("thriftHosts", "servers")
    if listed is None:
        raise part.error(f"{part.name} names no servers", 'Write a list of "host:port".')
    return _thrift_only(listed)


def service_uris(block: Part) -> tuple[str, ...]:
    """The `servers` of a `timelock.serversList`, `lock` or `timestamp` block, without a trailing slash, in order."""
    servers = block.entry("servers")
    return tuple(dict.fromkeys(service_uri(part) for part in servers.items())) if servers is not None else ()


def service_uri(part: Part) -> str:
    """An http or https base address without a trailing slash. Raises ConfigurationError."""
    uri = base_uri(part.text())
    if uri is None:
        raise part.error(f"{part.name} is no address of a service", URI_REMEDY)
    return uri


def base_uri(text: str) -> str | None:
    """This address without a trailing slash; None if it is no http or https address a service can have."""
    written = text.strip()
    try:
        uri = urlsplit(written)
        usable = uri.scheme in {"http", "https"} and bool(uri.hostname) and (uri.port is None or uri.port > 0)
    except ValueError:
        return None
    if not usable or "@" in uri.netloc or uri.query or uri.fragment or not written.isprintable() or " " in written:
        return None
    return written.rstrip("/")


def host_ports(part: Part) -> tuple[HostPort, ...]:
    return tuple(dict.fromkeys(HostPort.of(item) for item in part.items()))


def _thrift_only(part: Part) -> CassandraServers | None:
    hosts = host_ports(part)
    return CassandraServers(hosts) if hosts else None


def _cql_capable(part: Part) -> CassandraServers | None:
    thrift = host_ports(part.required("thriftHosts"))
    cql = host_ports(part.required("cqlHosts"))
    if not thrift and not cql:
        return None
    if {h.host for h in thrift} != {h.host for h in cql}:
        note = (
            f"{part.name} names other hosts under cqlHosts than under thriftHosts; AtlasDB treats CQL as not"
            " configured then, and so does this program: the Thrift hosts are used on the CQL port of recovery.yml"
        )
        return CassandraServers(thrift or cql, (), note)
    return CassandraServers(thrift, cql)


def _form_of_2019(part: Part) -> CassandraServers | None:
    hosts = [_host(item) for item in part.required("hosts").items()]
    thrift_port = part.required("thriftPort").integer(1, 65535)
    cql_port = part.required("cqlPort").integer(1, 65535)
    if not hosts:
        return None
    return CassandraServers(
        tuple(HostPort(host, thrift_port) for host in hosts), tuple(HostPort(host, cql_port) for host in hosts)
    )


def _host(part: Part) -> str:
    host = part.text()
    if not _HOST.fullmatch(host) or (":" in host and not _is_ip_address(host)):
        raise part.error(f"{part.name} is no host name: “{plain(host, 200)}”", "The ports stand beside `hosts`.")
    return host


def _is_ip_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535
