"""`repair-log`: one line of JSON, whatever was saved."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from atlasdb_recovery.cli.inspect_repair_log import repair_log
from tests.cassandra.repair_transcripts import Run, runs

BY_NAME = {run.name: run for run in runs()}
GOOD = BY_NAME["4.1.10/02-healthy-diffs-pr-n1"]
WITHOUT_FIRST_LINE = BY_NAME["4.0.19/18-prep"]


def answer(path: str, *options: str, given: bytes | None = None) -> dict[str, object]:
    result = CliRunner().invoke(repair_log, [path, *options], input=given)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    return dict(json.loads(result.stdout))


@pytest.mark.parametrize("run", [pytest.param(run, id=run.name) for run in runs()[::7]])
def test_plain_and_timed_files_say_the_same(run: Run, tmp_path: Path) -> None:
    (tmp_path / "stdout.txt").write_bytes(run.stdout)
    (tmp_path / "stdout.timed.txt").write_bytes(run.timed)
    (tmp_path / "stderr.txt").write_bytes(run.stderr)
    plain = answer(str(tmp_path / "stdout.txt"), "--command", run.command)
    assert plain == answer(str(tmp_path / "stdout.timed.txt"), "--command", run.command)
    assert set(plain) == {"verdict", "reasons"}
    assert plain["verdict"] in {"repaired", "not-repaired", "unknown"}


def test_standard_input_and_the_command() -> None:
    assert answer("-", given=GOOD.stdout)["verdict"] == "repaired"
    assert answer("-", given=WITHOUT_FIRST_LINE.stdout)["verdict"] == "unknown"
    assert (
        answer("-", "--command", WITHOUT_FIRST_LINE.command, given=WITHOUT_FIRST_LINE.stdout)["verdict"] == "repaired"
    )
    assert answer("-", "--command", "rm -rf /", given=GOOD.stdout)["verdict"] == "unknown"


def test_only_the_file_that_was_given_is_read(tmp_path: Path) -> None:
    (tmp_path / "stdout.txt").write_bytes(GOOD.stdout)
    (tmp_path / "stderr.txt").write_bytes(b"error: Repair job has failed\n")
    assert answer(str(tmp_path / "stdout.txt"))["verdict"] == "repaired"
    (tmp_path / "both.txt").write_bytes(GOOD.stdout + b"error: Repair job has failed\n")
    assert answer(str(tmp_path / "both.txt"))["verdict"] == "not-repaired"


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.txt", tmp_path):
        assert CliRunner().invoke(repair_log, [str(path)]).exit_code == 2


@pytest.mark.parametrize(
    "line",
    [
        "[2026-01-01 00:00:00,000] Repair command #{} finished in 1 second",
        "[2026-01-01 00:00:00,000] Repair command #{} failed",
        "[2026-01-01 00:00:00,000] Repair command #1 finished in {} seconds",
        "[2026-01-01 00:00:00,000] Starting repair command #{}, repairing keyspace k with repair options (parallelism: "
        "parallel, primary range: true, incremental: false, ColumnFamilies: [t], # of ranges: 1)",
        "[2026-01-01 00:00:00,000] Starting repair command #1, repairing keyspace k with repair options (parallelism: "
        "parallel, primary range: true, incremental: false, ColumnFamilies: [t], # of ranges: {})",
    ],
)
def test_numbers_of_any_length_are_no_defect(line: str) -> None:
    for before in (b"", GOOD.stdout):
        given = before + line.format("9" * 5_000).encode() + b"\n"
        assert answer("-", given=given)["verdict"] != "repaired"


@pytest.mark.parametrize(
    "line",
    [
        "{}; echo $?",
        "({})",
        "{} 2>&1 | tee log",
        "set -x;{};",
        "cd /opt/cassandra && \\\n  {}",
        "ssh cass-1 '{}'",
    ],
)
def test_a_command_as_it_stood_in_a_shell(line: str) -> None:
    continued = line.format(WITHOUT_FIRST_LINE.command.replace("repair", "\\\n repair", 1))
    given = WITHOUT_FIRST_LINE.stdout
    assert answer("-", "--command", line.format(WITHOUT_FIRST_LINE.command), given=given)["verdict"] == "repaired"
    assert answer("-", "--command", continued, given=given)["verdict"] == "repaired"
