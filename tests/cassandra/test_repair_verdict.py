"""Every captured repair against what its replicas held afterwards."""

import pytest

from atlasdb_recovery.cassandra.ports import Line
from atlasdb_recovery.cassandra.repair import RepairProgress, Verdict, confirmed_by_server, judge
from atlasdb_recovery.cassandra.repair_log import lines_in
from atlasdb_recovery.cassandra.repair_ranges import range_of
from atlasdb_recovery.cassandra.repair_transcript import Started
from tests.cassandra.repair_transcripts import Run, runs

REPAIRED, NOT_REPAIRED, UNKNOWN = Verdict.REPAIRED, Verdict.NOT_REPAIRED, Verdict.UNKNOWN


def honoured(run: Run) -> set[Verdict]:
    """The verdicts that are right for a run whose both streams were seen, by its truth and its options."""
    if run.loses_its_table:
        return {REPAIRED, UNKNOWN, NOT_REPAIRED}
    if run.has_nothing_to_repair:
        return {UNKNOWN}
    if run.loses_its_coordinator or run.exit_code in {-9, 143}:
        return {UNKNOWN}
    if run.exit_code != 0:
        return {NOT_REPAIRED}
    if not run.is_full:
        return {UNKNOWN}
    if run.truth == "unknown":
        return {REPAIRED}
    return {REPAIRED} if run.truth == "repaired" else {NOT_REPAIRED}


def each_run(*, where: str = "") -> pytest.MarkDecorator:
    return pytest.mark.parametrize("run", [pytest.param(r, id=r.name) for r in runs() if where in r.name])


@each_run()
def test_the_verdict_honours_what_the_replicas_held(run: Run) -> None:
    judgement = judge(run.command, run.lines, exit_code=run.exit_code)
    assert judgement.verdict in honoured(run), judgement.reasons
    assert judgement.reasons
    if run.truth == "not-repaired" and not run.loses_its_table:
        assert judgement.verdict is not REPAIRED


@each_run()
def test_neither_the_exit_code_nor_the_error_stream_are_needed_for_it(run: Run) -> None:
    judgement = judge(run.command, lines_in(run.timed))
    allowed = honoured(run)
    if not run.stdout or (run.exit_code and not run.is_full):
        allowed = allowed | {UNKNOWN}
    assert judgement.verdict in allowed, judgement.reasons


@each_run()
def test_without_the_command_the_servers_own_first_line_counts(run: Run) -> None:
    judgement = judge(None, lines_in(run.stdout))
    if judgement.verdict is REPAIRED:
        assert b"Starting repair command" in run.stdout
        assert run.truth != "not-repaired" or run.loses_its_table or "-pr" in run.command and "-st" in run.command


@each_run()
def test_a_command_cannot_be_proven_by_the_transcript_of_another(run: Run) -> None:
    other = "nodetool repair -full other_keyspace _transactions"
    assert judge(other, run.lines, exit_code=0).verdict is not REPAIRED or b"Starting repair" not in run.stdout


@each_run()
def test_a_failing_exit_only_lowers_the_verdict(run: Run) -> None:
    verdicts = {code: judge(run.command, run.lines, exit_code=code).verdict for code in (0, 1, 2, 143, -9)}
    assert {verdicts[code] for code in (1, 2, 143, -9)} <= {verdicts[0], UNKNOWN} - {REPAIRED}


@each_run()
def test_ranges_that_no_session_finished_are_missed(run: Run) -> None:
    progress = RepairProgress()
    for line in run.lines:
        progress.add(line)
    more = frozenset(progress.ranges_done | {("0123", "4567")})
    assert judge(run.command, run.lines, expected=more).verdict is not REPAIRED
    with_expected = judge(run.command, run.lines, expected=progress.ranges_done)
    assert with_expected.verdict in {judge(run.command, run.lines).verdict, UNKNOWN}
    assert with_expected.ranges_expected == len(progress.ranges_done)


@each_run()
def test_the_server_is_believed_only_with_its_options(run: Run) -> None:
    """nodetool died after its first line: what the server remembers decides, and never wrongly."""
    progress = RepairProgress()
    first = [line for line in run.lines if "Starting repair command" in line.text][:1]
    for line in first:
        progress.add(line)
    judgement = judge(run.command, first, exit_code=-9)
    assert judgement.verdict is UNKNOWN
    expected = frozenset(s for r in run.records for text in r.requested_ranges if (s := range_of(text)) is not None)
    if run.meta["scope"] == "primary range of node 1" and not expected <= {("aa", "00")}:
        expected = frozenset({("aa", "00")})
    table = "foo__bar" if "foo__bar" in run.command else "_transactions"
    keyspace = "rf2" if "rf2" in run.command else "atlas"
    decided = confirmed_by_server(judgement, run.records, keyspace, (table,), expected)
    if run.truth == "not-repaired" and not run.loses_its_table:
        assert decided.verdict is not REPAIRED
    has_options = all(record.options for record in run.records)
    is_one = len(run.records) == 1 and run.records[0].finished_at is not None
    if run.truth == "repaired" and run.is_full and first and has_options and is_one:
        assert decided.verdict is REPAIRED, decided.reasons
    if not run.is_full:
        assert decided.verdict is not REPAIRED


@each_run(where="5.0.6/02-")
def test_progress_is_the_judges_own_view(run: Run) -> None:
    progress = RepairProgress()
    done = []
    for at, line in enumerate(run.lines):
        progress.add(Line(at=float(at), stream="stdout", text=line.text))
        done.append((len(progress.ranges_done), progress.ranges_expected))
    assert done[0] == (0, 1)
    assert done[-1] == (1, 1)
    assert progress.last_sign_of_life == len(run.lines) - 1
    assert progress.last_line == run.lines[-1].text
    assert any(isinstance(statement, Started) for statement in progress.statements)
    judgement = judge(run.command, run.lines)
    assert (judgement.ranges_done, judgement.parent_ids) == (progress.ranges_done, progress.parent_ids)


def test_the_table_of_runs_has_every_kind() -> None:
    verdicts = [judge(run.command, run.lines, exit_code=run.exit_code).verdict for run in runs()]
    assert min(verdicts.count(verdict) for verdict in Verdict) >= 25
