"""The CQL that reads the cells of a token range, in token order."""

from typing import NamedTuple

from atlasdb_recovery.cassandra.ring import token_value

COLUMNS = "key, column1, column2, value, WRITETIME(value)"
Between = tuple[bytes, bytes] | None


class Statement(NamedTuple):
    """CQL and what is bound in it."""

    cql: str
    values: tuple[object, ...]


def qualified(keyspace: str, table: str) -> str:
    """A table's name in CQL. Always quoted: AtlasDB's keyspaces may hold capitals and dashes."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in (keyspace, table))


def range_statement(
    keyspace: str, table: str, start: str, end: str, *, family: str, value_between: Between
) -> Statement:
    """(start, end], which must not wrap; "" is the open end of the ring at either side."""
    bounds = [("token(key) > ?", start), ("token(key) <= ?", end)]
    where = [condition for condition, token in bounds if token]
    values: list[object] = [token_value(token, family) for _, token in bounds if token]
    filtering = ""
    if value_between is not None:
        where += ["value > ?", "value < ?"]
        values += value_between
        filtering = " ALLOW FILTERING"
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return Statement(f"SELECT {COLUMNS} FROM {qualified(keyspace, table)}{condition}{filtering}", tuple(values))  # noqa: S608


def partition_statement(
    keyspace: str, table: str, key: bytes, after: tuple[bytes, int], until: bytes | None
) -> Statement:
    """The cells of a partition after a (column1, column2), up to a column1 (None: to its end), in clustering order."""
    upper = "" if until is None else " AND (column1) <= (?)"
    return Statement(
        f"SELECT {COLUMNS} FROM {qualified(keyspace, table)} WHERE key = ? AND (column1, column2) > (?, ?){upper}",  # noqa: S608
        (key, *after, *(() if until is None else (until,))),
    )
