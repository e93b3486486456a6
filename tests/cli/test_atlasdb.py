"""`atlasdb`: the lines of AtlasDB's page as they are printed there, the Java tool's option order, and what they did."""

import json
from pathlib import Path

import pytest

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.practice.simulated import Dialect
from tests.cli.rehearsal import Ended, Rehearsal

PAGE = "--config install.yml --config-root /atlasdb timestamp "
"""`./bin/atlasdb --config <config-file> --config-root <path-to-atlas-block> timestamp fetch --file …`"""


@pytest.fixture(autouse=True)
def in_its_directory(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=[Dialect.APACHE, Dialect.PALANTIR], ids=str)
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path, request.param).alive()


def line(rehearsal: Rehearsal, text: str) -> Ended:
    """A command line as it would be typed."""
    return rehearsal.atlasdb(*text.split())


def in_the_middle(rehearsal: Rehearsal) -> int:
    """A commit timestamp of the history, to be cut at."""
    commits = sorted(t.commit for t in rehearsal.arena.exercise.writer.truth.transactions if t.commit is not None)
    return int(commits[len(commits) // 2])


def committed_after(rehearsal: Rehearsal, after: int) -> set[tuple[int, int]]:
    """Start and commit of what `inspect transactions` finds."""
    told = rehearsal.recovery("inspect", "transactions", "--after", str(after))
    assert told.code == 0, told
    return {(row["start"], row["commit"]) for row in map(json.loads, told.out.splitlines())}


def bound_of(rehearsal: Rehearsal) -> int:
    told = rehearsal.recovery("inspect", "timestamp")
    assert told.code == 0, told
    return int(json.loads(told.out)["bound"])


def test_the_pages_lines_work_as_they_are_printed_there(either: Rehearsal) -> None:
    fetched = line(either, PAGE + "fetch --file backups/b1/backup.timestamp")
    if either.simulated.dialect is Dialect.PALANTIR:
        assert fetched.code == 5, "2.2 cannot list its clients, and no running service is configured to be asked"
        assert "--offline" in fetched.err
        assert not Path("backups").exists()
        fetched = line(either, PAGE + "fetch --file backups/b1/backup.timestamp --offline")
    assert fetched.code == 0, fetched
    backup = timestamp_file.read(Path("backups/b1/backup.timestamp"))
    assert fetched.out.splitlines()[0] == f"The fresh timestamp is: {backup}"
    assert line(either, PAGE + "fetch --file backups/b1/fast-forward.timestamp --offline").code == 0
    forward = timestamp_file.read(Path("backups/b1/fast-forward.timestamp"))
    assert backup < forward
    cut = in_the_middle(either)
    timestamp_file.write(Path("backups/b1/backup.timestamp"), cut)
    later = committed_after(either, cut)
    assert later
    cleaned = line(either, "--offline " + PAGE + "clean-transactions --file backups/b1/backup.timestamp")
    assert cleaned.code == 0, cleaned
    assert committed_after(either, cut) == set()
    assert {commit for _, commit in committed_after(either, 1)} == {
        t.commit
        for t in either.arena.exercise.writer.truth.transactions
        if t.commit is not None and 1 < t.commit <= cut
    }
    forwarded = line(either, PAGE + "fast-forward --offline --file backups/b1/fast-forward.timestamp")
    assert forwarded.code == 0, forwarded
    assert bound_of(either) >= forward


def test_the_java_tools_option_order(either: Rehearsal) -> None:
    java = "--offline -c install.yml timestamp "
    assert line(either, java + "-f b.ts fetch").code == 0
    cut = in_the_middle(either)
    assert line(either, java + f"--skip-start-timestamp-check -t {cut} clean-transactions").code == 0
    assert committed_after(either, cut) == set()
    assert line(either, java + "-t 50000000 fast-forward").code == 0
    assert bound_of(either) == 51_000_000


@pytest.mark.parametrize("word", ["--offline", "-c install.yml", "-t 50000000", "--config-root /atlasdb"])
def test_every_option_is_taken_at_every_place(alive: Rehearsal, word: str) -> None:
    words = {"--offline", "-c install.yml", "-t 50000000"} - {word}
    front = " ".join(sorted(words))
    assert line(alive, f"{front} timestamp {word} fast-forward").code == 0
    assert line(alive, f"{front} timestamp fast-forward {word}").code == 0
    assert line(alive, f"{front} {word} timestamp fast-forward").code == 0
    told = line(alive, f"-t 5 {front} timestamp -t 6 fast-forward") if word != "-t 50000000" else None
    assert told is None or (told.code == 2 and "--timestamp is given twice" in told.err)


def test_clean_transactions_says_what_is_there_exports_it_and_keeps_a_commit_at_the_timestamp(alive: Rehearsal) -> None:
    cut = in_the_middle(alive)
    later = committed_after(alive, cut)
    before = committed_after(alive, 1)
    told = line(alive, f"--offline -c install.yml timestamp -t {cut} clean-transactions")
    assert told.code == 0, told
    assert f"remove {len(later)} transactions committed after {cut} from shop" in told.out
    assert f"no transaction committed after {cut} is left" in told.out
    assert "Delete completed" not in told.out
    (export,) = (alive.directory / "exports").glob("pre-images-*.jsonl")
    rows = [json.loads(row) for row in export.read_text().splitlines()]
    assert {(row["start"], row["commit"]) for row in rows if row["record"] == "cell"} == later
    assert str(export) in told.out
    assert committed_after(alive, 1) == before - later
    assert any(commit == cut for _, commit in before - later)


def test_nothing_to_remove_is_said_and_leaves_no_export(alive: Rehearsal) -> None:
    before = alive.cluster_state()
    told = line(
        alive, "--offline -c install.yml timestamp --skip-start-timestamp-check -t 999999999 clean-transactions"
    )
    assert told.code == 0
    assert "nothing to remove" in told.out
    assert alive.cluster_state() == before
    assert not list(alive.directory.glob("exports/*"))


def test_a_fast_forward_to_the_past_changes_nothing_and_says_so(alive: Rehearsal) -> None:
    """Java: “Timestamp successfully fast-forwarded to 10”."""
    before = alive.cluster_state()
    told = line(alive, "--offline -c install.yml timestamp -t 10 fast-forward")
    assert told.code == 0
    assert told.out.startswith(f"Nothing was changed: the bound {bound_of(alive)} is already at or above 10.")
    assert alive.cluster_state() == before


def test_fetch_tells_the_wall_clock_and_what_immutable_means(alive: Rehearsal) -> None:
    told = line(alive, "--offline -c install.yml timestamp fetch -i -d").out.splitlines()
    assert told[0].startswith("The immutable timestamp is: ")
    assert "(with no client running, every transaction below a fresh timestamp is finished)" in told
    assert told[-1].startswith("Wall clock datetime of Immutable timestamp is: ")
    told = line(alive, "--offline -c install.yml timestamp fetch -d").out.splitlines()
    assert told[-1].startswith("Wall clock datetime of Fresh timestamp is: ")


def test_fresh_timestamps_rise_and_the_stored_bound_stays_above_them(alive: Rehearsal) -> None:
    """Java raises the bound by 1,000,001 with every process; so do we, and every number is fresh."""
    seen = []
    for _ in range(3):
        seen.append(int(line(alive, "--offline -c install.yml timestamp fetch").out.splitlines()[0].split()[-1]))
        assert bound_of(alive) > seen[-1]
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("command", ["clean-transactions", "fast-forward"])
def test_without_offline_and_without_a_terminal_it_asks_for_the_option_with_5(alive: Rehearsal, command: str) -> None:
    before = alive.cluster_state()
    told = line(alive, f"-c install.yml timestamp -t 50000000 {command}")
    assert told.code == 5
    assert "--offline" in told.err
    assert "Nothing was changed." in told.err
    assert alive.cluster_state() == before


@pytest.mark.parametrize(
    "command",
    ["timestamp fetch", "--offline timestamp -t 10 clean-transactions", "--offline timestamp -t 10 fast-forward"],
)
def test_a_connected_client_is_named_and_nothing_is_changed(alive: Rehearsal, command: str) -> None:
    """Java's fetch beside a live service answered 1,010,002, and the service died of it."""
    alive.simulated.connect_client(alive.nodes.addresses[1], user="orders-service")
    before = alive.cluster_state()
    told = line(alive, f"-c install.yml {command}")
    assert told.code == 3, told
    assert "refuses: 127.0.9.2: 127.0.0.1:" in told.err
    assert "orders-service" in told.err
    assert "Nothing was changed." in told.err
    assert alive.cluster_state() == before


def test_a_far_target_is_asked_about_and_one_near_the_end_is_refused(alive: Rehearsal) -> None:
    before = alive.cluster_state()
    far = line(alive, "--offline -c install.yml timestamp -t 2000000000000 fast-forward")
    assert far.code == 5
    assert "above the stored bound. A fast-forward cannot be taken back." in far.err
    for near in (2**63 - 1, 2**63 - 10_000_000):
        told = line(alive, f"--offline -c install.yml timestamp -t {near} fast-forward")
        assert told.code == 3, told
        assert "Nothing was changed" in told.err
    assert alive.cluster_state() == before


def test_odd_cells_stop_it_where_nobody_can_look_at_them(alive: Rehearsal) -> None:
    alive.write_everywhere("_transactions", (b"\xff\xff\xff", b"t", -1), b"\x00")
    told = line(alive, "--offline -c install.yml timestamp -t 10 clean-transactions")
    assert told.code == 5
    assert "ffffff" in told.err
    assert "Nothing was removed." in told.err
    assert not list(alive.directory.glob("exports/*"))


def test_the_services_own_configuration_is_enough(alive: Rehearsal) -> None:
    """No recovery.yml: as with the Java tool."""
    alive.settings.unlink()
    told = line(alive, "--offline -c install.yml timestamp fetch")
    assert told.code == 0, told


def test_an_inline_configuration_is_enough(alive: Rehearsal) -> None:
    alive.settings.unlink()
    inline = "{namespace: shop, keyValueService: {type: cassandra, credentials: {username: a, password: b}}}"
    runtime = '{keyValueService: {type: cassandra, servers: ["127.0.9.1:9160"], replicationFactor: 3}}'
    told = alive.atlasdb(
        "--offline", "--inline-config", inline, "--inline-runtime-config", runtime, "timestamp", "fetch"
    )
    assert told.code == 0, told


@pytest.mark.parametrize("words", ["", "help", "help timestamp", "help timestamp fetch", "timestamp"])
def test_help_as_the_java_tool_has_it(tmp_path: Path, words: str) -> None:
    told = Rehearsal(tmp_path).atlasdb(*words.split())
    assert told.code == 0
    assert "Usage: " in told.out
    assert "timestamp" in told.out
