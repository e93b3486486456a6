"""The DDL statements that the simulated servers run: keyspaces and tables made and dropped, tables truncated."""

import re
from collections.abc import Callable

from atlasdb_recovery.cassandra.ports import NotEnoughReplicas, StatementRefused
from atlasdb_recovery.practice.simulated.schema import (
    NAME,
    parsed_keyspace,
    parsed_table,
    unquoted,
)
from atlasdb_recovery.practice.simulated.servers import SimulatedServers

Statement = Callable[[SimulatedServers, re.Match[str]], None]


def run_statement(servers: SimulatedServers, statement: str) -> None:
    """Run one statement. Raises `StatementRefused`."""
    text = re.sub(r"/\*.*?\*/", "", statement, flags=re.DOTALL).strip().rstrip(";").strip()
    for pattern, run in STATEMENTS:
        if found := pattern.fullmatch(text):
            run(servers, found)
            return
    raise StatementRefused(f"The simulated servers do not know this statement: {text[:200]}")


def _create_keyspace(servers: SimulatedServers, found: re.Match[str]) -> None:
    name = unquoted(found["name"])
    if name in servers.keyspaces:
        if found["unless"]:
            return
        raise StatementRefused(f"Cannot add existing keyspace {name!r}")
    servers.keyspaces[name] = parsed_keyspace(name, found["options"])
    servers.schema_changed()


def _create_table(servers: SimulatedServers, found: re.Match[str]) -> None:
    space = servers.space(unquoted(found["keyspace"]))
    name = unquoted(found["name"])
    if name in space.tables:
        if found["unless"]:
            return
        raise StatementRefused(f"Cannot add already existing table {name!r} to keyspace {space.name!r}")
    space.tables[name] = parsed_table(name, found["options"], servers.time_id())
    servers.schema_changed()


def _drop_keyspace(servers: SimulatedServers, found: re.Match[str]) -> None:
    name = unquoted(found["name"])
    if name not in servers.keyspaces and found["if"]:
        return
    for table in servers.space(name).tables.values():
        _forget(servers, table.id)
    del servers.keyspaces[name]
    servers.schema_changed()


def _drop_table(servers: SimulatedServers, found: re.Match[str]) -> None:
    space, name = servers.space(unquoted(found["keyspace"])), unquoted(found["name"])
    if name not in space.tables and found["if"]:
        return
    _forget(servers, servers.table(space.name, name).id)
    del space.tables[name]
    servers.schema_changed()


def _truncate(servers: SimulatedServers, found: re.Match[str]) -> None:
    keyspace, name = unquoted(found["keyspace"]), unquoted(found["name"])
    if (keyspace, name) == ("system", "paxos"):
        servers.clear_paxos(servers.coordinator().address)
        return
    if not all(node.up for node in servers.nodes.values()):
        raise NotEnoughReplicas("TRUNCATE needs every node up. Nothing was truncated.")
    servers.truncate(keyspace, name)


def _forget(servers: SimulatedServers, table_id: str) -> None:
    """Rows are gone with the table. Its `system.paxos` rows and its directories stay."""
    for node in servers.nodes.values():
        node.stores.pop(table_id, None)


def _statement(pattern: str, run: Statement) -> tuple[re.Pattern[str], Statement]:
    named = NAME.replace("(", "(?P<name>", 1)
    text = pattern.replace("KEYSPACE_NAME", named).replace(
        "TABLE_NAME", NAME.replace("(", "(?P<keyspace>", 1) + r"\s*\.\s*" + named
    )
    return re.compile(text.replace(" ", r"\s+"), re.IGNORECASE | re.DOTALL), run


STATEMENTS = (
    _statement(r"CREATE KEYSPACE (?P<unless>IF NOT EXISTS )?KEYSPACE_NAME WITH (?P<options>.*)", _create_keyspace),
    _statement(
        r"CREATE (?:TABLE|COLUMNFAMILY) (?P<unless>IF NOT EXISTS )?TABLE_NAME\s*\(.*?PRIMARY KEY\s*\([^)]*\)\s*\)"
        r" WITH (?P<options>.*)",
        _create_table,
    ),
    _statement(r"DROP KEYSPACE (?P<if>IF EXISTS )?KEYSPACE_NAME", _drop_keyspace),
    _statement(r"DROP (?:TABLE|COLUMNFAMILY) (?P<if>IF EXISTS )?TABLE_NAME", _drop_table),
    _statement(r"TRUNCATE (?:TABLE )?TABLE_NAME", _truncate),
)
