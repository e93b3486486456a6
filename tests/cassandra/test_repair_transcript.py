"""The line grammar, the command line's options, and files as people save them."""

from typing import Any

import pytest

from atlasdb_recovery.cassandra.ports import Line
from atlasdb_recovery.cassandra.repair import Judgement, Verdict, judge
from atlasdb_recovery.cassandra.repair_log import lines_in
from atlasdb_recovery.cassandra.repair_options import UnreadableCommand, asked_by
from atlasdb_recovery.cassandra.repair_ranges import uncovered
from atlasdb_recovery.cassandra.repair_transcript import (
    CommandFinished,
    Failed,
    SessionFinished,
    Sign,
    Statement,
    statement,
)

AT = "[2026-11-23 02:06:13,526] "
PARENT = "7592ac20-e6e2-11f1-a37d-e1ec31c6fafc"
SESSION = "7593e4a0-e6e2-11f1-a37d-e1ec31c6fafc"
LATER = "7593e4a1-e6e2-11f1-a37d-e1ec31c6fafc"
SUCCESS = f"{AT}Repair completed successfully"
POLLED = "queried for parent session status and discovered repair completed."
FULL = "nodetool -h 10.0.0.1 repair -full -pr atlas _transactions"


def start(number: int = 2, parent: str = PARENT, keyspace: str = "atlas", **changed: Any) -> str:
    options = {
        "parallelism": "parallel",
        "primary range": "true",
        "incremental": "false",
        "ColumnFamilies": "[_transactions]",
        "dataCenters": "[]",
        "hosts": "[]",
        "previewKind": "NONE",
        "# of ranges": "1",
        "pull repair": "false",
        "force repair": "false",
        "paxosOnly": "false",
    }
    options |= {name.replace("_", " "): value for name, value in changed.items()}
    text = ", ".join(f"{name}: {value}" for name, value in options.items() if value)
    return (
        f"{AT}Starting repair command #{number} ({parent}), repairing keyspace {keyspace} with repair options ({text})"
    )


def session(ranges: str = "[(aa,00]]", session_id: str = SESSION) -> str:
    return f"{AT}Repair session {session_id} for range {ranges} finished (progress: 57%)"


def end(number: int = 2) -> str:
    return f"{AT}Repair command #{number} finished in 2 seconds"


def judged(*texts: str, command: str | None = FULL, expected: frozenset[tuple[str, str]] | None = None) -> Judgement:
    return judge(command, [Line(at=0.0, stream="stdout", text=text) for text in texts], expected=expected)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (f"{AT}Repair session {SESSION} for range (aa,00] finished (progress: 100%)", {("aa", "00")}),
        (f"{AT}Repair session {SESSION} for range [(aa,]] finished (progress: 7%)", {("aa", "")}),
        (f"{AT}Repair session {SESSION} for range [(,5], (5,-1]] finished (progress: 57%)", {("", "5"), ("5", "-1")}),
        (
            f"\ufeff\x1b[32m{AT}\x1b[1mRepair session {SESSION} for range (,] finished (progress: 1%)\x1b[0m\r",
            {("", "")},
        ),
    ],
)
def test_ranges_of_a_finished_session(text: str, meaning: set[tuple[str, str]]) -> None:
    found = statement(text)
    assert isinstance(found, SessionFinished)
    assert set(found.ranges) == meaning


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Repair command #7 finished in 1 second", CommandFinished(7, None)),
        ("Repair command #7 finished in 11 seconds", CommandFinished(7, None)),
        ("Repair command #7 finished in 1 day 2 hours 0 minutes 1 second", CommandFinished(7, None)),
        ("Repair command #7 finished in 10 minutes", CommandFinished(7, None)),
        ("Repair command #7 finished in 0 seconds for keyspace atlas", CommandFinished(7, "atlas")),
        ("Repair command #7 finished in 5 second", Sign.DAMAGED),
        ("Repair command #7 finished in 5 seconds or so", Sign.DAMAGED),
        (f"Repair session {SESSION} for range [(aa,00]] finished (progress: 57%) or not", Sign.DAMAGED),
        (f"Repair session {SESSION} for range [(aa,00], (00,5", Sign.DAMAGED),
        ("Repair command #7 finished in 1", Sign.DAMAGED),
        ("Repair command #7 finished in", Sign.DAMAGED),
        ("Repair completed successfull", Sign.DAMAGED),
        ("Repair completed successfully", Sign.SUCCESS),
        ("Repair completed successfully; Preview complete", Sign.DAMAGED),
        ("Repair preview completed successfully", Sign.PREVIEW),
        ("There were some lost notification(s). You should check server log", Sign.NOTIFICATIONS_LOST),
        ("Nothing to repair for keyspace 'rf1'", Sign.NOT_NEEDED),
        (f"Repair {PARENT} skipped: {PARENT} Empty keyspace, skipping repair: empty", Sign.EMPTY_KEYSPACE),
        (
            "After receiving lost notification queried for parent session status and discovered repair completed.",
            None,
        ),
        ("Sending VALIDATION_REQ message: Repair completed successfully", None),
    ],
)
def test_lines_with_a_time_stamp(text: str, meaning: Statement | None) -> None:
    assert statement(AT + text) == meaning
    if meaning is not Sign.NOTIFICATIONS_LOST:  # which nodetool prints without one
        assert statement(text) is None, "without its time stamp it may be a part of another message"


@pytest.mark.parametrize(
    "text",
    [
        f"{AT}Some repair failed",
        f"{AT}Repair command #4 finished with error",
        f"{AT}Repair command #4 failed with error Endpoint not alive: /10.0.0.3",
        f"{AT}Repair session {SESSION} for range (aa,00] failed with error Endpoint /10.0.0.3 died (progress: 85%)",
        f"{AT}After waiting queried for parent session status and discovered repair failed.",
        "06:13,526] Repair command #4 finished with error",
        f"n {SESSION} for range [(aa,00]] failed with error Stream failed",
        f"{AT}Did not get positive replies from all endpoints. List of failed endpoint(s): [10.0.0.3]",
        "java.lang.RuntimeException: Repair job has failed with the error message: Repair command #4",
        "error: Invalid username or password",
        "nodetool: Failed to connect to '10.0.0.1:7199' - ConnectException: 'Connection refused'.",
    ],
)
def test_any_line_of_failure_is_enough(text: str) -> None:
    assert isinstance(statement(text), Failed)
    judgement = judged(start(), session(), SUCCESS, end(), text)
    assert judgement.verdict is Verdict.NOT_REPAIRED
    assert any(text.removeprefix(AT) in reason for reason in judgement.reasons)


def test_a_whole_good_run_is_repaired() -> None:
    judgement = judged(start(), session(), SUCCESS, end(), SUCCESS)
    assert judgement.verdict is Verdict.REPAIRED
    assert judgement.ranges_done == {("aa", "00")}
    assert (judgement.ranges_expected, judgement.parent_ids, judgement.full) == (1, (PARENT,), True)


@pytest.mark.parametrize(
    "options",
    [
        {"incremental": "true"},
        {"incremental": ""},
        {"previewKind": "REPAIRED"},
        {"hosts": "[10.0.0.1, 10.0.0.2]"},
        {"dataCenters": "[dc1]"},
        {"pull_repair": "true"},
        {"force_repair": "true"},
        {"paxosOnly": "true"},
    ],
)
def test_options_that_the_server_shows(options: dict[str, Any]) -> None:
    judgement = judged(start(**options), session(), SUCCESS, end())
    assert (judgement.verdict, judgement.full) == (Verdict.UNKNOWN, False)


@pytest.mark.parametrize("option", ["--preview", "-vd", "--force", "-local", "-dc dc1", "-hosts a,b", "--pull", "-inc"])
def test_options_that_the_command_shows(option: str) -> None:
    command = f"nodetool repair {option} -full -pr atlas _transactions"
    judgement = judged(start(), session(), SUCCESS, end(), command=command)
    assert (judgement.verdict, judgement.full) == (Verdict.UNKNOWN, False)


@pytest.mark.parametrize(
    "lines",
    [
        (start(), SUCCESS, end()),
        (start(), session(), end()),
        (start(), session(), SUCCESS),
        (session(), SUCCESS, end()[:-1]),
        (start(), session(), SUCCESS, end(3)),
        (start(), start(number=3), session(), SUCCESS, end()),
        (start(), start(parent=LATER), session(session_id=LATER), SUCCESS, end()),
        (start(keyspace="other"), session(), SUCCESS, end()),
        (start(ColumnFamilies="[other]"), session(), SUCCESS, end()),
        (start(primary_range="false"), session(), SUCCESS, end()),
        (start(), session(), session("[(00,55]]", LATER), SUCCESS, end()),
        (start(), session(session_id=f"{SESSION[:19]}-b1b1-e1ec31c6faff"), SUCCESS, end()),
        (start(), session(session_id=f"6{SESSION[1:]}"), SUCCESS, end()),
        (start()[:-9], session(), SUCCESS, end()),
        (start(), session(), SUCCESS, end(), "There were some lost notification(s). You should check server log"),
        (start(), session(), SUCCESS, end(), f"{AT}There were some lost notification(s). You should check server log"),
        (start(), f"{AT}Preview complete", session(), SUCCESS, end()),
        (session(), session(session_id=LATER), SUCCESS, end()),
        (start(), session(), SUCCESS, f"{end()} for keyspace atl"),
        (session(), SUCCESS, f"{end()} for keyspace atl"),
        (start().replace("# of ranges: 1, ", ""), session(), SUCCESS, end()),
        (start(), session(), SUCCESS, end(), start(3, LATER), session(session_id=f"8{SESSION[1:]}"), SUCCESS, end(3)),
        (start(), session(), SUCCESS, f"{AT}condition satisfied {POLLED}", SUCCESS),
        (start(), session(), SUCCESS, end(), "-- StackTrace --"),
        (start(), session(), SUCCESS, end(), "See 'nodetool help' or 'nodetool help <command>'."),
    ],
)
def test_what_is_missing_or_does_not_belong_is_not_proven(lines: tuple[str, ...]) -> None:
    assert judged(*lines).verdict is Verdict.UNKNOWN


def test_a_lost_first_line_needs_a_command_that_says_full() -> None:
    rest = (session(), SUCCESS, end())
    assert judged(*rest).verdict is Verdict.REPAIRED
    assert judged(*rest, command="nodetool repair -pr atlas _transactions").verdict is Verdict.UNKNOWN
    assert judged(*rest, command=None).verdict is Verdict.UNKNOWN
    assert judged(*rest, expected=frozenset({("AA", "0")})).verdict is Verdict.REPAIRED
    assert judged(*rest, expected=frozenset({("aa", "00"), ("00", "55")})).verdict is Verdict.UNKNOWN


def test_every_keyspace_in_turn_must_be_good() -> None:
    command = "nodetool repair --full -pr"
    keyspaces = {"ColumnFamilies": "[]"}
    one = (start(1, **keyspaces), session(), SUCCESS, end(1), SUCCESS)
    two = (start(2, LATER, "other", **keyspaces), session(session_id=f"8{SESSION[1:]}"), SUCCESS, end(2), SUCCESS)
    none_needed = f"{AT}Replication factor is 1. No repair is needed for keyspace 'rf1'"
    assert judged(*one, none_needed, *two, command=command).verdict is Verdict.REPAIRED
    assert judged(*one, *two[1:], command=command).verdict is Verdict.REPAIRED, "the second's first line was lost"
    assert judged(none_needed, command=command).verdict is Verdict.UNKNOWN
    for lost in range(1, 4):
        assert (
            judged(*one, *two[:lost], *two[lost + 1 :][:2], command=command).verdict is not Verdict.REPAIRED
            or lost == 2
        )
    assert judged(*one, *two).verdict is Verdict.UNKNOWN, "one keyspace was asked for"


def test_an_empty_keyspace_in_turn_hides_nothing() -> None:
    command = "nodetool repair --full -pr"
    keyspaces = {"ColumnFamilies": "[]"}
    one = (start(1, **keyspaces), session(), SUCCESS, end(1))
    two = (start(3, LATER, "other", **keyspaces), session(session_id=f"8{SESSION[1:]}"), SUCCESS, end(3))
    empty = (f"{AT}{PARENT} Empty keyspace, skipping repair: empty", end(2))
    assert judged(*one, *empty, *two, command=command).verdict is Verdict.REPAIRED
    late = (one[0], one[2], one[3], one[1])
    assert judged(*late, *empty, *two, command=command).verdict is Verdict.REPAIRED, "lines overtook each other"
    for lines in ((one[0], *one[2:], *empty, *two), (*one, *empty, two[0], *two[2:]), (*one, empty[0], two[0])):
        assert judged(*lines, command=command).verdict is Verdict.UNKNOWN


def test_a_lost_first_line_among_several_needs_full_too() -> None:
    keyspaces = {"ColumnFamilies": "[]"}
    lines = (start(1, **keyspaces), session(), SUCCESS, end(1), session(session_id=LATER), SUCCESS, end(2))
    assert judged(*lines, command="nodetool repair -full -pr").verdict is Verdict.REPAIRED
    assert judged(*lines, command="nodetool repair -pr").verdict is Verdict.UNKNOWN
    assert judged(*lines, command=None).verdict is Verdict.UNKNOWN


def test_a_subrange_is_what_must_be_covered() -> None:
    command = "nodetool repair -full -st aa -et 00 atlas _transactions"
    assert judged(session(), SUCCESS, end(), command=command).verdict is Verdict.REPAIRED
    assert judged(session("[(aa,ff]]"), SUCCESS, end(), command=command).verdict is Verdict.UNKNOWN


def test_a_range_that_also_failed_is_not_done() -> None:
    failed = f"{AT}Repair command #2 failed with error Repair session {LATER} for range [(aa,00]] failed with error x"
    judgement = judged(start(), session(), session("[(00,55]]", LATER), failed)
    assert set(judgement.ranges_done) == {("00", "55")}
    assert set(judgement.ranges_failed) == {("aa", "00")}


def test_nothing_to_repair_is_not_a_repair() -> None:
    for line in (
        "Nothing to repair for keyspace 'atlas'",
        "Replication factor is 1. No repair is needed for keyspace 'a'",
    ):
        assert judged(AT + line).verdict is Verdict.UNKNOWN
        assert judged(AT + line, SUCCESS).verdict is Verdict.UNKNOWN


def test_a_lost_connection_does_not_decide() -> None:
    gone = "error: [2026-11-23 02:17:21,398] JMX connection closed. You should check server log for repair status"
    judgement = judged(start(), "Cassandra has shutdown.", gone)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "without nodetool" in judgement.reasons[-1]


def test_a_connection_lost_after_the_end_leaves_it_to_the_server() -> None:
    assert judged(start(), session(), SUCCESS, end(), SUCCESS, "Cassandra has shutdown.").verdict is Verdict.UNKNOWN


def test_the_forks_last_line_is_whole_only_with_its_keyspace() -> None:
    first = start().replace(f" ({PARENT})", "")
    rest = (session("(aa,00]"), SUCCESS)
    fork = "nodetool repair --partitioner-range -- atlas _transactions"
    assert judged(first, *rest, f"{end()} for keyspace atlas", command=fork).verdict is Verdict.REPAIRED
    assert judged(first, *rest, f"{end()} for keyspace atla", command=fork).verdict is Verdict.UNKNOWN
    assert judged(first, *rest, end(), command=fork).verdict is Verdict.UNKNOWN
    assert judged(first, *rest, end(), command=FULL).verdict is Verdict.REPAIRED, "Apache's 2.2 and 3.0 name none"


def test_reasons_hold_no_control_characters() -> None:
    judgement = judged(f"{AT}Repair command #4 failed with error \x1b]0;owned\x07 \u202e x\x08")
    assert judgement.verdict is Verdict.NOT_REPAIRED
    assert all(reason.isprintable() for reason in judgement.reasons)


@pytest.mark.parametrize(
    ("command", "keyspace", "tables", "full", "subrange"),
    [
        ("nodetool repair", None, set(), None, None),
        ("repair --partitioner-range --full -- atlas a b", "atlas", {"a", "b"}, True, None),
        ("/opt/c/bin/nodetool -h repair -u repair repair -full atlas", "atlas", set(), True, None),
        ("nodetool --ssl -Dcom.sun.jndi.rmiURLParsing=legacy repair -full atlas", "atlas", set(), True, None),
        ("nodetool repair -inc atlas", "atlas", set(), False, None),
        ("nodetool repair -full -st aa -et '' atlas t", "atlas", {"t"}, True, ("aa", "")),
        ("nodetool --host=h repair --end-token=0f --full atlas t", "atlas", {"t"}, True, ("", "0f")),
        ("ssh n1 'nodetool -p 7199 repair -full atlas t' 2>&1 | tee log", "atlas", {"t"}, True, None),
        ("nodetool repair -full atlas t > out.txt 2>&1", "atlas", {"t"}, True, None),
    ],
)
def test_what_a_command_asks(
    command: str, keyspace: str | None, tables: set[str], full: bool | None, subrange: tuple[str, str] | None
) -> None:
    asked = asked_by(command)
    assert (asked.keyspace, set(asked.tables), asked.full, asked.subrange) == (keyspace, tables, full, subrange)
    assert bool(asked.narrowed) is (full is False)


@pytest.mark.parametrize(
    "command", ["nodetool repair --sub-set atlas", "nodetool repair -st", "nodetool 'repair", "ls"]
)
def test_a_command_that_is_not_understood_leaves_it_unknown(command: str) -> None:
    with pytest.raises(UnreadableCommand):
        asked_by(command)
    assert judged(start(), session(), SUCCESS, end(), command=command).verdict is Verdict.UNKNOWN


def test_chains_of_ranges_cover_longer_ones() -> None:
    done = [("00", "55"), ("55", "AA"), ("aa", "00")]
    assert not uncovered([("00", "aa"), ("0", "0"), ("55", "55")], done)
    assert uncovered([("00", "99"), ("11", "55")], done) == {("00", "99"), ("11", "55")}
    assert uncovered([("aa", "55")], done[:2]) == {("aa", "55")}


def test_files_as_they_are_saved() -> None:
    text = f"   1.482  {start()}\r\n   2.626  {session()}\r\n  10.001  {SUCCESS}\r\n  10.002  {end()}"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "latin-1"):
        lines = lines_in(text.encode(encoding))
        assert [line.at for line in lines] == [1.482, 2.626, 10.001, 10.002]
        assert judge(FULL, lines).verdict is Verdict.REPAIRED
    assert judge(
        FULL, lines_in("\n".join([start(), "caf\xe9", session(), SUCCESS, end()]).encode("latin-1"))
    ).verdict is (Verdict.REPAIRED)
    assert judge(FULL, lines_in(b"")).verdict is Verdict.UNKNOWN
