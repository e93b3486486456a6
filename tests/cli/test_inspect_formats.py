"""`inspect decode` and `inspect locate`: JSON Lines in, JSON Lines out, one for one, whatever comes in."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from atlasdb_recovery.atlas.coordination import SchemaMap, SchemaRange
from atlasdb_recovery.atlas.schema_metadata import write_state
from atlasdb_recovery.cli.inspect_formats import decode_command, locate
from tests import vectors

decode = decode_command()

CELL = {
    "schema": 2,
    "table": "_transactions2",
    "key": "2000000000000000",
    "column1": "06",
    "column2": -1,
    "value": "01",
}
SAID = {"start": 100, "status": "committed", "commit": 101}
COMPUTED = ("decoded_start", "decoded_status", "decoded_commit", "decoded_state", "composite")
READ = ("schema", "table", "key", "column1", "column2", "value")


def run(command: click.Command, records: Any, *arguments: str) -> Result:
    content = records if isinstance(records, bytes) else "".join(json.dumps(each) + "\n" for each in records).encode()
    return CliRunner().invoke(command, arguments, input=content)


def out_of(command: click.Command, records: Any, *arguments: str) -> list[dict[str, Any]]:
    result = run(command, records, *arguments)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def without(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


@pytest.mark.parametrize("name", ["t1", "t2", "t3"])
def test_decode_says_what_java_says_of_every_vector(name: str) -> None:
    computed = [without(line, *COMPUTED) for line in vectors.lines(name)]
    cells = [{field: line[field] for field in READ} for line in computed]
    assert out_of(decode, cells) == computed


@pytest.mark.parametrize("name", ["t1", "t2", "t3"])
def test_locate_finds_every_vector(name: str) -> None:
    computed = [without(line, *COMPUTED) for line in vectors.lines(name)]
    asked = [
        {"schema": line["schema"], "start": line["start"]}
        | ({"status": "aborted"} if line["status"] == "aborted" else {"commit": line["commit"]})
        | ({"state": line["state"]} if "state" in line else {})
        for line in computed
    ]
    found = out_of(locate, asked)
    for line, answer in zip(computed, found, strict=True):
        assert without(answer, "status", "commit") == without(line, "status", "commit")
    places = out_of(locate, [{"schema": line["schema"], "start": line["start"]} for line in computed])
    assert places == [without(line, "status", "commit", "state", "value") for line in computed]


def test_composite_column_names_are_written_and_read_where_asked_for() -> None:
    computed = vectors.lines("t2")
    located = out_of(locate, [{"schema": 2, "start": line["start"]} for line in computed], "--composite")
    assert [answer["composite"] for answer in located] == [line["composite"] for line in computed]
    cells = [without(line, "column1", "column2", "start", "status", "commit") for line in computed]
    assert [answer["start"] for answer in out_of(decode, cells, "--composite")] == [line["start"] for line in computed]
    assert "composite" in out_of(decode, [cells[0] | {"composite": "00"}], "--composite")[0]["error"]


def test_what_is_decoded_can_be_located_again() -> None:
    computed = vectors.lines("t3")[::7]
    decoded = out_of(decode, computed)
    assert out_of(locate, decoded) == decoded == computed


def rows_of(line: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = line["rows"]
    return rows


COORDINATION = next(line for line in vectors.lines("coordination") if len(line.get("map_lower_bounds", [])) == 2)
SCHEMAS = SchemaMap((SchemaRange(1, 5010001, 1), SchemaRange(5010001, None, 2)), 15011325)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(COORDINATION),
        json.dumps({"rows": rows_of(COORDINATION)}),
        json.dumps(rows_of(COORDINATION), indent=1),
        "".join(json.dumps(row) + "\n" for row in rows_of(COORDINATION)),
        json.dumps([without(row, "key", "value_utf8") for row in rows_of(COORDINATION)]),
        json.dumps([*rows_of(COORDINATION), {"key": "78", "column1": "00", "column2": -1, "value": "00"}]),
        write_state(SCHEMAS).decode(),
    ],
    ids=["vector", "rows", "list", "json-lines", "without-key", "other-row", "state-file"],
)
def test_the_schema_is_taken_from_coordination_where_the_object_has_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "coordination.json"
    path.write_text(content)
    first, second, beyond = out_of(
        decode,
        [
            {"table": "_transactions", "key": "64", "column1": "74", "column2": -1, "value": "65"},
            out_of(locate, [{"schema": 2, "start": 5010001, "commit": 5010002}])[0] | {"schema": None},
            without(out_of(locate, [{"schema": 2, "start": 15011326, "commit": 15011327}])[0], "schema"),
        ],
        "--coordination",
        str(path),
    )
    assert without(first, *READ) == {"start": 100, "status": "committed", "commit": 101}
    assert (second["start"], second["commit"]) == (5010001, 5010002)
    assert beyond["error"] == "start timestamp 15011326 has no schema yet: the coordination map is valid to 15011325"


def test_the_objects_own_schema_comes_first_and_a_cell_in_the_wrong_table_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(write_state(SCHEMAS))
    own, by_map = out_of(decode, [CELL, without(CELL, "schema")], "--coordination", str(path))
    assert own == CELL | SAID
    assert by_map["error"] == "schema 1 is kept in _transactions, not in _transactions2"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("{}\n{", "neither JSON nor JSON Lines"),
        ("[]", "no cell of row 6d"),
        ('[{"key":"78","column1":"00","column2":-1,"value":""}]', "no cell of row 6d"),
        ("5", "neither one list of rows nor one state"),
        ('[{"rows":[]}]', "neither one list of rows nor one state"),
        ('{"rows":[]}\n{"rows":[]}', "neither one list of rows nor one state"),
        ('[{"column1":"00","column2":"-1","value":""}]', "field column2 is not an integer"),
        ('[{"column1":"0","column2":-1,"value":""}]', "field column1 is not hex"),
        ('[{"column1":"00","column2":-1,"value":"7b7d"}]', "the pointer of `_coordination` cannot be read"),
        ('{"value":{}}', "the schema metadata state cannot be read"),
    ],
)
def test_a_coordination_file_that_cannot_be_used_ends_the_command(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "coordination.json"
    path.write_text(content)
    result = run(decode, [CELL], "--coordination", str(path))
    assert result.exit_code == 2
    assert f"--coordination {path}: " in result.stderr
    assert reason in result.stderr
    assert result.stdout == ""


def test_a_live_keyspace_is_asked_once_and_only_when_needed() -> None:
    asked = []

    def live(context: click.Context) -> SchemaMap:
        asked.append(context.command.name)
        return SCHEMAS

    command = decode_command(live)
    assert out_of(command, [CELL]) == [CELL | SAID]
    assert asked == []
    direct = {"table": "_transactions", "key": "64", "column1": "74", "column2": -1, "value": "65"}
    assert [answer["commit"] for answer in out_of(command, [direct, direct])] == [101, 101]
    assert asked == ["decode"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"schema": None}, "field schema is missing, and there is no coordination map to take it from"),
        ({"schema": 4}, "transactions schema 4 is not one of 1, 2 and 3"),
        ({"schema": "2"}, "field schema is not an integer"),
        ({"schema": True}, "field schema is not an integer"),
        ({"schema": 2.0}, "field schema is not an integer"),
        ({"schema": 1}, "schema 1 is kept in _transactions, not in _transactions2"),
        ({"table": None}, "field table is not a string"),
        ({"table": "\x1b[31m"}, "schema 2 is kept in _transactions2, not in \\x1b[31m"),
        ({"key": 5}, "field key is not a string"),
        ({"key": "20 00000000000000"}, "field key is not hex: 20 00000000000000"),
        ({"key": "0x20"}, "field key is not hex: 0x20"),
        ({"key": "2"}, "field key is not hex: 2"),
        ({"key": "20"}, "key and column1 name no start timestamp: the key has 1 bytes, not 8"),
        ({"column1": ""}, "key and column1 name no start timestamp: the VarLong is empty"),
        ({"column2": "-1"}, "field column2 is not an integer"),
        ({"column2": 0}, "column2 is 0; in a transactions table it is always -1"),
        ({"value": None}, "field value is not a string"),
        ({"value": "0101"}, "the value holds no commit timestamp: bytes are left over after the VarLong 01: 1 of them"),
        ({"value": "01", "schema": 3}, None),
        ({"value": "KEY"}, "field value is not hex: KEY"),
        ({"value": "", "key": "2000000000000000"}, None),
        ({"key": "2000000000000000".upper(), "value": "7F"}, None),
    ],
)
def test_one_sentence_names_what_is_wrong_with_a_cell(changes: dict[str, Any], error: str | None) -> None:
    record = CELL | changes
    (answer,) = out_of(decode, [record])
    assert answer.get("error") == error
    assert without(answer, "error", "start", "status", "commit", "state") == record


@pytest.mark.parametrize("field", READ)
def test_a_missing_field_is_named(field: str) -> None:
    (answer,) = out_of(decode, [without(CELL, field)])
    assert answer["error"].startswith(f"field {field} is missing")


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, "field schema is missing"),
        ({"schema": 2}, "field start is missing"),
        ({"schema": 2, "start": "5"}, "field start is not an integer"),
        ({"schema": 2, "start": 5.0}, "field start is not an integer"),
        ({"schema": 2, "start": -1}, "start timestamp -1 is not between 0 and 2^63-1"),
        ({"schema": 2, "start": 2**63}, "start timestamp 9223372036854775808 is not between 0 and 2^63-1"),
        ({"schema": 5, "start": 5}, "transactions schema 5 is not one of 1, 2 and 3"),
        ({"schema": 2, "start": 5, "commit": "6"}, "field commit is not an integer"),
        (
            {"schema": 2, "start": 5, "commit": 4},
            "commit timestamp 4 does not follow start timestamp 5 within 0 and 2^63-1",
        ),
        (
            {"schema": 2, "start": 5, "commit": 6, "status": "aborted"},
            "field status says aborted, but field commit says 6",
        ),
        (
            {"schema": 2, "start": 5, "status": "committed"},
            "field status says committed, but there is no commit timestamp",
        ),
        ({"schema": 2, "start": 5, "status": "done"}, "field status is neither committed nor aborted"),
        ({"schema": 2, "start": 5, "status": ["aborted"]}, "field status is neither committed nor aborted"),
        ({"schema": 2, "start": 5, "commit": 6, "state": "staging"}, "schema 2 has no staging state"),
        ({"schema": 3, "start": 5, "commit": 6, "state": []}, "field state is neither staging nor committed"),
        ({"schema": 3, "start": 5, "commit": 6, "state": "open"}, "field state is neither staging nor committed"),
    ],
)
def test_one_sentence_names_what_is_wrong_with_a_question(asked: dict[str, Any], error: str) -> None:
    (answer,) = out_of(locate, [asked])
    assert answer["error"].startswith(error)
    assert without(answer, "error") == asked


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        ({"schema": 1, "start": 5, "commit": -1}, "ff80ffffffffffffffff"),
        ({"schema": 2, "start": 5, "commit": -1, "status": "aborted"}, ""),
        ({"schema": 3, "start": 5, "status": "aborted"}, "01"),
        ({"schema": 3, "start": 5, "status": "aborted", "state": "staging"}, "00"),
        ({"schema": 3, "start": 5, "commit": 5, "state": "staging"}, "0000"),
        ({"schema": 3, "start": 2**63 - 2, "commit": 2**63 - 1}, "0101"),
    ],
)
def test_aborts_and_staging_are_written_as_atlasdb_does(asked: dict[str, Any], value: str) -> None:
    (answer,) = out_of(locate, [asked])
    assert answer["value"] == value


def test_an_error_of_an_earlier_run_does_not_stay() -> None:
    assert out_of(decode, [CELL | {"error": "old"}]) == [CELL | SAID]


def test_other_fields_and_integers_of_any_size_come_back_as_they_were() -> None:
    extra = {"note": "Zoë\u202e\x7f", "big": 2**200, "small": -(2**70), "nested": [{"a": None}, 1.5, True]}
    assert out_of(decode, [CELL | extra]) == [CELL | extra | SAID]
    assert run(decode, [CELL | extra]).stdout.isascii()


def test_lines_that_are_json_but_no_object_have_their_line_of_output() -> None:
    content = b'5\n[]\n"x"\nnull\n{"a":1e999}\n' + json.dumps(CELL).encode()
    answers = out_of(decode, content)
    assert [sorted(answer) == ["error"] for answer in answers] == [True] * 5 + [False]
    assert answers[-1] == CELL | SAID


@pytest.mark.parametrize("command", [decode, locate])
@pytest.mark.parametrize(
    "bad", [b"{", b"", b"not json", b"{'schema': 1}", b"\xff", b"{} {}", b"NaN", b"[" * 9999, b"\xef\xbb\xbf{}"]
)
def test_a_line_that_is_not_json_ends_the_command_and_is_named(
    tmp_path: Path, command: click.Command, bad: bytes
) -> None:
    path = tmp_path / "cells.jsonl"
    path.write_bytes(json.dumps(CELL | {"start": 1}).encode() + b"\n" + bad + b"\n" + b"{}\n")
    result = CliRunner().invoke(command, [str(path)])
    assert result.exit_code == 2
    assert f"{path}, line 2: not JSON" in result.stderr
    assert len(result.stdout.splitlines()) == 1
    piped = CliRunner().invoke(command, [], input=b"\n")
    assert piped.exit_code == 2
    assert "line 1: not JSON" in piped.stderr


def test_no_input_is_no_output(tmp_path: Path) -> None:
    assert out_of(decode, b"") == []
    result = CliRunner().invoke(decode, [str(tmp_path / "absent")])
    assert result.exit_code == 2
    assert "absent" in result.stderr
