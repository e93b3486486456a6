"""Cells of the transactions tables: (key, column1, column2, value) <-> (start, commit | aborted).

Three schemas (`TransactionConstants`), and only the coordination map tells which one a start timestamp belongs to:

1. `_transactions`: the commit timestamp itself (`V1EncodingStrategy`).
2. `_transactions2`: its distance from the start; the starts take turns in 16 rows (`TicketsEncodingStrategy`).
3. `_transactions2`: as 2, and a byte for the state of the two-phase commit (`TwoPhaseEncodingStrategy`).

No cell means in progress. Reading is stricter than Java's: what AtlasDB would not have written is a `MalformedCell`.
Start 0 can be read and written like Java does; AtlasDB's lowest is `LOWEST_START`.
"""

from enum import StrEnum

import msgspec

from atlasdb_recovery.atlas import varlong
from atlasdb_recovery.atlas.names import TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.atlas.ticket_cells import TicketOutOfRange, cell_of_ticket, rows_covering, ticket_of_cell
from atlasdb_recovery.atlas.varlong import HIGHEST, MalformedValue
from atlasdb_recovery.foreign import plain

__all__ = [
    "ABORT_WRITE_TIME",
    "CAS_COLUMN2",
    "LOWEST_START",
    "SET_ONCE_WRITE_TIME",
    "TRANSACTIONS",
    "TRANSACTIONS2",
    "Entry",
    "MalformedCell",
    "State",
    "UnknownSchema",
    "abort_value",
    "decode",
    "locate",
    "rows_covering",
    "start_of",
    "table_of",
    "value_of",
]

LOWEST_START = 1
CAS_COLUMN2 = -1
"""`column2` of every cell of an atomic table: they are written at Atlas timestamp 0."""
SET_ONCE_WRITE_TIME = 9223372036854775797
"""Cassandra's write time of schema-3 cells in state committed (`CellValuePutter.SET_TIMESTAMP`)."""
ABORT_WRITE_TIME = SET_ONCE_WRITE_TIME + 1
"""The lowest write time that aborts a schema-3 transaction (`Transactions3TableInteraction`)."""

DIRECT, TICKETS, TWO_PHASE = 1, 2, 3

_DIRECT_COLUMN = b"t"
_DIRECT_ABORTED = varlong.encode(-1)
_TICKETS_ABORTED = b""


class State(StrEnum):
    """How far a commit got. Only schema 3 writes it down; in schemas 1 and 2 a cell is committed."""

    STAGING = "staging"
    COMMITTED = "committed"


_SUFFIXES = {State.STAGING: b"\x00", State.COMMITTED: b"\x01"}
_STATES = {0: State.STAGING, 1: State.COMMITTED}


class MalformedCell(ValueError):
    """A cell that AtlasDB would not have written. The message is one sentence naming what is wrong."""


class UnknownSchema(MalformedCell):
    """A transactions schema other than 1, 2 and 3. AtlasDB's fourth is not in use; its cells mean something else."""


class Entry(msgspec.Struct, frozen=True):
    """What one cell says of the transaction that started at `start`; `commit` None: it was aborted."""

    schema: int
    start: int
    commit: int | None
    state: State

    @property
    def status(self) -> str:
        return "aborted" if self.commit is None else "committed"


def table_of(schema: int) -> str:
    """The table that holds this schema's cells."""
    if schema == DIRECT:
        return TRANSACTIONS
    if schema in (TICKETS, TWO_PHASE):
        return TRANSACTIONS2
    raise UnknownSchema(f"transactions schema {schema} is not one of 1, 2 and 3")


def locate(schema: int, start: int) -> tuple[bytes, bytes, int]:
    """(key, column1, column2) of the cell of the transaction that started at `start`, 0 to 2^63-1."""
    table = table_of(schema)
    if not 0 <= start <= HIGHEST:
        raise ValueError(f"start timestamp {start} is not between 0 and 2^63-1")
    if table == TRANSACTIONS:
        return varlong.encode(start), _DIRECT_COLUMN, CAS_COLUMN2
    return *cell_of_ticket(start), CAS_COLUMN2


def start_of(table: str, key: bytes, column1: bytes, column2: int) -> int:
    """The start timestamp of the cell at this place. Raises `MalformedCell` if AtlasDB has none there."""
    if column2 != CAS_COLUMN2:
        raise MalformedCell(f"column2 is {column2}; in a transactions table it is always {CAS_COLUMN2}")
    try:
        if table == TRANSACTIONS:
            return _start_of_direct(key, column1)
        if table == TRANSACTIONS2:
            return ticket_of_cell(key, column1)
    except (MalformedValue, TicketOutOfRange) as error:
        raise MalformedCell(f"key and column1 name no start timestamp: {error}") from None
    raise MalformedCell(f"{plain(table, 100)} is not a transactions table")


def _start_of_direct(key: bytes, column1: bytes) -> int:
    if column1 != _DIRECT_COLUMN:
        raise MalformedCell(f"column1 is {_shown(column1)}; {TRANSACTIONS} has only {_DIRECT_COLUMN.hex()}")
    start = varlong.decode(key)
    if start < 0:
        raise MalformedCell(f"the key is the start timestamp {start}, which is negative")
    return start


def value_of(schema: int, start: int, commit: int | None, state: State = State.COMMITTED) -> bytes:
    """What AtlasDB writes for this commit timestamp, or for an abort (None).

    ValueError for what it never writes: a commit below its start, a staging state in schemas 1 and 2.
    """
    table_of(schema)
    if schema != TWO_PHASE and state is not State.COMMITTED:
        raise ValueError(f"schema {schema} has no {state} state; only schema 3 commits in two phases")
    if commit is None:
        return {DIRECT: _DIRECT_ABORTED, TICKETS: _TICKETS_ABORTED, TWO_PHASE: _SUFFIXES[state]}[schema]
    if not 0 <= start <= commit <= HIGHEST:
        raise ValueError(f"commit timestamp {commit} does not follow start timestamp {start} within 0 and 2^63-1")
    if schema == DIRECT:
        return varlong.encode(commit)
    distance = varlong.encode(commit - start)
    return distance + _SUFFIXES[state] if schema == TWO_PHASE else distance


def abort_value(schema: int) -> bytes:
    """The value that aborts a transaction for good."""
    return value_of(schema, LOWEST_START, None)


def decode(  # noqa: PLR0917 — a cell, in the order of its columns
    schema: int, table: str, key: bytes, column1: bytes, column2: int, value: bytes
) -> Entry:
    """What the cell says, read by this schema. Raises `MalformedCell` for anything AtlasDB would not have written."""
    if table != table_of(schema):
        raise MalformedCell(f"schema {schema} is kept in {table_of(schema)}, not in {plain(table, 100)}")
    start = start_of(table, key, column1, column2)
    try:
        commit, state = _READINGS[schema](start, value)
    except MalformedValue as error:
        raise MalformedCell(f"the value holds no commit timestamp: {error}") from None
    return Entry(schema, start, commit, state)


def _read_direct(start: int, value: bytes) -> tuple[int | None, State]:
    if value == _DIRECT_ABORTED:
        return None, State.COMMITTED
    return _plausible(start, varlong.decode(value)), State.COMMITTED


def _read_tickets(start: int, value: bytes) -> tuple[int | None, State]:
    if value == _TICKETS_ABORTED:
        return None, State.COMMITTED
    return _plausible(start, start + varlong.decode(value)), State.COMMITTED


def _read_two_phase(start: int, value: bytes) -> tuple[int | None, State]:
    if not value:
        raise MalformedCell("the value is empty; in schema 3 its last byte is the state, 00 or 01")
    state = _STATES.get(value[-1])
    if state is None:
        raise MalformedCell(f"the value ends in {value[-1:].hex()}; in schema 3 its last byte is the state, 00 or 01")
    return _read_tickets(start, value[:-1])[0], state


_READINGS = {DIRECT: _read_direct, TICKETS: _read_tickets, TWO_PHASE: _read_two_phase}


def _plausible(start: int, commit: int) -> int:
    if commit < start:
        raise MalformedCell(f"commit timestamp {commit} lies below its start timestamp {start}")
    if commit > HIGHEST:
        raise MalformedCell(f"commit timestamp {commit} lies above the highest timestamp, 2^63-1")
    return commit


def _shown(data: bytes, longest: int = 20) -> str:
    """Bytes as hex for a message, cut where long."""
    return data.hex() if len(data) <= longest else f"{data[:longest].hex()}… ({len(data)} bytes)"
