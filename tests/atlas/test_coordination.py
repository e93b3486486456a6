"""Which schema a start timestamp has: Java's vectors, real rows, the state file in both spellings, every refusal."""

import base64
import itertools
import json
import random
from typing import Any

import pytest

from atlasdb_recovery.atlas import coordination, schema_metadata, varlong
from atlasdb_recovery.atlas.coordination import (
    EVERYTHING_SCHEMA_1,
    CoordinationValueMissing,
    MalformedCoordination,
    SchemaMap,
    SchemaRange,
)
from tests import vectors
from tests.atlas.numbers import COUNTS, timestamps

Cell = tuple[bytes, int, bytes]


def cells(rows: list[dict[str, Any]]) -> list[Cell]:
    return [(bytes.fromhex(row["column1"]), row["column2"], bytes.fromhex(row["value"])) for row in rows]


def long_range(
    lower: int | None, upper: int | None = None, types: tuple[str, str] = ("CLOSED", "OPEN")
) -> dict[str, Any]:
    ends: dict[str, Any] = {}
    if lower is not None:
        ends |= {"lowerEndpoint": lower, "lowerBoundType": types[0]}
    if upper is not None:
        ends |= {"upperEndpoint": upper, "upperBoundType": types[1]}
    return ends


def metadata(*ranges: tuple[dict[str, Any], int]) -> dict[str, Any]:
    mappings = [{"longRange": ends, "value": schema} for ends, schema in ranges]
    return {"timestampToTransactionsTableSchemaVersion": {"timestampMappings": mappings}}


def pointer(sequence: Any = 7, bound: Any = 5_000_007) -> Cell:
    return b"\x00", -1, json.dumps({"sequence": sequence, "bound": bound}).encode()


def value(payload: Any, sequence: int = 7, version: int = 1) -> Cell:
    encoded = base64.b64encode(json.dumps(payload).encode()).decode()
    return varlong.encode(sequence), -1, json.dumps({"payload": encoded, "version": version}).encode()


def read(*ranges: tuple[dict[str, Any], int]) -> SchemaMap:
    return coordination.read_rows([pointer(), value(metadata(*ranges))])


def test_every_vector_answers_like_a_fresh_java_reader() -> None:
    computed = vectors.lines("coordination")
    assert len(computed) == 34
    for line in computed:
        schema_map = coordination.read_rows(cells(line["rows"]))
        assert schema_map.bound == line["bound"]
        for start, schema in line["expected_versions"]:
            assert schema_map.schema_at(start) == schema
        if "map_lower_bounds" in line:
            assert [[part.lower, part.schema] for part in schema_map.ranges] == line["map_lower_bounds"]
        for order in itertools.islice(itertools.permutations(line["rows"]), 6):
            assert coordination.read_rows(cells(list(order))) == schema_map


def test_what_is_written_is_byte_for_byte_what_java_wrote_for_the_same_order_of_ranges() -> None:
    same_order = 0
    for line in vectors.lines("coordination"):
        schema_map = coordination.read_rows(cells(line["rows"]))
        written_by_java = {column: content for column, _, content in cells(line["rows"])}
        sequence = json.loads(written_by_java[b"\x00"])["sequence"]
        written = coordination.cells_of(schema_map, sequence)
        assert coordination.read_rows(written) == schema_map
        (pointer_column, _, pointer_content), (value_column, _, value_content) = written
        assert written_by_java[pointer_column] == pointer_content
        same_order += written_by_java[value_column] == value_content
    assert same_order == 13


def test_the_real_coordination_row_has_the_schemas_that_were_installed() -> None:
    real = vectors.document("real-atlasdb-rows")
    schema_map = coordination.read_rows(cells(real["tables"]["_coordination"]))
    assert schema_map == SchemaMap(
        (SchemaRange(1, 5010013, 1), SchemaRange(5010013, 10010195, 2), SchemaRange(10010195, None, 3)), 15010377
    )
    for event in real["events"]:
        if event["event"] == "version_check":
            assert schema_map.schema_at(event["timestamp"]) == event["version"]


def test_bound_types_are_honoured_at_both_ends() -> None:
    expected = SchemaMap((SchemaRange(1, 11, 1), SchemaRange(11, None, 2)), 5_000_007)
    for lower, upper, next_lower in itertools.product(
        (long_range(1), long_range(0, types=("OPEN", "OPEN"))),
        ({"upperEndpoint": 10, "upperBoundType": "CLOSED"}, {"upperEndpoint": 11, "upperBoundType": "OPEN"}),
        (long_range(11), long_range(10, types=("OPEN", "OPEN"))),
    ):
        assert read((next_lower, 2), (lower | upper, 1)) == expected


def test_neighbours_with_the_same_schema_become_one() -> None:
    schema_map = read((long_range(5, 9), 2), (long_range(1, 5), 2), (long_range(9), 3))
    assert schema_map.ranges == (SchemaRange(1, 9, 2), SchemaRange(9, None, 3))


@pytest.mark.parametrize(
    ("ranges", "reason"),
    [
        ([], "says nothing of start timestamps from 1 on"),
        ([(long_range(2), 1)], "says nothing of start timestamps from 1 to 1"),
        ([(long_range(0), 1)], "starts below 1"),
        ([(long_range(None), 1)], "no lower end"),
        ([(long_range(1, 10), 1)], "from 10 on"),
        ([(long_range(1, 10), 1), (long_range(12), 2)], "from 10 to 11"),
        ([(long_range(1, 10), 1), (long_range(9), 2)], "overlaps"),
        ([(long_range(1), 1), (long_range(9), 1)], "overlaps"),
        ([(long_range(1), 1), (long_range(1), 2)], "overlaps"),
        ([(long_range(1, 5), 1), (long_range(5, 5), 2), (long_range(5), 3)], "empty"),
        ([(long_range(1, 5), 1), (long_range(5, 5), 1), (long_range(5), 1)], "empty"),
        ([(long_range(1, 10, ("CLOSED", "CLOSED")), 1), (long_range(10), 2)], "overlaps"),
        ([(long_range(1, 10, ("CLOSED", "HALF")), 1), (long_range(10), 2)], "missing or unknown"),
        ([({"lowerEndpoint": 1}, 1)], "missing or unknown"),
        ([({"lowerEndpoint": True, "lowerBoundType": "CLOSED"}, 1)], "cannot be read"),
        ([(long_range(1) | {"middle": 5}, 1)], "cannot be read"),
        ([(long_range(1), 4)], "schema 4, and only 1, 2 and 3"),
        ([(long_range(1), 0)], "schema 0"),
        ([(long_range(1), "2")], "cannot be read"),
    ],
)
def test_maps_that_do_not_cover_every_start_timestamp_once_are_refused(ranges: Any, reason: str) -> None:
    with pytest.raises(MalformedCoordination, match=reason):
        read(*ranges)


GOOD = value(metadata((long_range(1), 2)))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([pointer(sequence=0), GOOD], "sequence 0"),
        ([pointer(sequence=2**63), GOOD], "sequence 9223372036854775808"),
        ([pointer(bound=0), GOOD], "valid up to 0"),
        ([pointer(bound=-1), GOOD], "valid up to -1"),
        ([pointer(bound="5"), GOOD], "the pointer of `_coordination` cannot be read"),
        ([pointer(bound=None), GOOD], "the pointer of `_coordination` cannot be read"),
        ([(b"\x00", -1, b'{"sequence":7'), GOOD], "the pointer of `_coordination` cannot be read"),
        ([(b"\x00", -1, b""), GOOD], "the pointer of `_coordination` cannot be read"),
        ([(b"\x00", -1, b"\xff\xfe"), GOOD], "the pointer of `_coordination` cannot be read"),
        ([(b"\x00", -1, b'{"sequence":7,"bound":9,"epoch":1}'), GOOD], "the pointer"),
        ([pointer(), value(metadata((long_range(1), 2)), version=2)], "format version 2"),
        ([pointer(), (b"\x07", -1, b'{"version":1,"payload":"!!"}')], "not base64"),
        ([pointer(), (b"\x07", -1, b'{"version":1,"payload":"bm8="}')], "the payload of `_coordination` cannot be"),
        ([pointer(), (b"\x07", -1, b'{"version":1}')], "the value of `_coordination` cannot be read"),
        ([pointer(), value({"other": 1})], "the payload of `_coordination` cannot be read"),
        ([(b"\x00", 0, pointer()[2]), GOOD], "column2 0"),
        ([pointer(), (b"\x07", -2, GOOD[2])], "column2 -2"),
        ([GOOD], "no pointer"),
    ],
)
def test_rows_that_atlasdb_does_not_write_are_refused(row: list[Cell], reason: str) -> None:
    with pytest.raises(MalformedCoordination, match=reason):
        coordination.read_rows(row)


@pytest.mark.parametrize("others", [[], [value(metadata((long_range(1), 1)), sequence=6)]])
def test_a_pointer_without_its_value_is_told_apart(others: list[Cell]) -> None:
    with pytest.raises(CoordinationValueMissing, match="points at value 7"):
        coordination.read_rows([pointer(), *others])


def test_values_that_the_pointer_does_not_name_do_not_count() -> None:
    orphan = varlong.encode(8), -1, b"anything"
    older = value(metadata((long_range(1), 1)), sequence=3)
    assert coordination.read_rows([older, orphan, pointer(), GOOD]).schemas() == {2}


@pytest.mark.parametrize("row", [[], [value(metadata((long_range(1), 1)), sequence=3)]])
def test_a_row_without_a_pointer_means_schema_1_for_everything(row: list[Cell]) -> None:
    assert coordination.read_rows(row) is EVERYTHING_SCHEMA_1
    assert EVERYTHING_SCHEMA_1.schema_at(1) == EVERYTHING_SCHEMA_1.schema_at(2**63 - 1) == 1
    assert EVERYTHING_SCHEMA_1.schema_at(0) is None
    assert EVERYTHING_SCHEMA_1.schemas() == {1}


def test_only_schemas_up_to_the_bound_can_occur() -> None:
    ranges = (SchemaRange(1, 100, 1), SchemaRange(100, None, 3))
    assert SchemaMap(ranges, 99).schemas() == {1}
    assert SchemaMap(ranges, 100).schemas() == {1, 3}
    assert SchemaMap(ranges, None).schemas() == {1, 3}
    assert SchemaMap(ranges, 99).schema_at(99) == 1
    assert SchemaMap(ranges, 99).schema_at(100) is None


def test_state_files_of_the_backup_service_are_read_in_both_spellings_and_written_in_the_newer() -> None:
    schema_map = SchemaMap((SchemaRange(1, 5010001, 1), SchemaRange(5010001, None, 2)), 10020000)
    content = schema_metadata.write_state(schema_map)
    assert content == (
        b'{"value":{"value":{"timestampToTransactionsTableSchemaVersion":{"timestampMappings":['
        b'{"longRange":{"lowerEndpoint":1,"lowerBoundType":"CLOSED","upperEndpoint":5010001,"upperBoundType":"OPEN"},'
        b'"value":1},{"longRange":{"lowerEndpoint":5010001,"lowerBoundType":"CLOSED"},"value":2}]}},"bound":10020000}}'
    )
    assert schema_metadata.read_state(content) == schema_map
    kebab = content.replace(b"rEndpoint", b"r-endpoint").replace(b"rBoundType", b"r-bound-type")
    assert kebab.count(b"-endpoint") == 3
    assert schema_metadata.read_state(kebab) == schema_map
    assert schema_metadata.read_state(json.dumps(json.loads(content), indent=1, sort_keys=True).encode()) == schema_map


@pytest.mark.parametrize("content", [b'{"value":null}', b'{"value":{"value":null,"bound":-1}}'])
def test_a_state_without_a_value_is_a_keyspace_without_coordination(content: bytes) -> None:
    assert schema_metadata.read_state(content) == EVERYTHING_SCHEMA_1
    assert schema_metadata.read_state(schema_metadata.write_state(EVERYTHING_SCHEMA_1)) == EVERYTHING_SCHEMA_1


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"value":{"value":{},"bound":5}}', b'{"value":{"bound":5}}', b"\xff", b"[" * 9999]
)
def test_other_files_are_no_state(content: bytes) -> None:
    with pytest.raises(MalformedCoordination, match="cannot be read"):
        schema_metadata.read_state(content)


def test_a_map_without_a_bound_is_not_written_into_the_table() -> None:
    with pytest.raises(ValueError, match="needs a bound"):
        coordination.cells_of(EVERYTHING_SCHEMA_1, 5)
    with pytest.raises(ValueError, match="at least 1"):
        coordination.cells_of(SchemaMap(EVERYTHING_SCHEMA_1.ranges, 10), 0)


@pytest.mark.parametrize("count", COUNTS)
def test_generated_maps_come_back_from_rows_and_from_state_files(count: int) -> None:
    source = random.Random(9)
    for _ in range(count):
        edges = sorted({1, *timestamps(source.randrange(5), seed=source.random().__hash__(), lowest=2)})
        parts = [
            SchemaRange(lower, upper, source.randint(1, 3)) for lower, upper in itertools.zip_longest(edges, edges[1:])
        ]
        bound = source.randint(1, 2**63 - 1)
        answers = {start: part.schema for part in parts for start in (part.lower, (part.upper or 2**63) - 1)}
        schema_map = SchemaMap.of(source.sample(parts, len(parts)), bound)
        for start, schema in answers.items():
            assert schema_map.schema_at(start) == (schema if start <= bound else None)
        assert coordination.read_rows(coordination.cells_of(schema_map, source.randint(1, 2**63 - 1))) == schema_map
        assert schema_metadata.read_state(schema_metadata.write_state(schema_map)) == schema_map
