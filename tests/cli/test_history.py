"""`history`, `report` and `resume` by themselves: at any time, of any session, in any state."""

from contextlib import closing
from pathlib import Path

import pytest

from atlasdb_recovery.cli.main import main as recovery_main
from atlasdb_recovery.events import FactEstablished
from atlasdb_recovery.journal.record import Journal, journal_path
from atlasdb_recovery.procedure.facts import THRIFT_DISABLED
from tests.cli.rehearsal import Ended, Rehearsal, ended


def parked(lost: Rehearsal) -> str:
    """A session that waits for an answer."""
    lost.answer(offline=True)
    assert lost.unattended("restore").code == 5
    lost.answer(offline=True, clean_transactions={"remove_at_most": 1000})
    return lost.sessions()[-1]


def looked(*arguments: str) -> Ended:
    """A command that needs no cluster: there is no graph for it."""
    return ended(recovery_main, list(arguments), None)


def test_history_finds_the_journals_by_the_settings(lost: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    session = parked(lost)
    monkeypatch.chdir(lost.directory)
    for arguments in ([], ["--settings", str(lost.settings)], ["--state-dir", str(lost.directory / "state")]):
        told = looked("history", *arguments)
        assert told.code == 0
        assert told.out.splitlines()[0].startswith(
            f"{session}  parked: the question “clean-transactions” is not answered"
        )
        assert "restore of keyspace shop, by " in told.out
        assert "unproven: " not in told.out or "clean-transactions" in told.out
        assert f"go on with: atlasdb-recovery resume {session}" in told.out


def test_history_of_nothing(tmp_path: Path) -> None:
    told = looked("history", "--state-dir", str(tmp_path))
    assert (told.code, told.out) == (0, f"no sessions in {tmp_path}\n")


def test_history_shows_what_is_complete_and_what_is_damaged(lost: Rehearsal) -> None:
    assert lost.unattended("restore").code == 0
    (whole,) = lost.sessions()
    journal = journal_path(lost.directory / "state", whole)
    (lost.directory / "state" / "sessions" / "20200101T000000Z-restore-shop-0000").mkdir()
    damaged = journal_path(lost.directory / "state", "20200101T000000Z-restore-shop-0000")
    lines = journal.read_bytes().splitlines(keepends=True)
    damaged.write_bytes(b"".join([*lines[:5], lines[5].replace(b"shop", b"shep"), *lines[6:9]]))
    told = looked("history", "--settings", str(lost.settings)).out.splitlines()
    assert told[0] == f"{whole}  completed"
    assert told[2].startswith("20200101T000000Z-restore-shop-0000  ")
    assert any(line.startswith("    DAMAGED: ") for line in told)
    assert not [line for line in told if "go on with" in line]


@pytest.mark.parametrize("form", ["md", "html"])
def test_a_report_at_any_time(lost: Rehearsal, form: str) -> None:
    session = parked(lost)
    middle = looked("report", "--format", form, "--settings", str(lost.settings))
    assert middle.code == 0
    assert session in middle.out
    assert "Restore complete" not in middle.out
    assert lost.unattended("resume").code == 0
    written = lost.directory / f"report.{form}"
    told = looked("report", session, "--format", form, "--settings", str(lost.settings), "--output", str(written))
    assert (told.code, told.out) == (0, f"written to {written}\n")
    whole = written.read_text()
    assert session in whole
    assert len(whole) > len(middle.out)
    for step in ("restore-store", "repair", "clean-transactions", "fast-forward"):
        assert step in whole


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["report", "20200101T000000Z-restore-shop-0000"],
            "there is no session 20200101T000000Z-restore-shop-0000 in ",
        ),
        (["report", "../../etc/passwd"], "is not a session"),
        (["report"], "there are no sessions in "),
        (["report", "--output", "/nowhere/report.md"], "there are no sessions in "),
    ],
)
def test_reports_that_there_are_not(tmp_path: Path, arguments: list[str], said: str) -> None:
    told = looked(*arguments, "--state-dir", str(tmp_path))
    assert told.code == 2
    assert said in told.err


def test_a_report_that_cannot_be_written_ends_with_4(lost: Rehearsal) -> None:
    parked(lost)
    told = looked("report", "--settings", str(lost.settings), "--output", "/proc/nowhere/report.md")
    assert told.code == 4
    assert "/proc/nowhere" in told.err


def test_resume_takes_the_newest_that_has_begun_something(lost: Rehearsal) -> None:
    session = parked(lost)
    refused = lost.unattended("restore")
    assert refused.code == 3
    assert "KeyspaceEmpty" in refused.out
    assert len(lost.sessions()) == 2
    told = lost.unattended("resume")
    assert told.code == 0, told
    assert f"session {session}" in told.out


def test_resume_of_nothing_says_so(lost: Rehearsal) -> None:
    told = lost.unattended("resume")
    assert told.code == 2
    assert "no session of keyspace shop in " in told.err
    told = lost.unattended("resume", "20200101T000000Z-restore-shop-0000")
    assert told.code == 2
    assert "there is no session 20200101T000000Z-restore-shop-0000" in told.err


def test_a_session_goes_on_with_its_own_keyspace_only(lost: Rehearsal) -> None:
    session = parked(lost)
    install = lost.directory / "install.yml"
    install.write_text(install.read_text().replace("namespace: shop", "namespace: other"))
    told = lost.unattended("resume", session)
    assert told.code == 2
    assert f"session {session} is of keyspace shop, the settings name other" in told.err


def test_a_copy_of_the_state_directory_goes_on_elsewhere(lost: Rehearsal, tmp_path: Path) -> None:
    session = parked(lost)
    (lost.directory / "state").rename(lost.directory / "carried over")
    lost.write_settings(state_dir="carried over")
    told = lost.unattended("resume", session)
    assert told.code == 0, told
    assert lost.oracle_says() == "right"


def test_a_damaged_journal_is_not_resumed(lost: Rehearsal) -> None:
    session = parked(lost)
    journal = journal_path(lost.directory / "state", session)
    journal.write_bytes(journal.read_bytes().replace(b'"keyspace":"shop"', b'"keyspace":"shep"', 1))
    told = lost.unattended("resume", session)
    assert told.code == 3
    assert f"{journal}, line " in told.err
    assert "start a new session" in told.err


def test_a_session_is_given_up_once_and_not_resumed_any_more(lost: Rehearsal) -> None:
    session = parked(lost)
    given_up = ("abort", session, "--reason", "begun with \x1b[31mthe wrong backup", "--settings", str(lost.settings))
    told = looked(*given_up)
    assert told.code == 0, told
    assert f"Session {session} is given up. What it did on the cluster is not undone." in told.out
    assert "do NOT start the service on keyspace shop" in told.out
    assert looked("history", "--settings", str(lost.settings)).out.startswith(f"{session}  aborted: begun with ")
    report = journal_path(lost.directory / "state", session).with_name("report.md").read_text()
    assert "Aborted: the restore is NOT complete" in report
    assert "\x1b" not in report
    again = looked(*given_up)
    assert (again.code, f"session {session} is aborted already" in again.err) == (3, True)
    for arguments, code in (((session,), 3), ((), 2)):
        assert lost.unattended("resume", *arguments).code == code


def test_what_was_switched_off_is_named_when_a_session_is_given_up(lost: Rehearsal) -> None:
    session = parked(lost)
    with closing(Journal.open(lost.directory / "state", session)) as journal:
        journal.append(FactEstablished(step="restore-store", name=THRIFT_DISABLED, value=["127.0.0.2"]))
    told = looked("abort", session, "--reason", "done by hand", "--settings", str(lost.settings))
    assert "switched Thrift off on 127.0.0.2: run nodetool enablethrift" in told.out


def test_a_complete_session_cannot_be_given_up(lost: Rehearsal) -> None:
    assert lost.unattended("restore").code == 0
    (session,) = lost.sessions()
    before = journal_path(lost.directory / "state", session).read_bytes()
    told = looked("abort", session, "--reason", "why not", "--settings", str(lost.settings))
    assert (told.code, f"session {session} is completed already" in told.err) == (3, True)
    assert journal_path(lost.directory / "state", session).read_bytes() == before


@pytest.mark.parametrize("arguments", [(), ("--reason", "  ")])
def test_giving_up_wants_a_reason(lost: Rehearsal, arguments: tuple[str, ...]) -> None:
    told = looked("abort", parked(lost), *arguments, "--settings", str(lost.settings))
    assert (told.code, "reason" in told.err) == (2, True)
