"""nodetool's reports on one node: info, version, who is connected, what it is at, what was written."""

from collections.abc import Iterable, Sequence

from atlasdb_recovery.practice.simulated.answer import (
    Answer,
    binary_size,
    said,
    table_of,
    unexpected,
    wrong_usage,
)
from atlasdb_recovery.practice.simulated.dialect import Dialect
from atlasdb_recovery.practice.simulated.membership_verbs import load_of
from atlasdb_recovery.practice.simulated.node import RepairTask, SimulatedNode
from atlasdb_recovery.practice.simulated.servers import SimulatedServers

CLIENT_COLUMNS = (
    "Address",
    "SSL",
    "Cipher",
    "Protocol",
    "Version",
    "User",
    "Keyspace",
    "Requests",
    "Driver-Name",
    "Driver-Version",
)


def info(servers: SimulatedServers, node: SimulatedNode, _: tuple[str, ...]) -> Answer:
    old = servers.dialect is Dialect.PALANTIR
    fields = [
        ("ID", node.host_id),
        ("Gossip active", "true"),
        *([("Thrift active", str(node.thrift_active).lower())] if old else []),
        ("Native Transport active", "true"),
        ("Load", binary_size(load_of(node), dialect_2_2=old)),
        ("Generation No", str(node.generation)),
        ("Uptime (seconds)", str(max(1, int(servers.wall.time()) - node.generation))),
        ("Heap Memory (MB)", "110.76 / 494.94"),
        ("Off Heap Memory (MB)", "0.04"),
        ("Data Center", node.place.data_center),
        ("Rack", node.place.rack),
        ("Exceptions", "0"),
        *([] if old else [("Percent Repaired", "0.0%")]),
        (
            "Token",
            node.place.tokens[0].hex() if len(node.place.tokens) == 1 else "(invoke with -T/--tokens to see all)",
        ),
        *([] if old else [("Bootstrap state", "COMPLETED"), ("Decommissioning", "false")]),
    ]
    return said(*(f"{name:23}: {value}" for name, value in fields))


def version(servers: SimulatedServers, _: SimulatedNode, __: tuple[str, ...]) -> Answer:
    return said(f"ReleaseVersion: {servers.dialect.release_version}")


def statusbinary(_: SimulatedServers, __: SimulatedNode, ___: tuple[str, ...]) -> Answer:
    return said("running")


def statusthrift(servers: SimulatedServers, node: SimulatedNode, _: tuple[str, ...]) -> Answer:
    if not servers.dialect.has_thrift:
        return unexpected(["statusthrift"])
    return said("running" if node.thrift_active else "not running")


def disablethrift(servers: SimulatedServers, node: SimulatedNode, _: tuple[str, ...]) -> Answer:
    """Thrift clients are cut off with it."""
    if not servers.dialect.has_thrift:
        return unexpected(["disablethrift"])
    node.thrift_active = False
    node.clients = node.ready_clients()
    return said()


def enablethrift(servers: SimulatedServers, node: SimulatedNode, _: tuple[str, ...]) -> Answer:
    if not servers.dialect.has_thrift:
        return unexpected(["enablethrift"])
    node.thrift_active = True
    return said()


def netstats(_: SimulatedServers, node: SimulatedNode, __: tuple[str, ...]) -> Answer:
    lines = ["Mode: NORMAL"]
    for plan in node.streams:
        lines += [
            f"Repair {plan.id}",
            f"    /{plan.peer}",
            "        Sending 1 files, 3388478 bytes total. Already sent 0 files (0.00%), 327680 bytes total (9.67%)",
        ]
    if not node.streams:
        lines.append("Not sending any streams.")
    return said(
        *lines,
        "Read Repair Statistics:",
        "Attempted: 0",
        "Mismatch (Blocking): 0",
        "Mismatch (Background): 0",
        "Pool Name                    Active   Pending      Completed   Dropped",
        "Large messages                  n/a         0              2         0",
        "Small messages                  n/a         0          30169         0",
        "Gossip messages                 n/a         0            884         0",
    )


def compactionstats(servers: SimulatedServers, node: SimulatedNode, _: tuple[str, ...]) -> Answer:
    """Of a running repair 5.0 shows nothing here: real ones did not either, most of the time."""
    if servers.dialect is Dialect.PALANTIR:
        running = [task for task in node.repair_tasks if task.command in node.repairs and task.validated < task.total]
        return said(f"pending tasks: {len(running)}", *_validations(running))
    return said(
        *table_of(
            [
                ("concurrent compactors", "2"),
                ("pending tasks", "0"),
                ("compactions completed", "49"),
                ("data compacted", "54554904"),
                ("compactions aborted", "0"),
                ("compactions reduced", "0"),
                ("sstables dropped from compaction", "0"),
                ("15 minute rate", "52.63/minute"),
                ("mean rate", "302.79/hour"),
                ("compaction throughput (MiB/s)", "64.0"),
            ]
        )
    )


def _validations(tasks: Sequence[RepairTask]) -> list[str]:
    if not tasks:
        return []
    names = ("id", "compaction type", "keyspace", "table", "completed", "total", "unit", "progress")
    rows = [
        (
            task.id,
            "Validation",
            task.keyspace,
            task.table,
            str(task.validated),
            str(task.total),
            "bytes",
            f"{100 * task.validated / task.total:.2f}%",
        )
        for task in tasks
    ]
    widths = [max(map(len, column)) + 3 for column in zip(names, *rows, strict=True)]
    table = ["".join(word.rjust(width) for word, width in zip(row, widths, strict=True)) for row in (names, *rows)]
    return [*table, "Active compaction remaining time :   0h00m00s"]


def tpstats(servers: SimulatedServers, node: SimulatedNode, _: tuple[str, ...]) -> Answer:
    since = [(one.requests_per_second, servers.wall.time() - one.since) for one in node.ready_clients()]
    factor = 2 if servers.dialect is Dialect.PALANTIR else 1
    by_clients = factor * sum(int(rate * seconds) for rate, seconds in since)
    pools = [
        ("MutationStage", sum(store.writes for store in node.stores.values())),
        ("ReadStage", 478),
        ("RequestResponseStage", 30079),
        *((f"Repair#{number}", 1) for number in sorted(node.repairs)),
        ("CompactionExecutor", 68),
        ("GossipStage", int(servers.wall.time()) - node.generation),
        ("MigrationStage", 14),
        ("ValidationExecutor", node.validations),
        ("AntiEntropyStage", node.validations),
        ("Native-Transport-Requests", node.native_requests + by_clients),
    ]
    if servers.dialect is Dialect.PALANTIR:
        head = "Pool Name                    Active   Pending      Completed   Blocked  All time blocked"
        rows = [f"{name:25}{0:10}{0:10}{completed:15}{0:10}{0:18}" for name, completed in pools]
        return said(head, *rows, "", "Message type           Dropped", "READ                         0")
    rows = table_of(
        [
            ("Pool Name", "Active", "Pending", "Completed", "Blocked", "All time blocked"),
            *((name, "0", "0", str(completed), "0", "0") for name, completed in pools),
        ]
    )
    return said(*rows, "", "Latencies waiting in queue (micros) per dropped message types")


def tablestats(servers: SimulatedServers, node: SimulatedNode, arguments: tuple[str, ...]) -> Answer:
    """`cfstats` on 2.2. Arguments are keyspaces and keyspace.table."""
    chosen: dict[str, set[str]] = {}
    for argument in arguments or tuple(servers.keyspaces):
        keyspace, _, table = argument.partition(".")
        if keyspace not in servers.keyspaces:
            return wrong_usage(f"Unknown keyspace: {keyspace}")
        tables = servers.keyspaces[keyspace].tables
        if table and table not in tables:
            return wrong_usage(f"Unknown tables: [{table}] in keyspace: {keyspace}")
        chosen.setdefault(keyspace, set()).update([table] if table else tables)
    lines = []
    if servers.dialect is Dialect.APACHE and any(chosen.values()):
        total = sum(len(space.tables) for space in servers.keyspaces.values())
        lines = [f"Total number of tables: {total}", "----------------"]
    for keyspace, names in chosen.items():
        if names:  # nodetool goes through the tables: a keyspace without any is not printed
            lines += _keyspace_stats(servers, node, keyspace, sorted(names))
    return said(*lines)


def _keyspace_stats(servers: SimulatedServers, node: SimulatedNode, keyspace: str, tables: Iterable[str]) -> list[str]:
    writes = {name: _writes(servers, node, keyspace, name) for name in tables}
    lines = [
        f"Keyspace: {keyspace}",
        "\tRead Count: 0",
        "\tRead Latency: NaN ms",
        f"\tWrite Count: {sum(writes.values())}",
        "\tWrite Latency: 0.07 ms",
        "\tPending Flushes: 0",
    ]
    for name, count in writes.items():
        cells = len(node.store(servers.table(keyspace, name).id).cells)
        lines += [
            f"\t\tTable: {name}",
            "\t\tSSTable count: 1",
            f"\t\tSpace used (live): {50 * cells}",
            f"\t\tMemtable cell count: {cells}",
            "\t\tLocal read count: 0",
            "\t\tLocal read latency: NaN ms",
            f"\t\tLocal write count: {count}",
            "\t\tLocal write latency: 0.060 ms",
            "\t\tPending flushes: 0",
            "",
        ]
    return [*lines, "----------------"]


def _writes(servers: SimulatedServers, node: SimulatedNode, keyspace: str, table: str) -> int:
    """Those of busy clients are shown on the transactions tables, where a service writes most."""
    count = node.store(servers.table(keyspace, table).id).writes
    if table.startswith("_transactions"):
        now = servers.wall.time()
        count += sum(int(client.writes_per_second * (now - client.since)) for client in node.clients)
    return count


def clientstats(servers: SimulatedServers, node: SimulatedNode, arguments: tuple[str, ...]) -> Answer:
    if servers.dialect is Dialect.PALANTIR:
        return unexpected(["clientstats", *arguments])
    ready = [connected.client for connected in node.ready_clients()]
    lines: list[str] = []
    if "--all" in arguments and ready:
        rows: list[tuple[str, ...]] = [CLIENT_COLUMNS]
        for client in ready:
            name, _, driver_version = client.driver.rpartition(" ")
            where = f"/{client.address}:{client.port}"
            rows.append((where, "false", "undefined", "undefined", "5", client.user, "", "35", name, driver_version))
        lines += [*table_of(rows), ""]
    users = sorted({client.user for client in ready})
    counts = [(user, str(sum(client.user == user for client in ready))) for user in users]
    return said(*lines, f"Total connected clients: {len(ready)}", "", *table_of([("User", "Connections"), *counts]))
