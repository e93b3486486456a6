"""Keyspaces and tables of the simulated servers, and the few DDL statements they understand."""

import hashlib
import re
import uuid
from collections.abc import Mapping

import msgspec

from atlasdb_recovery.cassandra.ports import Keyspace, StatementRefused, Table

NAME = r'("(?:[^"]|"")+"|\w+)'
_ID = re.compile(r"(\bAND\s+)?\bID\s*=\s*'?([0-9a-fA-F-]{36})'?(\s+AND\b)?", re.IGNORECASE)
_REPLICATION = re.compile(r"replication\s*=\s*\{([^}]*)\}", re.IGNORECASE)
_DURABLE = re.compile(r"durable_writes\s*=\s*(true|false)", re.IGNORECASE)


class SimulatedTable(msgspec.Struct):
    name: str
    id: str
    options: str
    """What follows WITH, without the id."""

    def create(self, keyspace: str) -> str:
        return (
            f'CREATE TABLE {quoted(keyspace)}."{self.name}" (\n    key blob,\n    column1 blob,\n    column2 bigint,\n'
            f"    value blob,\n    PRIMARY KEY (key, column1, column2)\n) WITH {self.options};"
        )


class SimulatedKeyspace(msgspec.Struct):
    name: str
    replication: dict[str, str]
    durable_writes: bool
    tables: dict[str, SimulatedTable]

    @property
    def create(self) -> str:
        options = ", ".join(f"'{name}': '{value}'" for name, value in self.replication.items())
        durable = str(self.durable_writes).lower()
        return f"CREATE KEYSPACE {quoted(self.name)} WITH replication = {{{options}}}  AND durable_writes = {durable};"

    def described(self) -> Keyspace:
        return Keyspace(
            name=self.name,
            replication=dict(self.replication),
            durable_writes=self.durable_writes,
            create=self.create,
            tables={
                name: Table(name=name, id=table.id, create=table.create(self.name))
                for name, table in self.tables.items()
            },
        )


def quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'


def unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def version_of(keyspaces: Mapping[str, SimulatedKeyspace]) -> str:
    """The schema version: a digest of the schema, so the same schema has the same version."""
    text = "\n".join(
        f"{space.create}{table.id}{table.create(space.name)}"
        for _, space in sorted(keyspaces.items())
        for _, table in sorted(space.tables.items())
    ) + ",".join(sorted(keyspaces))
    return str(uuid.UUID(bytes=hashlib.md5(text.encode(), usedforsecurity=False).digest(), version=3))


def parsed_keyspace(name: str, options: str) -> SimulatedKeyspace:
    found = _REPLICATION.search(options)
    if not found:
        raise StatementRefused("Missing mandatory replication strategy class")
    replication = dict(re.findall(r"'([^']+)'\s*:\s*'?([\w.]+)'?", found[1]))
    if "class" not in replication:
        raise StatementRefused("Missing mandatory replication strategy class")
    durable = _DURABLE.search(options)
    return SimulatedKeyspace(
        name=name,
        replication=replication,
        durable_writes=durable is None or durable[1].lower() == "true",
        tables={},
    )


def parsed_table(name: str, options: str, new_id: str) -> SimulatedTable:
    """`new_id` is used unless the options give one."""
    given = _ID.search(options)
    without = _ID.sub(lambda found: "AND" if found[1] and found[3] else "", options).strip()
    without = re.sub(r"\s+AND\s*$|^AND\s+", "", without, flags=re.IGNORECASE).strip()
    return SimulatedTable(name=name, id=given[2].lower() if given else new_id, options=without or "COMPACT STORAGE")
