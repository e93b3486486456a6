"""`put-back`: what a restore removed returns as it was, by a typed phrase, and never once timestamps have moved on."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from atlasdb_recovery.atlas import manifest, timestamp_file
from tests.cli.rehearsal import Ended, Rehearsal
from tests.cli.terminal import CTRL_D, Terminal
from tests.cli.test_atlasdb import committed_after, in_the_middle

FAR = 2 * 10**12


def cleaned(alive: Rehearsal, cut: int, removal: str = "delete") -> Path:
    """The export of a removal by the drop-in."""
    alive.write_settings(removal=removal)
    told = alive.recovery("inspect", "timestamp")
    assert told.code == 0
    told = alive.atlasdb(
        "--offline", "-c", str(alive.directory / "install.yml"), "timestamp", "-t", str(cut), "clean-transactions"
    )
    assert told.code == 0, told
    (export,) = (alive.directory / "exports").glob("*.jsonl")
    return export


def put_back(rehearsal: Rehearsal, export: Path, count: int) -> Ended:
    phrase = f"put back {count} into shop on practice"
    return rehearsal.recovery("put-back", str(export), "--phrase", phrase)


@pytest.fixture
def here(alive: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    monkeypatch.chdir(alive.directory)
    return alive


@pytest.mark.parametrize("removal", ["delete", "abort"])
def test_everything_reads_as_before_and_a_second_time_does_no_harm(here: Rehearsal, removal: str) -> None:
    cut = in_the_middle(here)
    before = committed_after(here, 1)
    export = cleaned(here, cut, removal)
    removed = before - committed_after(here, 1)
    assert removed
    told = put_back(here, export, len(removed))
    assert told.code == 0, told
    assert f"{len(removed)} transactions read back as exported; {len(removed)} had to be written" in told.out
    assert committed_after(here, 1) == before
    told = put_back(here, export, len(removed))
    assert told.code == 0, told
    assert "; 0 had to be written" in told.out


@pytest.fixture
def parked(lost: Rehearsal) -> Rehearsal:
    """A restore that has removed, and waits before its fast-forward."""
    (lost.backup_dir / manifest.MANIFEST_NAME).unlink()
    timestamp_file.write(lost.backup_dir / "fast-forward.timestamp", FAR)
    assert lost.unattended("restore").code == 5
    return lost


def export_of(rehearsal: Rehearsal) -> tuple[Path, int]:
    (export,) = (rehearsal.directory / "exports").glob("*.jsonl")
    return export, int(json.loads(export.read_text().splitlines()[-1])["count"])


def finish(parked: Rehearsal) -> Ended:
    parked.answer(
        offline=True, clean_transactions={"remove_at_most": 1000}, far_fast_forward=f"fast-forward shop to {FAR}"
    )
    return parked.unattended("resume")


def test_a_restore_whose_removal_was_put_back_removes_again_before_it_claims_anything(parked: Rehearsal) -> None:
    export, count = export_of(parked)
    cut = timestamp_file.read(parked.backup_dir / "backup.timestamp")
    assert put_back(parked, export, count).code == 0
    assert len(committed_after(parked, cut)) == count
    told = finish(parked)
    assert told.code == 0, told
    assert f"remove {count} transactions committed after {cut}" in told.out
    assert committed_after(parked, cut) == set()
    assert parked.oracle_says() == "right"


def test_after_the_fast_forward_it_is_refused(parked: Rehearsal) -> None:
    assert finish(parked).code == 0
    export, count = export_of(parked)
    before = parked.cluster_state()
    told = put_back(parked, export, count)
    assert told.code == 3, told
    assert "NotFastForwarded refuses: session " in told.err
    assert "It is too late to put them back" in told.err
    assert parked.cluster_state() == before


@pytest.mark.parametrize("word", ["-t 50000000 fast-forward", "fetch"])
def test_once_timestamps_have_moved_on_it_is_refused_without_any_journal(here: Rehearsal, word: str) -> None:
    export = cleaned(here, in_the_middle(here))
    told = here.atlasdb(*f"--offline -c install.yml timestamp {word}".split())
    assert told.code == 0, told
    before = here.cluster_state()
    told = put_back(here, export, export_of(here)[1])
    assert told.code == 3
    assert "NotFastForwarded refuses: the timestamp bound was " in told.err
    assert here.cluster_state() == before


def test_while_somebody_is_connected_it_is_refused(here: Rehearsal) -> None:
    export = cleaned(here, in_the_middle(here))
    here.simulated.connect_client(here.nodes.addresses[0], user="orders-service")
    before = here.cluster_state()
    told = put_back(here, export, export_of(here)[1])
    assert told.code == 3
    assert "NoClientsConnected refuses" in told.err
    assert "orders-service" in told.err
    assert here.cluster_state() == before


@pytest.mark.parametrize("phrase", [None, "yes", "put back 0 into shop on practice", "PUT BACK"])
def test_without_the_phrase_nothing_happens(here: Rehearsal, phrase: str | None) -> None:
    export = cleaned(here, in_the_middle(here))
    before = here.cluster_state()
    told = here.recovery("put-back", str(export), *([] if phrase is None else ["--phrase", phrase]))
    assert told.code == 5
    assert f"The phrase is “put back {export_of(here)[1]} into shop on practice”" in told.err
    assert here.cluster_state() == before


def test_a_value_that_the_restore_did_not_leave_is_not_touched(here: Rehearsal) -> None:
    export = cleaned(here, in_the_middle(here))
    cell = next(row for row in map(json.loads, export.read_text().splitlines()) if row["record"] == "cell")
    position = (bytes.fromhex(cell["key"]), bytes.fromhex(cell["column1"]), cell["column2"])
    here.write_everywhere(cell["table"], position, b"\x00\x01\x02", newest=cell["schema"] != 3)
    told = put_back(here, export, export_of(here)[1])
    if cell["schema"] != 3:
        assert told.code == 4, told
        assert "FAILED: " in told.err
        assert "it was not touched" in told.err
        assert "  remedy: " in told.err


SPOILT: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "cut": (lambda lines: lines[:-1], "the end record is missing"),
    "a line lost": (lambda lines: [*lines[:2], *lines[3:]], "cells, but the end record says "),
    "no header": (lambda lines: lines[1:], "line 1: not the header of an export"),
    "no JSON": (lambda lines: [lines[0], b"{oops\n", *lines[1:]], "line 2: "),
    "another file": (lambda lines: [b"offline: true\n"], "line 1: "),
    "more after the end": (lambda lines: [*lines, lines[1]], "something follows the end record"),
    "a wrong field": (lambda lines: [lines[0], lines[1].replace(b'"start"', b'"begin"'), *lines[2:]], "line 2: "),
    "no hex": (lambda lines: [lines[0], lines[1].replace(b'"key":"', b'"key":"zz'), *lines[2:]], "line 2: "),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_file_that_is_no_export_is_named_with_its_line(here: Rehearsal, case: str) -> None:
    export = cleaned(here, in_the_middle(here))
    spoil, said = SPOILT[case]
    export.write_bytes(b"".join(spoil(export.read_bytes().splitlines(keepends=True))))
    before = here.cluster_state()
    told = here.recovery("put-back", str(export), "--phrase", "put back 1 into shop on practice")
    assert told.code == 2, told
    assert str(export) in told.err
    assert said in told.err
    assert here.cluster_state() == before


def test_an_export_of_another_keyspace_or_cluster_is_refused(here: Rehearsal) -> None:
    export = cleaned(here, in_the_middle(here))
    content = export.read_text()
    for old, new, said in (
        ('"keyspace":"shop"', '"keyspace":"other"', "the export is of keyspace other"),
        ('"cluster":"practice"', '"cluster":"staging"', "the export is of cluster staging, this one is practice"),
    ):
        export.write_text(content.replace(old, new, 1))
        told = put_back(here, export, 1)
        assert told.code == 2, told
        assert said in told.err


RUN = """
import os, sys
from pathlib import Path
from atlasdb_recovery.cli.ending import exit_code_of
from atlasdb_recovery.cli.interruption import heed_signals
from atlasdb_recovery.cli.main import main
from tests.cli.rehearsal import Rehearsal
from tests.cli.test_atlasdb import committed_after, in_the_middle
from tests.cli.test_put_back import cleaned
heed_signals()
os.chdir(sys.argv[1])
alive = Rehearsal(Path(sys.argv[1])).alive()
before = committed_after(alive, 1)
export = cleaned(alive, in_the_middle(alive))
code = exit_code_of(main, ["put-back", str(export), "--settings", str(alive.settings)], alive.graph)
print(f"[exit {code}] [{'whole' if committed_after(alive, 1) == before else 'removed'}]")
"""


@pytest.mark.parametrize("end", ["[exit 0] [whole]", "[exit 5] [removed]"])
def test_at_a_terminal_the_phrase_is_typed(tmp_path: Path, end: str) -> None:
    with Terminal([sys.executable, "-c", RUN, str(tmp_path)]) as terminal:
        terminal.until("These transactions will read as committed again.\nType exactly:  ")
        phrase = terminal.until("\n> ").removesuffix("\n> ")
        terminal.type(phrase + "\n" if "whole" in end else CTRL_D)
        terminal.until(end)
        assert terminal.ended() == 0
