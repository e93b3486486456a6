"""CQL for one cell of an AtlasDB table: what is prepared and run, and what a plan shows beforehand."""

from atlasdb_recovery.cassandra.range_statements import COLUMNS, qualified

CELL = "key = ? AND column1 = ? AND column2 = ?"
INSERT = "(key, column1, column2, value) VALUES (?, ?, ?, ?)"


def read_cell(keyspace: str, table: str) -> str:
    """Bound: key, column1, column2."""
    return f"SELECT {COLUMNS} FROM {qualified(keyspace, table)} WHERE {CELL}"  # noqa: S608 — names are quoted


def put_cell(keyspace: str, table: str) -> str:
    """A plain write. Bound: key, column1, column2, value, write time."""
    return f"INSERT INTO {qualified(keyspace, table)} {INSERT} USING TIMESTAMP ?"


def delete_cell(keyspace: str, table: str) -> str:
    """A plain delete. Bound: write time, key, column1, column2."""
    return f"DELETE FROM {qualified(keyspace, table)} USING TIMESTAMP ? WHERE {CELL}"  # noqa: S608


def put_cell_unless_exists(keyspace: str, table: str) -> str:
    """A conditional write. Bound: key, column1, column2, value."""
    return f"INSERT INTO {qualified(keyspace, table)} {INSERT} IF NOT EXISTS"


def update_cell_if(keyspace: str, table: str) -> str:
    """A conditional write. Bound: new value, key, column1, column2, the value expected there."""
    return f"UPDATE {qualified(keyspace, table)} SET value = ? WHERE {CELL} IF value = ?"  # noqa: S608


def written_out(statement: str, *values: bytes | int) -> str:
    """The statement with its values in place, as it could be run by hand in cqlsh."""
    pieces = statement.split("?")
    if len(pieces) != len(values) + 1:
        raise ValueError(f"{len(values)} values for {len(pieces) - 1} places in {statement}")
    shown = (f"0x{value.hex()}" if isinstance(value, bytes) else str(value) for value in values)
    return "".join(piece + value for piece, value in zip(pieces, (*shown, ""), strict=True))
