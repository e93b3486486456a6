"""`inspect decode` and `inspect locate` on whatever bytes: a line for a line, the key in hex, and never a crash."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from atlasdb_recovery.cli.inspect_formats import decode_command, locate
from tests import vectors

decode = decode_command()

LINES = 100_000
SCHEMAS = (1, 2, 3, 3, 2, 1, 0, 4, -1, None, "2")
TABLES = ("_transactions", "_transactions2", "_transactions2", "_transactions", "_timestamp", "", "x\x1b[31m")
FIELDS = ("schema", "table", "key", "column1", "column2", "value")
OTHERS: tuple[Any, ...] = (None, True, 1.5, -1, 2**70, "", "zz", "0", [], {"a": 1}, "00" * 5_000)


def some_bytes(source: random.Random) -> str:
    """Any, most of them of a length that AtlasDB writes, many of them beginning like a VarLong."""
    data = bytearray(source.randbytes(source.choice((0, 1, 1, 2, 3, 4, 8, 8, 8, 9, 10, 11, 40))))
    if data and source.random() < 0.5:
        data[0] = source.choice((0x00, 0x74, 0x80, 0xC0, 0xE0, 0xFE, 0xFF))
    return data.hex()


def any_cell(source: random.Random) -> dict[str, Any]:
    table = source.choice(TABLES)
    return {
        "schema": source.choice(SCHEMAS),
        "table": table,
        "key": some_bytes(source),
        "column1": "74" if table == "_transactions" and source.random() < 0.7 else some_bytes(source),
        "column2": source.choice((-1, -1, -1, -1, 0, -2, 2**63)),
        "value": some_bytes(source),
    }


def damaged_cell(source: random.Random) -> dict[str, Any]:
    """A cell that AtlasDB wrote, with one field that is something else, or not there."""
    cell = dict(source.choice(vectors.lines(source.choice(("t1", "t2", "t3")))))
    field = source.choice(FIELDS)
    if source.random() < 0.2:
        del cell[field]
    else:
        cell[field] = source.choice(OTHERS) if source.random() < 0.5 else some_bytes(source)
    return cell


@pytest.mark.parametrize("cell", [any_cell, damaged_cell])
def test_decode_answers_every_line_with_its_key_in_hex(cell: Callable[[random.Random], dict[str, Any]]) -> None:
    source = random.Random(13)
    cells = [cell(source) for _ in range(LINES // 2)]
    result = CliRunner().invoke(decode, input="".join(json.dumps(each) + "\n" for each in cells))
    assert result.exit_code == 0, result.exception
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    said = wrong = 0
    for asked, answer in zip(cells, answers, strict=True):
        assert answer.get("key") == asked.get("key")
        if "error" in answer:
            wrong += 1
            assert answer["error"].isprintable()
        else:
            said += 1
            assert bytes.fromhex(answer["key"]).hex() == answer["key"].lower()
            assert_written_so(answer)
    assert said > 5
    assert wrong > LINES // 10


def assert_written_so(answer: dict[str, Any]) -> None:
    """What is decoded is located again at the very same place, with the very same value."""
    (located,) = out_of_locate([{name: answer[name] for name in answer if name not in {"key", "column1", "value"}}])
    assert all(located[name] == (answer[name].lower() if name != "column2" else -1) for name in READ_BACK), located


READ_BACK = ("key", "column1", "column2", "value")


def out_of_locate(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    result = CliRunner().invoke(locate, input="".join(json.dumps(each) + "\n" for each in questions))
    assert result.exit_code == 0, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_locate_answers_every_line() -> None:
    source = random.Random(14)
    numbers = (0, 1, 5, 2**63 - 1, 2**63, -1, 25_000_000, None, "5", 1.0, True)
    questions = []
    for _ in range(20_000):
        question: dict[str, Any] = {"schema": source.choice(SCHEMAS), "start": source.choice(numbers)}
        if source.random() < 0.7:
            question["commit"] = source.choice(numbers)
        if source.random() < 0.3:
            question["status"] = source.choice(("committed", "aborted", "done", 1))
        if source.random() < 0.3:
            question["state"] = source.choice(("staging", "committed", [], None))
        questions.append(question)
    for answer in out_of_locate(questions):
        assert ("error" in answer) != ("key" in answer)


def test_odd_values_have_an_error_wherever_java_throws() -> None:
    for schema in (1, 2, 3):
        lines = vectors.lines("odd_values")
        places = out_of_locate([{"schema": schema, "start": line["start"]} for line in lines])
        cells = [place | {"value": line["value"]} for place, line in zip(places, lines, strict=True)]
        result = CliRunner().invoke(decode, input="".join(json.dumps(each) + "\n" for each in cells))
        for line, answer in zip(lines, map(json.loads, result.stdout.splitlines()), strict=True):
            if line[f"t{schema}"].startswith("EXC"):
                assert answer["error"], line
            assert answer["key"] == places[lines.index(line)]["key"]
