"""The export of what is removed: whole, durable and checked before a single cell goes back."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.cassandra.ports import Cell
from atlasdb_recovery.procedure.removal.findings import Digest, Found
from atlasdb_recovery.procedure.removal.pre_images import (
    ExportWriter,
    Header,
    MalformedExport,
    header_of,
    pre_image,
    pre_images,
)
from tests.procedure.removal.tables import FIRST_OF_2, FIRST_OF_3, MAP

HEADER = Header(
    session="r-1", cluster="practice", keyspace="orders", after=10, removal="delete", timestamp_row={"74": ["0f", 3]}
)


def found(start: int, commit: int, write_time: int | None = 1_795_400_000_000_000) -> Found:
    schema = MAP.schema_at(start) or 1
    cell = Cell(*transactions.locate(schema, start), transactions.value_of(schema, start, commit), write_time)
    return Found(transactions.table_of(schema), schema, start, commit, "committed", cell)


SOME = [found(20, 25), found(FIRST_OF_2 + 3, FIRST_OF_2 + 9), found(FIRST_OF_3 + 3, FIRST_OF_3 + 4, 2**63 - 11)]


def export(path: Path, items: list[Found] = SOME) -> Path:
    writer, digest = ExportWriter(path, HEADER), Digest()
    for item in items:
        writer.add(item)
        digest.add(item)
    writer.seal(len(items), str(digest))
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = export(tmp_path / "exports" / "one.jsonl")
    assert header_of(path) == HEADER
    assert [image.found for image in pre_images(path)] == SOME


def test_an_export_of_nothing(tmp_path: Path) -> None:
    assert list(pre_images(export(tmp_path / "none.jsonl", []))) == []


def test_an_export_never_goes_over_another(tmp_path: Path) -> None:
    path = export(tmp_path / "one.jsonl")
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        ExportWriter(path, HEADER)
    assert path.read_bytes() == before


def test_a_cell_without_its_write_time_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the write time of start 20 was not read"):
        pre_image(found(20, 25, None))


def lines_changed(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))

    return damage


def field_changed(line: int, **changes: object) -> Callable[[Path], None]:
    def change(lines: list[bytes]) -> list[bytes]:
        lines[line - 1] = json.dumps({**json.loads(lines[line - 1]), **changes}).encode() + b"\n"
        return lines

    return lines_changed(change)


def written(content: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.write_bytes(content)

    return damage


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "empty": (written(b""), "line 0: the end record is missing"),
    "cut after a line": (lines_changed(lambda lines: lines[:-1]), "line 4: the end record is missing"),
    "cut in a line": (cut, "line 5: "),
    "not an export": (written(b"12\n"), "line 1: "),
    "not text": (written(b"\x00\xff\n"), "line 1: "),
    "no header": (lines_changed(lambda lines: lines[1:]), "line 1: not the header of an export"),
    "two headers": (lines_changed(lambda lines: [lines[0], *lines]), "line 2: a second header"),
    "a newer format": (field_changed(1, format=2), "line 1: format 2 of exports is not known"),
    "a cell taken out": (
        lines_changed(lambda lines: lines[:2] + lines[3:]),
        "line 4: 2 cells, but the end record says 3",
    ),
    "a cell twice": (
        lines_changed(lambda lines: [*lines[:2], *lines[1:]]),
        "line 6: 4 cells, but the end record says 3",
    ),
    "something after the end": (lines_changed(lambda lines: [*lines, lines[1]]), "line 6: something follows the end"),
    "a value changed": (field_changed(2, value="9a", commit=26), "line 2: "),
    "a plausible cell changed": (field_changed(2, value="1a", commit=26), "line 5: the cells are not the ones"),
    "another write time": (field_changed(3, write_time=5), "line 5: the cells are not the ones"),
    "a start that is not the key's": (field_changed(2, start=21), "line 2: the cell is of start 20"),
    "a schema that does not fit": (field_changed(2, schema=2), "line 2: schema 2 is kept in _transactions2"),
    "a schema there is not": (field_changed(2, schema=4), "line 2: "),
    "a state that is not the value's": (field_changed(4, state="staging"), "line 4: the cell is of start"),
    "a table that is none": (field_changed(2, table="shop__accounts"), "line 2: "),
    "a column that is none": (field_changed(2, column2=0), "line 2: column2 is 0"),
    "a key that is not hexadecimal": (field_changed(2, key="zz"), "line 2: non-hexadecimal"),
    "a write time that is none": (field_changed(2, write_time=-5), "line 2: "),
    "a number that is a text": (field_changed(2, commit="25"), "line 2: "),
    "a field missing": (
        lines_changed(lambda lines: [lines[0], b'{"record":"cell","table":"_transactions"}\n', *lines[2:]]),
        "line 2: ",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_export_is_named_with_line_and_remedy_before_any_of_it_is_used(tmp_path: Path, name: str) -> None:
    path = export(tmp_path / "one.jsonl")
    damage, message = DAMAGE[name]
    damage(path)
    with pytest.raises(MalformedExport) as error:
        header_of(path)
    assert str(error.value).startswith(f"{path}, {message}"), error.value
    assert str(error.value).endswith(
        "Give the pre-image export of a removal, as it was written and whole; nothing was changed."
    )


def test_reading_takes_the_same_memory_however_long_it_is(tmp_path: Path) -> None:
    peaks = []
    for number, count in enumerate((500, 5_000)):
        path = export(tmp_path / f"{number}.jsonl", [found(start, start + 5) for start in range(1, count + 1)])
        tracemalloc.start()
        assert sum(1 for _ in pre_images(path)) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 50_000, peaks
