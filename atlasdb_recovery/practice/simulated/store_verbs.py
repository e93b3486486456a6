"""nodetool's verbs that deal with files: snapshot, listsnapshots, clearsnapshot, refresh, import, flush."""

from pathlib import Path

from atlasdb_recovery.practice.simulated.answer import (
    Answer,
    binary_size,
    refused,
    said,
    table_of,
    unexpected,
    wrong_usage,
)
from atlasdb_recovery.practice.simulated.dialect import Dialect
from atlasdb_recovery.practice.simulated.files import SnapshotExists, StoreFileRefused
from atlasdb_recovery.practice.simulated.node import SimulatedNode
from atlasdb_recovery.practice.simulated.schema import SimulatedTable
from atlasdb_recovery.practice.simulated.servers import SimulatedServers

IMPORT_FLAGS = frozenset({"-p", "--copy-data", "-t", "--no-tokens", "-q", "--quick", "-v", "--no-verify", "-l"})


def snapshot(servers: SimulatedServers, node: SimulatedNode, arguments: tuple[str, ...]) -> Answer:
    """`snapshot -t TAG [-cf TABLE] [-kt KEYSPACE.TABLE,…] [KEYSPACE …]`."""
    servers.faults.reached("snapshot")
    options, names = _parsed(arguments, {"-t", "--tag", "-cf", "--column-family", "--table", "-kt", "--kt-list"})
    tag = options.get("-t") or options.get("--tag") or str(int(servers.wall.time() * 1000))
    one_table = options.get("-cf") or options.get("--table")
    pairs = (options.get("-kt") or options.get("--kt-list") or "").split(",")
    asked = ", ".join(names or [pair for pair in pairs if pair]) or "all keyspaces"
    tail = " and options {skipFlush=false}" if servers.dialect is Dialect.APACHE else ""
    requested = f"Requested creating snapshot(s) for [{asked}] with snapshot name [{tag}]{tail}"
    wanted: list[tuple[str, SimulatedTable]] = []
    for name in names or (list(servers.keyspaces) if not pairs[0] else []):
        if (space := servers.keyspaces.get(name)) is None:
            missing = f"Keyspace {name} does not exist"
            if servers.dialect is Dialect.PALANTIR:
                return refused(missing, "java.io.IOException", requested)
            return wrong_usage(missing, requested)
        wanted += [(name, table) for table in space.tables.values() if one_table in {None, table.name}]
    for pair in filter(None, pairs):
        keyspace, _, table_name = pair.partition(".")
        if (found := _table(servers, keyspace, table_name)) is None:
            return wrong_usage(f"Unknown keyspace/cf pair ({pair})", requested)
        wanted.append((keyspace, found))
    try:
        for keyspace, table in wanted:
            servers.files.snapshot(node, keyspace, table, tag)
    except SnapshotExists as error:
        return refused(str(error), "java.io.IOException", requested)
    return said(requested, f"Snapshot directory: {tag}")


def listsnapshots(servers: SimulatedServers, node: SimulatedNode, _: tuple[str, ...]) -> Answer:
    old = servers.dialect is Dialect.PALANTIR
    rows = [
        (tag, keyspace, table, *(binary_size(size, dialect_2_2=old),) * 2)
        for tag, keyspace, table, size in servers.files.snapshots(node.address)
    ]
    if not rows:
        return said("Snapshot Details: ", "There are no snapshots")
    head = ("Snapshot name", "Keyspace name", "Column family name", "True size", "Size on disk")
    if old:
        widths = (20, 29, 29, 19, 19)
        lines = ["".join(field.ljust(width) for field, width in zip(row, widths, strict=True)) for row in (head, *rows)]
    else:
        created = "2026-11-23T02:28:39.475Z"
        lines = table_of([(*head, "Creation time", "Expiration time"), *((*row, created, "") for row in rows)])
    return said("Snapshot Details: ", *lines, "", "Total TrueDiskSpaceUsed: 0 bytes", "")


def clearsnapshot(servers: SimulatedServers, node: SimulatedNode, arguments: tuple[str, ...]) -> Answer:
    """Without a tag, 2.2 removes everything and 5.0 refuses."""
    options, names = _parsed(arguments, {"-t", "--tag"})
    tag = options.get("-t") or options.get("--tag")
    if tag is None and "--all" not in names and servers.dialect is Dialect.APACHE:
        return wrong_usage("Specify snapshot name or --all")
    keyspaces = frozenset(names) - {"--all"}
    servers.files.clear_snapshots(node.address, tag, keyspaces)
    asked = ", ".join(sorted(keyspaces)) or "all keyspaces"
    named = f" with snapshot name [{tag}]" if tag else ""
    return said(f"Requested clearing snapshot(s) for [{asked}]{named}")


def refresh(servers: SimulatedServers, node: SimulatedNode, arguments: tuple[str, ...]) -> Answer:
    servers.faults.reached("refresh")
    deprecated = ("nodetool refresh is deprecated, use nodetool import instead",)
    before = deprecated if servers.dialect is Dialect.APACHE else ()
    keyspace, name = _two(arguments)
    if (table := _table(servers, keyspace, name)) is None:
        return wrong_usage(f"Unknown keyspace/cf pair ({keyspace}.{name})", *before)
    try:
        servers.files.refresh(node, keyspace, table)
    except StoreFileRefused as error:
        return refused(str(error), "java.lang.RuntimeException", *before)
    return said(*before)


def import_files(servers: SimulatedServers, node: SimulatedNode, arguments: tuple[str, ...]) -> Answer:
    """`import [-p] [--no-tokens] KEYSPACE TABLE DIRECTORY…`, 4.0 and later."""
    servers.faults.reached("import")
    if servers.dialect is Dialect.PALANTIR:
        return unexpected(["import", *arguments])
    flags = IMPORT_FLAGS.intersection(arguments)
    keyspace, name, *directories = [one for one in arguments if one not in IMPORT_FLAGS and one != "--"]
    if (table := _table(servers, keyspace, name)) is None:
        return Answer(stderr=(f"ColumnFamilyStore for {keyspace}/{name} not found.",), exit_code=1)
    for directory in directories:
        if not Path(directory).is_dir():
            return refused(f"Directory {directory} does not exist", "java.lang.RuntimeException")
    failed = []
    for directory in directories:
        try:
            servers.files.take_in_directory(
                node,
                keyspace,
                table,
                Path(directory),
                copy=bool(flags & {"-p", "--copy-data"}),
                any_token=bool(flags & {"-t", "--no-tokens"}),
            )
        except StoreFileRefused:
            failed.append(directory)
    if failed:
        head = "Some directories failed to import, check server logs for details:"
        return Answer(stderr=(head, *failed), exit_code=1)
    return said()


def flush(servers: SimulatedServers, node: SimulatedNode, arguments: tuple[str, ...]) -> Answer:
    for keyspace in arguments[:1] or tuple(servers.keyspaces):
        if keyspace not in servers.keyspaces:
            return wrong_usage(f"Keyspace [{keyspace}] does not exist.")
        tables = servers.keyspaces[keyspace].tables
        for name in arguments[1:] or tuple(tables):
            if name not in tables:
                message = f"Unknown keyspace/cf pair ({keyspace}.{name})"
                return refused(message, "java.lang.IllegalArgumentException")
            servers.files.flush(node, keyspace, tables[name])
    return said()


def autocompaction(_: SimulatedServers, __: SimulatedNode, ___: tuple[str, ...]) -> Answer:
    """`disableautocompaction` and `enableautocompaction`: nothing is ever compacted here."""
    return said()


def _parsed(arguments: tuple[str, ...], with_value: set[str]) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    names = []
    words = iter(arguments)
    for word in words:
        if word in with_value:
            options[word] = next(words, "")
        elif word != "--":
            names.append(word)
    return options, names


def _two(arguments: tuple[str, ...]) -> tuple[str, str]:
    words = [word for word in arguments if word != "--"]
    return (words[0] if words else "", words[1] if len(words) > 1 else "")


def _table(servers: SimulatedServers, keyspace: str, name: str) -> SimulatedTable | None:
    space = servers.keyspaces.get(keyspace)
    return None if space is None else space.tables.get(name)
