"""“Complete” is said of a completed session whose every claim is proven, and of nothing else."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlasdb_recovery.events import (
    Event,
    FactEstablished,
    GuardChecked,
    GuardOverruled,
    SessionAborted,
    SessionCompleted,
    SessionParked,
    SessionResumed,
    StepFailed,
    StepIntended,
    StepVerified,
)
from atlasdb_recovery.procedure import facts
from tests.screens.ending_feed import forwarded_timelock
from tests.screens.removal_feed import UNICODE
from tests.tui.recorded import seen
from tui.claims import claims
from tui.ending_words import ending_text, headline
from tui.session_view import SessionView
from tui.standing import standing

Sessions = Mapping[str, Sequence[Event]]
PROCEDURES = ("backup", "restore")


def said(view: SessionView) -> str:
    """All that the last screen says of the end."""
    step = list(view.steps)[-1]
    return f"{ending_text(view, UNICODE).plain}\n{standing(view, None, step, read_only=False).sentence}"


def says_complete(view: SessionView) -> bool:
    return "complete" in said(view).lower().replace("not complete", "").replace("the data is complete at b", "")


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_every_beginning_of_a_session_is_not_complete_and_its_end_is(sessions: Sessions, procedure: str) -> None:
    events = sessions[procedure]
    assert isinstance(events[-1], SessionCompleted)
    for kept in range(len(events)):
        view = seen(events[:kept], procedure)
        assert not says_complete(view), (kept, said(view))
        assert "NOT complete" in said(view)
    whole = seen(events, procedure)
    assert says_complete(whole)
    assert headline(whole) == f"{procedure.capitalize()} complete"
    assert all(claim.is_proven for claim in claims(whole))


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_with_one_proof_missing_a_completed_session_is_not_complete(sessions: Sessions, procedure: str) -> None:
    events = sessions[procedure]
    proofs = [event for event in events if isinstance(event, StepVerified)]
    assert len(proofs) == len(seen(events, procedure).steps)
    for missing in proofs:
        view = seen([event for event in events if event is not missing], procedure)
        assert not says_complete(view)
        assert headline(view) == f"Ended, but the {procedure} is NOT complete"
        assert [claim.step for claim in claims(view) if not claim.is_proven] == [missing.step]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_is_lost_doubled_or_out_of_order_complete_means_completed_and_proven(
    sessions: Sessions, data: st.DataObject
) -> None:
    procedure = data.draw(st.sampled_from(PROCEDURES))
    events = list(sessions[procedure])
    ends: list[Event] = [
        SessionParked(step="repair", reason="interrupted"),
        SessionResumed(operator="o", host="h", process=1),
        SessionAborted(reason="given up"),
        StepFailed(step=events[-2].step, problem="it was not so"),
        StepIntended(step=events[-2].step, fingerprint="f", attempt=2),
        SessionCompleted(evidence=()),
    ]
    weighty = [event for event in events if isinstance(event, StepVerified | SessionCompleted)] + ends
    drawn = data.draw(st.lists(st.sampled_from(weighty), max_size=20))
    cut = data.draw(st.integers(0, len(events)))
    view = seen([*events[:cut], *drawn], procedure)
    state = view.state
    is_proven = all(state.steps.get(name) and state.steps[name].status == "verified" for name in view.steps)
    assert says_complete(view) is (state.outcome == "completed" and is_proven)


@pytest.mark.parametrize(
    ("last", "start"),
    [
        (SessionParked(step="prove", reason="interrupted"), "Parked: the restore is NOT complete"),
        (SessionAborted(reason="the wrong backup"), "Aborted: the restore is NOT complete"),
        (StepFailed(step="prove", problem="x"), "Not at its end yet: the restore is NOT complete"),
    ],
)
def test_short_of_the_end_the_service_must_not_be_started(sessions: Sessions, last: Event, start: str) -> None:
    view = seen([*sessions["restore"][:-3], last], "restore")
    assert headline(view) == start
    assert "do NOT start the service on this keyspace" in said(view)
    assert "start the service:" not in said(view)
    assert ("n goes on from here" in said(view)) is not isinstance(last, StepFailed)
    assert "atlasdb-recovery resume" not in said(view)  # a practice session ends with its cluster
    view.mode = "LIVE"
    assert ("atlasdb-recovery resume" in said(view)) is isinstance(last, SessionParked)


def test_a_complete_restore_names_its_claims_and_what_is_next(sessions: Sessions) -> None:
    view = seen(sessions["restore"], "restore")
    text, target = said(view), view.state.fact(facts.FAST_FORWARD_TIMESTAMP)
    removed = view.state.fact(facts.REMOVED)
    for wanted in (
        "repair proven on 3 of 3 nodes",
        f"{removed['count']:,} transactions committed after B = {view.state.fact(facts.BACKUP_TIMESTAMP)} removed",
        "scanned again, 0 left",
        f"the bound {view.state.fact(facts.FAST_FORWARDED)['reached']} was read back at or above F = {target}",
        f"a fresh timestamp is above F = {target}",
        f"start the service: its timestamps begin above F = {target}",
        "switch on again whatever else you switched off",
        f"keep the rows as they were before: {removed['export']}",
    ):
        assert wanted in text
    assert "do NOT start" not in text


def test_of_a_service_without_a_bound_none_is_claimed(sessions: Sessions) -> None:
    target = seen(sessions["restore"], "restore").state.fact(facts.FAST_FORWARD_TIMESTAMP)
    text = said(seen([*sessions["restore"], forwarded_timelock(None, target + 1)], "restore"))
    assert f"a fresh timestamp, {target + 1}, was above F = {target}" in text


def test_each_claim_has_the_evidence_of_its_step(sessions: Sessions) -> None:
    view = seen(sessions["restore"], "restore")
    for event in sessions["restore"]:
        if isinstance(event, StepVerified):
            assert event.evidence
            assert all(line in said(view) for line in event.evidence)


def test_what_was_overruled_stands_in_the_headline_with_its_reason(sessions: Sessions) -> None:
    events = list(sessions["restore"])
    overruled = GuardOverruled(step="preflight", guard="ClocksClose", reason="NTP was set right", by="wizard")
    view = seen([events[0], overruled, *events[1:]], "restore")
    assert headline(view) == "Restore complete, with 1 guard overruled"
    assert "overruled: ClocksClose: NTP was set right" in said(view)


def test_warnings_and_the_operators_word_stand_against_it(sessions: Sessions) -> None:
    warned = GuardChecked(
        step="repair", guard="SweepBelowBackup", status="warned", evidence="that it is whole is unproven"
    )
    view = seen([*sessions["restore"][:-1], warned, sessions["restore"][-1]], "restore")
    assert "warned: SweepBelowBackup: that it is whole is unproven" in said(view)
    assert "on your word: offline: yes" in said(view)
    assert "clean-transactions: {" not in said(view)


def test_a_warning_that_a_later_look_took_back_is_gone(sessions: Sessions) -> None:
    warned = GuardChecked(step="repair", guard="EveryNodeUp", status="warned", evidence="was slow")
    held = GuardChecked(step="prove", guard="EveryNodeUp", status="passed", evidence="3 of 3")
    view = seen([*sessions["restore"][:-1], warned, held], "restore")
    assert "was slow" not in said(view)


@pytest.mark.parametrize("is_over", [True, False])
def test_what_this_session_switched_off_is_named(sessions: Sessions, is_over: bool) -> None:
    off = FactEstablished(step="restore-store", name=facts.THRIFT_DISABLED, value=["127.0.0.1", "127.0.0.2"])
    events = sessions["restore"] if is_over else sessions["restore"][:-4]
    view = seen([*events, off], "restore")
    wanted = (
        "Thrift, switched off for the restore, is on again on 127.0.0.1, 127.0.0.2"
        if is_over
        else "Thrift is switched off on 127.0.0.1, 127.0.0.2; on again: nodetool enablethrift"
    )
    assert wanted in said(view)


def test_the_report_is_named_once_it_lies_there(sessions: Sessions) -> None:
    from pathlib import Path

    view = seen(sessions["restore"], "restore")
    assert "report: none was written" in said(view)
    view.report = Path("/state/report.html")
    assert "report: /state/report.html" in said(view)
    assert "report: written when the session ends" in said(seen(sessions["restore"][:9], "restore"))


def test_a_complete_backup_names_b_and_f(sessions: Sessions) -> None:
    view = seen(sessions["backup"], "backup")
    assert f"B = {view.state.fact(facts.BACKUP_TIMESTAMP)} fetched before the store was backed up" in said(view)
    assert f"F = {view.state.fact(facts.FAST_FORWARD_TIMESTAMP)} fetched after the store was backed up" in said(view)
    assert "copy the backup's directory away" in said(view)
    assert "this is no backup yet" in said(seen(sessions["backup"][:-1], "backup"))
