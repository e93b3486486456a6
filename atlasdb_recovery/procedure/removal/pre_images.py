"""The export: every cell as it was before it was removed, outside the cluster, fsynced before anything changes.

JSON Lines: a header, one line a cell, a footer with the count and the digest. Bytes are lower-case hex.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.cassandra.ports import Cell
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.journal.sessions import CLEAN, procedure_of
from atlasdb_recovery.procedure.removal.findings import Digest, Found
from atlasdb_recovery.procedure.removal.remover import HIGHEST_WRITE_TIME

FORMAT = 1
REMEDY = "Give the pre-image export of a removal, as it was written and whole; nothing was changed."


class MalformedExport(ValueError):
    """The file is not a complete export. Names file, line, what is wrong and what to do."""


class Header(msgspec.Struct, frozen=True, kw_only=True, tag="pre-images", tag_field="record"):
    format: int = FORMAT
    session: str
    cluster: str
    keyspace: str
    after: int
    removal: str
    timestamp_row: dict[str, Any] = {}
    """The timestamp bound's row at that time: once it has changed, the export must not go back."""

    @property
    def has_journal(self) -> bool:
        """Whether it was made by a session, which goes on later; AtlasDB's own line keeps no journal."""
        return procedure_of(self.session) != CLEAN


class PreImage(msgspec.Struct, frozen=True, kw_only=True, tag="cell", tag_field="record"):
    table: str
    schema: int
    start: int
    commit: int
    state: str
    key: str
    column1: str
    column2: int
    value: str
    write_time: int

    @property
    def found(self) -> Found:
        cell = Cell(
            bytes.fromhex(self.key),
            bytes.fromhex(self.column1),
            self.column2,
            bytes.fromhex(self.value),
            self.write_time,
        )
        return Found(self.table, self.schema, self.start, self.commit, self.state, cell)


class Footer(msgspec.Struct, frozen=True, kw_only=True, tag="end", tag_field="record"):
    count: int
    digest: str


def pre_image(found: Found) -> PreImage:
    cell = found.cell
    if cell.write_time is None:
        raise ValueError(f"the write time of start {found.start} was not read")
    return PreImage(
        table=found.table,
        schema=found.schema,
        start=found.start,
        commit=found.commit,
        state=found.state,
        key=cell.key.hex(),
        column1=cell.column1.hex(),
        column2=cell.column2,
        value=cell.value.hex(),
        write_time=cell.write_time,
    )


class ExportWriter:
    """Writes one export. It is an export only after `seal`: footer, fsync of the file and of its directory."""

    def __init__(self, path: Path, header: Header) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("xb")
        self._write(header)

    def add(self, found: Found) -> None:
        self._write(pre_image(found))

    def seal(self, count: int, digest: str) -> None:
        self._write(Footer(count=count, digest=digest))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def close(self) -> None:
        self._file.close()

    def _write(self, record: Header | PreImage | Footer) -> None:
        self._file.write(msgspec.json.encode(record) + b"\n")


def header_of(path: Path) -> Header:
    """The header of a complete and unchanged export: all of it is read for that."""
    header, *_ = (record for record in _records(path) if isinstance(record, Header))
    return header


def pre_images(path: Path) -> Iterator[PreImage]:
    """Every cell of an export, in file order, at constant memory; raises `MalformedExport` where it is damaged."""
    for record in _records(path):
        if isinstance(record, PreImage):
            yield record


def _records(path: Path) -> Iterator[Header | PreImage | Footer]:
    decoder: msgspec.json.Decoder[Header | PreImage | Footer] = msgspec.json.Decoder(Header | PreImage | Footer)
    seen, number, is_ended = Digest(), 0, False
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                record = decoder.decode(line)
                _require_place(record, number, is_ended=is_ended)
                if isinstance(record, PreImage):
                    seen.add(record.found)
                    _require_cell(record)
                elif isinstance(record, Footer):
                    _require_whole(record, seen)
            except ValueError as error:  # msgspec's, hexadecimal's, a cell's, ours
                raise MalformedExport(f"{path}, line {number}: {plain(str(error))}. {REMEDY}") from error
            is_ended = isinstance(record, Footer)
            yield record
    if not is_ended:
        what = "the end record is missing: the export was never finished or has been cut"
        raise MalformedExport(f"{path}, line {number}: {what}. {REMEDY}")


def _require_place(record: Header | PreImage | Footer, number: int, *, is_ended: bool) -> None:
    if is_ended:
        raise ValueError("something follows the end record")
    if isinstance(record, Header) != (number == 1):
        raise ValueError("not the header of an export" if number == 1 else "a second header")
    if isinstance(record, Header) and record.format != FORMAT:
        raise ValueError(f"format {record.format} of exports is not known, only {FORMAT}")


def _require_cell(record: PreImage) -> None:
    """The cell must say itself what the line says of it, or it would go back as something else."""
    cell = record.found.cell
    entry = transactions.decode(record.schema, record.table, cell.key, cell.column1, cell.column2, cell.value)
    if (entry.start, entry.commit, str(entry.state)) != (record.start, record.commit, record.state):
        raise ValueError(f"the cell is of start {entry.start}, commit {entry.commit}, {entry.state}")
    if not 0 <= record.write_time <= HIGHEST_WRITE_TIME:
        raise ValueError(f"write time {record.write_time} is none that Cassandra has")


def _require_whole(footer: Footer, seen: Digest) -> None:
    if footer.count != seen.count:
        raise ValueError(f"{seen.count} cells, but the end record says {footer.count}")
    if footer.digest != str(seen):
        raise ValueError("the cells are not the ones that were written: the digest in the end record is another")
