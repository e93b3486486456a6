"""nodetool's reports on the cluster: status, gossipinfo, describecluster, describering."""

from itertools import groupby

from atlasdb_recovery.practice.simulated.answer import Answer, binary_size, refused, said, table_of
from atlasdb_recovery.practice.simulated.dialect import Dialect
from atlasdb_recovery.practice.simulated.node import SimulatedNode
from atlasdb_recovery.practice.simulated.servers import SimulatedServers

DIFFERENT_REPLICATION = (
    "Note: Non-system keyspaces don't have the same replication settings, "
    "effective ownership information is meaningless"
)


def load_of(node: SimulatedNode) -> int:
    """Bytes on disk, about."""
    return 300_000 + sum(50 * len(store.cells) for store in node.stores.values())


def status(servers: SimulatedServers, _: SimulatedNode, arguments: tuple[str, ...]) -> Answer:
    keyspace = arguments[0] if arguments else None
    if keyspace is not None and keyspace not in servers.keyspaces:
        return Answer(stdout=("", f"Error: The keyspace {keyspace}, does not exist"), exit_code=1)
    lines: list[str] = []
    in_order = sorted(servers.nodes.values(), key=lambda node: (node.place.data_center, node.address))
    for data_center, nodes in groupby(in_order, key=lambda node: node.place.data_center):
        title = f"Datacenter: {data_center}"
        lines += [title, "=" * len(title), "Status=Up/Down", "|/ State=Normal/Leaving/Joining/Moving"]
        lines += [*_status_table(servers, list(nodes), keyspace), ""]
    return said(*lines, *([] if keyspace else [DIFFERENT_REPLICATION]))


def _status_table(servers: SimulatedServers, nodes: list[SimulatedNode], keyspace: str | None) -> list[str]:
    old = servers.dialect is Dialect.PALANTIR
    rows = [("--", "Address", "Load", "Tokens", "Owns (effective)" if keyspace else "Owns", "Host ID", "Rack")]
    for node in nodes:
        owns = _owned(servers, keyspace, node.address) if keyspace else "?"
        load = binary_size(load_of(node), dialect_2_2=old)
        tokens = str(len(node.place.tokens))
        rows.append(("UN" if node.up else "DN", node.address, load, tokens, owns, node.host_id, node.place.rack))
    if not old:
        return table_of(rows, "  ")
    wide = max(len(node.address) for node in nodes)
    owns_wide = 16 if keyspace else 6
    return [
        f"{state}  {address:{wide}}  {load:9}  {tokens:11}  {owns:{owns_wide}}  {host_id:36}  {rack}"
        for state, address, load, tokens, owns, host_id, rack in rows
    ]


def _owned(servers: SimulatedServers, keyspace: str, address: str) -> str:
    ranges = servers.ring(keyspace).ranges()
    return f"{100 * sum(address in one.replicas for one in ranges) / len(ranges):.1f}%"


def gossipinfo(servers: SimulatedServers, _: SimulatedNode, __: tuple[str, ...]) -> Answer:
    lines: list[str] = []
    for node in servers.nodes.values():
        place, address = node.place, node.address
        normal = f"{'NORMAL' if node.up else 'shutdown'},{place.tokens[0].hex()}"
        states = [
            f"  generation:{node.generation}",
            f"  heartbeat:{max(1, int(servers.wall.time()) - node.generation)}",
            f"  STATUS:20:{normal}",
            f"  LOAD:700:{load_of(node)}.0",
            f"  SCHEMA:64:{servers.schema_version_of(node)}",
            f"  DC:8:{place.data_center}",
            f"  RACK:10:{place.rack}",
            f"  RELEASE_VERSION:4:{servers.dialect.release_version}",
            f"  INTERNAL_IP:6:{address}",
            f"  RPC_ADDRESS:3:{address}",
            f"  NET_VERSION:1:{9 if servers.dialect is Dialect.PALANTIR else 12}",
            f"  HOST_ID:2:{node.host_id}",
            f"  RPC_READY:24:{str(node.up).lower()}",
        ]
        if servers.dialect is Dialect.APACHE:
            states += [
                f"  INTERNAL_ADDRESS_AND_PORT:8:{address}:7000",
                f"  NATIVE_ADDRESS_AND_PORT:3:{address}:9042",
                f"  STATUS_WITH_PORT:27:{normal}",
                "  SSTABLE_VERSIONS:6:big-nb",
            ]
        lines += [f"/{address}", *states, "  TOKENS:19:<hidden>"]
    return said(*lines, "")


def describecluster(servers: SimulatedServers, _: SimulatedNode, __: tuple[str, ...]) -> Answer:
    versions: dict[str, list[str]] = {}
    for node in servers.nodes.values():
        versions.setdefault(servers.schema_version_of(node) if node.up else "UNREACHABLE", []).append(node.address)
    lines = [
        "Cluster Information:",
        f"\tName: {servers.name}",
        "\tSnitch: org.apache.cassandra.locator.GossipingPropertyFileSnitch",
        *(["\tDynamicEndPointSnitch: disabled"] if servers.dialect is Dialect.APACHE else []),
        f"\tPartitioner: {servers.partitioner}",
        "\tSchema versions:",
    ]
    for version, addresses in versions.items():
        lines += [f"\t\t{version}: [{', '.join(addresses)}]", ""]
    if servers.dialect is Dialect.APACHE:
        live = sum(node.up for node in servers.nodes.values())
        lines += ["Stats for all nodes:", f"\tLive: {live}", "\tJoining: 0", "\tMoving: 0", "\tLeaving: 0"]
        lines += [f"\tUnreachable: {len(servers.nodes) - live}", ""]
    return said(*lines)


def describering(servers: SimulatedServers, node: SimulatedNode, arguments: tuple[str, ...]) -> Answer:
    keyspace = arguments[0] if arguments else ""
    head = (f"Schema Version:{servers.schema_version_of(node)}", "TokenRange: ")
    if keyspace not in servers.keyspaces:
        return refused(f"No such keyspace: {keyspace}", "java.io.IOException", *head)
    lines = []
    for one in servers.ring(keyspace).ranges():
        addresses = ", ".join(one.replicas)
        places = [servers.nodes[address].place for address in one.replicas]
        details = ", ".join(
            f"EndpointDetails(host:{place.address}, datacenter:{place.data_center}, rack:{place.rack})"
            for place in places
        )
        lines.append(
            f"\tTokenRange(start_token:{one.start}, end_token:{one.end}, endpoints:[{addresses}], "
            f"rpc_endpoints:[{addresses}], endpoint_details:[{details}])"
        )
    return said(*head, *lines)
