"""Bad input: the message names file, line and remedy, the exit code is the design's, and nothing is changed."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from atlasdb_recovery.cli.main import main as recovery_main
from tests.cli.rehearsal import PASSWORD, Ended, Rehearsal, ended

Spoil = Callable[[Rehearsal], object]


def timestamp_is(content: bytes, name: str = "backup") -> Spoil:
    return lambda lost: (lost.backup_dir / f"{name}.timestamp").write_bytes(content)


def install_has(**more: Any) -> Spoil:
    return lambda lost: lost.write_service(**more)


def store_has(**more: Any) -> Spoil:
    def spoil(lost: Rehearsal) -> None:
        path = lost.directory / "install.yml"
        document = yaml.safe_load(path.read_text())
        document["atlasdb"]["keyValueService"].update(more)
        path.write_text(yaml.safe_dump(document))

    return spoil


def settings_are(**more: Any) -> Spoil:
    return lambda lost: lost.write_settings(**more)


def file_is(name: str, content: str) -> Spoil:
    return lambda lost: (lost.directory / name).write_text(content)


TIMESTAMP_FILES = {
    "two lines": (timestamp_is(b"12\n13\n"), "backup.timestamp: line 2: there is a second line, “13”"),
    "a blank line after it": (timestamp_is(b"12\n\n"), "backup.timestamp: line 2: there is a second line"),
    "byte order mark": (timestamp_is("\ufeff12\n".encode()), "backup.timestamp: line 1 begins with a byte order mark"),
    "utf-16": (timestamp_is("12\n".encode("utf-16")), "backup.timestamp: line 1 begins with a byte order mark"),
    "words": (timestamp_is(b"ten\n"), "backup.timestamp: line 1: “ten” is not a timestamp"),
    "a Python number": (timestamp_is(b"1_000\n"), "backup.timestamp: line 1: “1_000” is not a timestamp"),
    "escape codes": (timestamp_is(b"\x1b[2J12\n"), "line 1: “\\x1b[2J12” is not a timestamp"),
    "empty": (timestamp_is(b""), "backup.timestamp: it is empty"),
    "too large": (timestamp_is(b"9223372036854775808\n"), "line 1: 9223372036854775808 does not fit 64 bits"),
    "missing": (lambda lost: (lost.backup_dir / "backup.timestamp").unlink(), "backup.timestamp: No such file"),
    "minus one": (timestamp_is(b"-1\n"), "B is below 1"),
    "swapped": (timestamp_is(b"999999999\n"), "B is not below F"),
    "near the end": (timestamp_is(b"9223372036854775807\n", "fast-forward"), "of the highest timestamp there is"),
    "another backup's": (timestamp_is(b"77\n"), "the manifest is sealed with B = "),
}


@pytest.mark.parametrize("case", TIMESTAMP_FILES)
def test_timestamp_files(lost: Rehearsal, case: str) -> None:
    spoil, said = TIMESTAMP_FILES[case]
    spoil(lost)
    before, files = lost.cluster_state(), lost.files()
    told = lost.unattended("restore")
    assert told.code == 3, told
    assert said in told.out
    assert "TimestampsInOrder" in told.out
    assert "\x1b" not in told.out
    assert lost.cluster_state() == before
    assert {name: content for name, content in lost.files().items() if not name.startswith("state")} == {
        name: content for name, content in files.items() if not name.startswith("state")
    }


@pytest.mark.parametrize("case", [name for name in TIMESTAMP_FILES if name not in {"swapped", "another backup's"}])
def test_timestamp_files_of_the_drop_in(lost: Rehearsal, case: str) -> None:
    spoil, said = TIMESTAMP_FILES[case]
    spoil(lost)
    before = lost.cluster_state()
    name = "fast-forward" if case == "near the end" else "backup"
    for command in ("clean-transactions", "fast-forward"):
        told = lost.atlasdb(
            "--offline", "-c", str(lost.directory / "install.yml"), "timestamp", command,
            "--file", str(lost.backup_dir / f"{name}.timestamp"),
        )  # fmt: skip
        assert told.code in {2, 3}, told
        assert told.code == 2 or (case, command) in {
            ("near the end", "fast-forward"),
            ("near the end", "clean-transactions"),
        }
        if case not in {"minus one", "near the end"}:
            assert said in told.err
        assert lost.cluster_state() == before


CONFIGURATIONS: dict[str, tuple[Spoil, int, str]] = {
    "malformed YAML": (file_is("install.yml", "atlasdb:\n  namespace: a\n store: {}\n"), 2, "install.yml:3:2:"),
    "a tab": (file_is("install.yml", "atlasdb:\n\tnamespace: shop\n"), 2, "install.yml:2:1:"),
    "not there": (lambda lost: (lost.directory / "install.yml").unlink(), 2, "install.yml: the file cannot be read"),
    "wrong root": (settings_are(config_root="/orders"), 2, "/orders"),
    "no pointer": (settings_are(config_root="orders"), 2, "orders"),
    "another store": (store_has(type="postgres"), 2, "does not keep its data in Cassandra"),
    "encrypted password": (
        store_has(credentials={"username": "atlas", "password": "${enc:QUJD}"}), 2, "encrypted value (${enc:…})",
    ),
    "Java key store": (
        store_has(sslConfiguration={"trustStorePath": "trust.jks"}), 2, "trust.jks",
    ),
    "TimeLock": (
        install_has(timelock={}), 3, "TimeLock is configured, but no file names its servers",
    ),
    "two keyspaces": (store_has(keyspace="other"), 2, "other"),
    "unknown setting": (settings_are(nodtool={"jmx_port": 7199}), 2, "“nodtool” is no setting. Did you mean nodetool?"),
    "port as a word": (settings_are(cql={"port": "ninety"}), 2, "cql.port"),
    "password in an argument": (
        settings_are(nodetool={"command": "nodetool -pw hunter2 -h {address}"}), 2, "can be read by everyone",
    ),
    "unknown placeholder": (settings_are(nodetool={"command": "ssh {host} nodetool"}), 2, "{host}"),
    "environment variable": (settings_are(cql={"password": "${NOT_SET_ANYWHERE}"}), 2, "NOT_SET_ANYWHERE is not set"),
    "command without a command": (settings_are(store={"method": "command"}), 2, "backup_command is missing"),
    "settings not there": (lambda lost: lost.settings.unlink(), 2, "recovery.yml: the file cannot be read"),
    "settings empty": (file_is("recovery.yml", ""), 2, "recovery.yml: the file is empty"),
    "settings twice": (file_is("recovery.yml", "backup_dir: a\nbackup_dir: b\n"), 2, "recovery.yml:2:1:"),
}  # fmt: skip


@pytest.mark.parametrize("command", ["restore", "doctor", "restore --plan", "inspect timestamp"])
@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_configurations(lost: Rehearsal, case: str, command: str) -> None:
    spoil, code, said = CONFIGURATIONS[case]
    spoil(lost)
    before, files = lost.cluster_state(), lost.files()
    told = lost.recovery(*command.split())
    assert told.code == code, told
    assert said in told.err
    assert told.err.count("\n") <= 6
    assert "Traceback" not in told.err
    assert lost.cluster_state() == before
    assert lost.files() == files


def test_what_the_program_has_no_use_for_in_the_services_file_may_be_anything(lost: Rehearsal) -> None:
    lost.write_service(somethingNewer={"deeply": ["nested"]}, targetedSweep={"enabled": True})
    assert lost.recovery("restore", "--plan").code == 0


@pytest.mark.parametrize("case", ["invalidated", "malformed", "row without a bound"])
def test_a_bound_that_no_embedded_service_may_use(lost: Rehearsal, case: str) -> None:
    """Found only once the store is restored: the fast-forward fails, with everything before it proven."""
    value = {"invalidated": b"\x01", "malformed": b"\x00\x01\x02", "row without a bound": None}[case]

    def spoil() -> None:
        if value is None:
            for store in lost.stores_of("_timestamp"):
                store.pop((b"ts", b"ts", -1))
            lost.write_everywhere("_timestamp", (b"ts", b"oldTs", -1), (10_001).to_bytes(8))
        else:
            lost.write_everywhere("_timestamp", (b"ts", b"ts", -1), value, newest=True)

    lost.simulated.faults.before("repair.range", spoil)
    told = lost.unattended("restore")
    assert told.code in {3, 4}, told
    assert "Restore complete" not in told.out
    assert lost.unattended("resume").code in {3, 4}


def test_nobody_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    rehearsal = Rehearsal(tmp_path)
    rehearsal.write_settings(cql={"port": port, "contact_points": ["127.0.0.1"]})
    files = rehearsal.files()
    for words in (["restore", "--plain"], ["backup", "--plain"], ["doctor"], ["inspect", "timestamp"]):
        told = ended(recovery_main, [*words, "--settings", str(rehearsal.settings)], None)
        assert told.code == 3, told
        assert f"no session with 127.0.0.1 on port {port}" in told.err
        assert "Check that the nodes are up" in told.err
        assert PASSWORD not in told.err + told.out
        assert rehearsal.files() == files


@pytest.mark.parametrize("words", [["doctor"], ["restore", "--plan"], ["resume"], ["inspect", "timestamp"]])
def test_a_directory_without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    told = ended(recovery_main, words, None)
    assert told.code == 2, told
    assert told.err.startswith(f"no recovery.yml was found in this directory ({tmp_path}). Write one: README.md shows")
    assert "--settings, or give --config" in told.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["restore", "--store-data-directories", "127.0.9.1"], "write it as ADDRESS=PATH"),
        (["restore", "--cql-port", "seventy"], "cql.port, given on the command line"),
        (["restore", "--removal", "shred"], "'shred' is not one of 'delete', 'abort'"),
        (["restore", "--answers", "nowhere.yml"], "nowhere.yml: the file cannot be read"),
        (["restore", "--cql-password", "x"], "No such option '--cql-password'"),
        (["restore", "--cql-tls-key-password", "x"], "No such option"),
        (["restaur"], "No such command 'restaur'"),
        (["inspect", "transactions"], "Missing option '--after'"),
        (["inspect", "transactions", "--after", "0"], "--after"),
        (["put-back", "nowhere.jsonl"], "nowhere.jsonl"),
        (["report", "--format", "pdf"], "'pdf' is not one of 'md', 'html'"),
        (["practice", "--version", "4.1"], "'4.1' is not one of '5.0', '2.2-palantir'"),
    ],
)
def test_words_that_are_none(lost: Rehearsal, words: list[str], said: str) -> None:
    files = lost.files()
    told: Ended = (
        lost.recovery(*words) if words[0] in {"restore", "inspect"} else ended(recovery_main, words, lost.graph)
    )
    assert told.code == 2, told
    assert said in told.err
    assert lost.files() == files
