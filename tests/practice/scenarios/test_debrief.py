"""What a debrief makes of a record: time by step and by whom, and what was missed."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from atlasdb_recovery.events import (
    ActedInPractice,
    AnswerGiven,
    Event,
    GuardChecked,
    PlanMade,
    QuestionAsked,
    SessionCompleted,
    SessionResumed,
    SessionStarted,
    StepFailed,
    StepIntended,
    StepPerformed,
    StepVerified,
    TimestampServerSeen,
)
from atlasdb_recovery.journal.record import MemoryJournal, Record
from atlasdb_recovery.practice.scenarios.misses import misses
from atlasdb_recovery.practice.scenarios.retelling import Moment, Who, retold
from atlasdb_recovery.practice.scenarios.time_spent import time_spent
from atlasdb_recovery.practice.scenarios.world import Happening

PAGED = datetime(2026, 11, 23, 3, 7, tzinfo=UTC)
STEP = "repair"
DONE = (1, SessionCompleted(evidence=()))


def recorded(*scene: tuple[float, Event]) -> list[Record]:
    """Seconds that pass, and then the event."""
    now = PAGED
    journal = MemoryJournal(clock=lambda: now)
    for seconds, event in scene:
        now += timedelta(seconds=seconds)
        journal.append(event)
    return list(journal.records())


def guard(name: str, status: str, *, seconds: float = 0.0, step: str = STEP, evidence: str = "seen") -> GuardChecked:
    return GuardChecked(step=step, guard=name, status=status, evidence=evidence, seconds=seconds)


def acted(key: str, seconds: float = 0.0) -> ActedInPractice:
    return ActedInPractice(key=key, action=f"do {key}", seen="done", seconds=seconds)


PLANNED = PlanMade(step=STEP, title="t", lines=(), fingerprint="f")
INTENDED = StepIntended(step=STEP, fingerprint="f", attempt=1)
FAILED = StepFailed(step=STEP, problem="p")


@pytest.mark.parametrize(
    ("scene", "working", "waiting"),
    [
        pytest.param([(3, guard("A", "passed")), (2, guard("B", "passed"))], 5, 0, id="guards are work"),
        pytest.param([(1, PLANNED), (7, INTENDED), (4, StepPerformed(step=STEP, seconds=4))], 5, 7, id="advancing"),
        pytest.param(
            [
                (0, PLANNED),
                (0, QuestionAsked(step=STEP, name="q", question="?")),
                (9, AnswerGiven(step=STEP, name="q", answer=True, by="terminal")),
            ],
            0,
            9,
            id="answering",
        ),
        pytest.param(
            [
                (1, guard("A", "passed")),
                (1, guard("B", "blocked")),
                (12, guard("A", "passed", seconds=2)),
                (1, guard("B", "passed")),
            ],
            5,
            10,
            id="a refusal, and the guards again",
        ),
        pytest.param([(1, FAILED), (5, acted("x", 4)), (6, guard("A", "passed", seconds=1))], 2, 10, id="mending"),
        pytest.param([(1, FAILED), (20, SessionResumed(operator="o", host="h", process=1))], 1, 20, id="coming back"),
        pytest.param([(2, guard("A", "passed")), (3, guard("W", "passed", step="")), (4, INTENDED)], 9, 0, id="watch"),
    ],
)
def test_time_is_the_programs_or_the_operators(
    scene: list[tuple[float, Event]], working: float, waiting: float
) -> None:
    spent = time_spent(recorded(*scene), PAGED.timestamp())
    assert (sum(t.working for t in spent), sum(t.waiting for t in spent)) == pytest.approx((working, waiting))


def test_time_goes_to_the_step_that_was_at_work_or_waited() -> None:
    other = guard("A", "passed", step="prove")
    spent = time_spent(
        recorded((1, INTENDED), (2, StepVerified(step=STEP, evidence=())), (4, other)), PAGED.timestamp()
    )
    assert [t.step for t in spent] == [STEP, "prove"]
    assert [t.working for t in spent] == pytest.approx([3, 4])


def missed(*scene: tuple[float, Event], lessons: Iterable[str] = ()) -> list[str]:
    return misses(recorded(*scene), {key: f"Because of {key}." for key in lessons})


def test_a_guard_retried_without_a_change_is_named_with_how_often() -> None:
    again = [(1.0, guard("EveryNodeUp", "blocked"))] * 6
    assert missed(*again, DONE) == ["EveryNodeUp: checked again 5 times while nothing had been done about it."]
    mended = [*again[:2], (1.0, acted("x")), *again[:2], (1.0, acted("y")), (1.0, guard("EveryNodeUp", "passed"))]
    assert missed(*mended, DONE) == []


def test_a_step_tried_again_without_asking_why_is_named() -> None:
    again = (1.0, INTENDED)
    failed = (1.0, FAILED)
    assert missed(again, failed, again, failed, again, DONE) == [
        "repair was tried again 2 times without asking why it had failed."
    ]
    assert missed(again, failed, (1, acted("look")), again, DONE) == []


def test_an_action_that_was_no_help_is_named_with_its_lesson() -> None:
    assert missed((1, acted("truncate")), (1, acted("drop")), DONE, lessons=["truncate"]) == [
        "“do truncate” was no help. Because of truncate."
    ]


@pytest.mark.parametrize(("seconds", "is_missed"), [(0.5, True), (30.0, False)])
def test_a_warning_before_a_step_begun_at_once_went_by_unread(seconds: float, is_missed: bool) -> None:
    found = missed(
        (1, guard("ThriftClosed", "warned", evidence="Thrift is on")), (1, PLANNED), (seconds, INTENDED), DONE
    )
    assert found == (["A warning went by unread: ThriftClosed: Thrift is on"] if is_missed else [])


def test_what_was_left_incomplete_says_so() -> None:
    assert missed((1, FAILED)) == ["The restore was left incomplete."]


def begun(procedure: str) -> SessionStarted:
    return SessionStarted(
        session="s", procedure=procedure, keyspace="k", mode="PRACTICE", version="0", operator="o", host="h",
        process=1, settings={},
    )  # fmt: skip


def test_a_backup_is_told_as_one_and_a_failover_with_it() -> None:
    assert missed((1, begun("backup")), (1, FAILED)) == ["The backup was left incomplete."]
    seen = TimestampServerSeen(server="https://b", role="leads", instead_of="https://a")
    told = retold(recorded((1, begun("backup")), (1, seen), DONE), (), PAGED.timestamp())
    assert told == [
        Moment(1.0, Who.OPERATOR, "begins backup session s"),
        Moment(2.0, Who.PROGRAM, "timestamp service: https://b leads now, instead of https://a"),
        Moment(3.0, Who.PROGRAM, "every claim is proven: the backup is complete"),
    ]


def test_a_server_that_is_seen_between_plan_and_step_takes_no_time_from_the_operator() -> None:
    seen = TimestampServerSeen(server="https://a", role="leads")
    spent = time_spent(recorded((1, PLANNED), (3, seen), (4, INTENDED)), PAGED.timestamp())
    assert (sum(t.working for t in spent), sum(t.waiting for t in spent)) == pytest.approx((1, 7))


def test_refusals_of_one_look_are_one_moment_and_the_same_again_is_said_shortly() -> None:
    look = [
        (1.0, guard("B", "unknown")),
        (1.0, guard("A", "blocked", evidence="a node is down")),
        (1.0, guard("C", "passed")),
    ]
    told = retold(
        recorded(*look, *look, (1, acted("x"))), [Happening(PAGED.timestamp() - 60, "it broke")], PAGED.timestamp()
    )
    assert told == [
        Moment(0.0, Who.WORLD, "it broke"),
        Moment(1.0, Who.PROGRAM, "repair may not begin: A (a node is down); unknown: B"),
        Moment(4.0, Who.PROGRAM, "repair may not begin, for the same reasons"),
        Moment(7.0, Who.OPERATOR, "do x: done"),
    ]
