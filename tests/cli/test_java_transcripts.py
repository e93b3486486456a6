"""Every command line of the Java tool's recorded runs (release 0.1175.0), and what becomes of it here.

Each row: the transcript's number, the words, Java's exit code there, ours, and what is said.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from atlasdb_recovery.atlas import timestamp_file
from tests.cli.rehearsal import Rehearsal
from tests.cli.test_atlasdb import committed_after, in_the_middle


class Row(NamedTuple):
    transcript: str
    words: str
    java: int
    ours: int
    said: str


ROWS = (
    Row("01", "", 0, 0, "Usage: "),
    Row("02", "help", 0, 0, "Usage: "),
    Row("03", "--help", 1, 0, "Usage: "),
    Row("04", "help timestamp", 0, 0, "fast-forward"),
    Row("05", "help timestamp fetch", 0, 0, "--immutable"),
    Row("06", "help timestamp clean-transactions", 0, 0, "--skip-start-timestamp-check"),
    Row("07", "help timestamp fast-forward", 0, 0, "--timestamp"),
    Row("08", "timestamp", 0, 0, "Usage: "),
    Row("09", "timestamp frobnicate", 1, 2, "No such command 'frobnicate'"),
    Row("10", "frobnicate", 1, 2, "No such command 'frobnicate'"),
    Row(
        "11", "--offline timestamp fetch", 1, 2, "no configuration is given. Name the service's install file: --config"
    ),
    Row("12", "--offline -c /nonexistent.yml timestamp fetch", 1, 2, "/nonexistent.yml: the file cannot be read"),
    Row("13", "--offline -c bad.yml timestamp fetch", 1, 2, "bad.yml:4:1: this is not valid YAML"),
    Row("14", "--offline -c unknown-key.yml timestamp fetch", 1, 0, "The fresh timestamp is: "),
    Row("15", "--offline -c no-root.yml timestamp fetch", 1, 2, "/atlasdb"),
    Row("16", "-c install.yml timestamp -f B.ts clean-transactions", 1, 5, "--offline"),
    Row("17", "-c install.yml timestamp -f B.ts fast-forward", 1, 5, "--offline"),
    Row("18", "--offline -c install.yml timestamp fetch --file x", 1, 0, "written to x"),
    Row("19", "timestamp fetch --offline -c install.yml", 1, 0, "The fresh timestamp is: "),
    Row("20", "--offline -c install.yml timestamp fetch", 0, 0, "The fresh timestamp is: "),
    Row("21", "-c install.yml timestamp fetch", 0, 0, "The fresh timestamp is: "),
    Row("22", "--offline -c install.yml timestamp -f newdir/sub/f.ts fetch", 0, 0, "written to newdir/sub/f.ts"),
    Row("23", "--offline -c install.yml timestamp fetch -i -d", 0, 0, "The immutable timestamp is: "),
    Row("24", "--offline -c install.yml timestamp fetch -d", 0, 0, "Wall clock datetime of Fresh timestamp is: "),
    Row("25", "--offline -c install.yml timestamp -t 5 fetch", 1, 2, "does not require an input timestamp"),
    Row("30", "--offline -c install.yml timestamp -f B.ts clean-transactions", 1, 0, "is left: "),
    Row(
        "31",
        "--offline -c install.yml timestamp --skip-start-timestamp-check -f B.ts clean-transactions",
        0,
        0,
        "is left: ",
    ),
    Row("32", "--offline -c install.yml timestamp -t 5 -f B.ts clean-transactions", 1, 2, "one and only one"),
    Row("33", "--offline -c install.yml timestamp clean-transactions", 1, 2, "one and only one"),
    Row(
        "34",
        "--offline -c install.yml timestamp -f two.ts clean-transactions",
        1,
        2,
        "two.ts: line 2: there is a second",
    ),
    Row(
        "35", "--offline -c install.yml timestamp -f abc.ts clean-transactions", 1, 2, "abc.ts: line 1: “abc” is not a"
    ),
    Row("36", "--offline -c install.yml timestamp -f nope.ts clean-transactions", 1, 2, "nope.ts: No such file"),
    Row("37", "--offline -c install.yml timestamp -t 999999999 clean-transactions", 0, 0, "nothing to remove"),
    Row("38", "--offline -c install.yml timestamp -s 10060 -f B.ts clean-transactions", 0, 0, "is left: "),
    Row(
        "40",
        "--offline -c install.yml timestamp -t 50000000 fast-forward",
        0,
        0,
        "Fast-forwarded to 50000000: the bound was",
    ),
    Row("42", "--offline -c install.yml timestamp -t 10 fast-forward", 0, 0, "Nothing was changed: the bound "),
    Row(
        "44", "--offline -c install.yml timestamp -t -1 clean-transactions", 0, 2, "-1 is no timestamp: the lowest is 1"
    ),
    Row("45", "--offline -c install.yml timestamp -f F.ts fast-forward", 0, 0, "Fast-forwarded to 60000000"),
    Row("46", "--offline -c install.yml timestamp fast-forward", 1, 2, "one and only one"),
    Row(
        "47", f"--offline -c install.yml timestamp -t {-(2**63)} fast-forward", 1, 2, "is no timestamp: the lowest is 1"
    ),
    Row("52", "--offline -c install.yml timestamp -t 9223372036854775000 fast-forward", 1, 3, "Nothing was changed"),
    Row("53", "--offline -c install.yml timestamp -t 9223372036852775807 fast-forward", 0, 3, "Nothing was changed"),
)
CHANGE_NOTHING = {2, 3, 5}


@pytest.fixture
def place(alive: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    """The files that the recorded runs had."""
    monkeypatch.chdir(alive.directory)
    alive.settings.unlink()
    install = (alive.directory / "install.yml").read_text()
    for name, content in {
        "bad.yml": "atlasdb:\n  keyValueService:\n    type: [cassandra\n",
        "unknown-key.yml": install + "  somethingNewer: {deeply: nested}\n",
        "no-root.yml": install.replace("atlasdb:", "orders:", 1),
        "two.ts": "1\n2\n",
        "abc.ts": "abc\n",
        "F.ts": "60000000\n",
        "B.ts": f"{in_the_middle(alive)}\n",
    }.items():
        (alive.directory / name).write_text(content)
    return alive


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.transcript}-{row.words[-40:]}" for row in ROWS])
def test_what_becomes_of_it(place: Rehearsal, row: Row) -> None:
    before = place.cluster_state()
    told = place.atlasdb(*row.words.split())
    assert (told.code, row.said in told.out + told.err) == (row.ours, True), told
    assert "Traceback" not in told.err
    if told.code in CHANGE_NOTHING:
        assert place.cluster_state() == before
        assert not list(place.directory.glob("exports/*"))
    if row.words.endswith("-f B.ts clean-transactions") and told.code == 0:
        assert committed_after_with(place, timestamp_file.read(Path("B.ts"))) == set()


def committed_after_with(place: Rehearsal, after: int) -> set[tuple[int, int]]:
    place.write_settings()
    return committed_after(place, after)


def test_where_java_says_delete_completed_and_deletes_nothing_ours_is_gone(place: Rehearsal) -> None:
    """31: thirteen transactions named, exit 0, and every row as it was, write times included."""
    cut = timestamp_file.read(Path("B.ts"))
    told = place.atlasdb("--offline", "-c", "install.yml", "timestamp", "-f", "B.ts", "clean-transactions")
    assert told.code == 0
    assert "_transactions2" in told.out, "Java never looks there"
    assert committed_after_with(place, cut) == set()


def test_39_a_commit_at_the_timestamp_itself_stays(place: Rehearsal) -> None:
    """Java removes it (or says so). With a timestamp from fetch there is none."""
    cut = timestamp_file.read(Path("B.ts"))
    told = place.atlasdb("--offline", "-c", "install.yml", "timestamp", "-t", str(cut), "clean-transactions")
    assert told.code == 0
    assert cut in {commit for _, commit in committed_after_with(place, cut - 1)}


def test_41_43_49_after_a_fast_forward_every_fresh_timestamp_is_above_it(place: Rehearsal) -> None:
    for target in (50_000_000, 10, 60_999_999):
        assert place.atlasdb("--offline", "-c", "install.yml", "timestamp", "-t", str(target), "fast-forward").code == 0
        told = place.atlasdb("--offline", "-c", "install.yml", "timestamp", "fetch")
        assert int(told.out.splitlines()[0].split()[-1]) > target


def test_61_62_a_bound_that_was_moved_to_timelock_is_refused(place: Rehearsal) -> None:
    place.write_everywhere("_timestamp", (b"ts", b"oldTs", -1), (10_001).to_bytes(8))
    place.write_everywhere("_timestamp", (b"ts", b"ts", -1), b"\x01", newest=True)
    before = place.cluster_state()
    for words in ("fetch", "-t 5000000 fast-forward"):
        told = place.atlasdb(*f"--offline -c install.yml timestamp {words}".split())
        assert told.code == 3, told
        assert "Nothing was changed" in told.err
        assert "TimeLock" in told.err
    assert place.cluster_state() == before


def test_80_beside_a_live_service_nothing_is_fetched(place: Rehearsal) -> None:
    place.simulated.connect_client(place.nodes.addresses[0])
    told = place.atlasdb("--offline", "-c", "install.yml", "timestamp", "fetch")
    assert told.code == 3
    assert told.out == ""
