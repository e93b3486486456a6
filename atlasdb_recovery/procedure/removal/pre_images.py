"""The export: every cell as it was before it was removed, outside the cluster, fsynced before anything changes.

JSON Lines: a header, one line a cell, a footer with the count and the digest. Bytes are lower-case hex.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from atlasdb_recovery.cassandra.ports import Cell
from atlasdb_recovery.procedure.removal.findings import Found

FORMAT = 1


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
    """The header of a complete export (the footer is checked too)."""
    records = _records(path)
    first = next(records, None)
    if not isinstance(first, Header):
        raise MalformedExport(f"{path}, line 1: not the header of an export. Give the pre-image export of a restore.")
    for _ in records:
        pass
    return first


def pre_images(path: Path) -> Iterator[PreImage]:
    """Every cell of a complete export, in file order, at constant memory."""
    for record in _records(path):
        if isinstance(record, PreImage):
            yield record


def _records(path: Path) -> Iterator[Header | PreImage | Footer]:
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Header | PreImage | Footer)
    count, ended = 0, False
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                record = decoder.decode(line)
                if isinstance(record, PreImage):
                    _ = record.found
            except (msgspec.DecodeError, ValueError) as error:
                raise MalformedExport(f"{path}, line {number}: {error}. Use the file as it was written.") from error
            if ended:
                raise MalformedExport(f"{path}, line {number}: something follows the end record.")
            count += isinstance(record, PreImage)
            if isinstance(record, Footer):
                ended = True
                if record.count != count:
                    raise MalformedExport(
                        f"{path}, line {number}: {count} cells, but the end record says {record.count}."
                    )
            yield record
    if not ended:
        raise MalformedExport(f"{path}: the end record is missing: the export was never finished or has been cut.")
