"""The runner from outside: what is on record before what happens, what stops it, and what it never does."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from atlasdb_recovery.cassandra.ports import ClusterUnreachable, NodetoolFailed, NotEnoughReplicas, OutcomeUnknown
from atlasdb_recovery.events import (
    AnswerGiven,
    Event,
    FactEstablished,
    GuardChecked,
    LinePrinted,
    Noted,
    Progressed,
    QuestionAsked,
    SessionCompleted,
    SessionParked,
    StepFailed,
    StepIntended,
    StepPerformed,
    StepVerified,
)
from atlasdb_recovery.journal.chain import Record
from atlasdb_recovery.journal.lock import Holder, LockLost, OperatorLock
from atlasdb_recovery.journal.record import Journal, JournalUnwritable
from atlasdb_recovery.procedure import runner as runner_module
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.front_end import Answer, Choice, Overruled
from atlasdb_recovery.procedure.guards.guard import GuardResult, blocked, passed, unknown
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.removal.pre_images import MalformedExport
from atlasdb_recovery.procedure.runner import Outcome, Runner
from atlasdb_recovery.procedure.session import folded
from atlasdb_recovery.procedure.step import Evidence, Question, StepFailure
from atlasdb_recovery.timestamps.service import TimestampServiceRefused
from tests.procedure.stage import Scripted, ScriptedStep, Stage, Told, raising


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def test_everything_in_its_order(stage: Stage) -> None:
    assert await stage.run() is Outcome.DONE
    assert stage.kinds() == [
        "GuardChecked",
        "PlanMade",
        "StepIntended",
        "Noted",
        "Noted",
        "FactEstablished",
        "StepPerformed",
        "StepVerified",
        "SessionCompleted",
    ]
    assert stage.only(FactEstablished).step == "scripted"
    assert stage.only(SessionCompleted).evidence == ("seen",)
    assert stage.front_end.shown == [record.event for record in stage.journal.records()]


class TestGuards:
    @pytest.mark.parametrize(
        "result", [blocked("somebody is there"), unknown("could not look")], ids=["blocked", "unknown"]
    )
    async def test_a_refusal_performs_nothing_and_plans_nothing(self, stage: Stage, result: GuardResult) -> None:
        stage.step.guard.results = [result]
        assert await stage.run() is Outcome.REFUSED
        assert stage.step.done == []
        assert stage.kinds() == ["GuardChecked"]
        checked = stage.only(GuardChecked)
        assert (checked.status, checked.evidence) == (result.status, result.evidence)
        assert checked.remedy == "Do what the test says."

    async def test_one_refusal_among_many_is_enough_and_all_are_shown(self, stage: Stage) -> None:
        others = [Scripted(), Scripted([blocked("no")]), Scripted()]
        stage.step.guards = lambda context: others  # type: ignore[method-assign]
        assert await stage.run() is Outcome.REFUSED
        assert stage.kinds() == ["GuardChecked"] * 3
        assert stage.step.done == []

    async def test_mended_and_looked_at_again_it_goes_on(self, stage: Stage) -> None:
        stage.step.guard.results = [blocked("down"), blocked("still down"), passed("up")]
        stage.front_end.refused = [Choice.RETRY]
        assert await stage.run() is Outcome.DONE
        assert stage.step.guard.looked == 3

    async def test_parked_at_a_refusal_it_says_which(self, stage: Stage) -> None:
        stage.step.guard.results = [blocked("node 3 is down")]
        stage.front_end.refused = [Choice.PARK]
        assert await stage.run() is Outcome.PARKED
        assert stage.only(SessionParked).reason == "Scripted: node 3 is down"
        assert stage.step.done == []

    async def test_a_guard_that_may_not_be_overruled_is_not(self, stage: Stage) -> None:
        stage.step.guard.results = [blocked("somebody is there")]
        stage.front_end.refused = [Overruled("Scripted", "I know better", "wizard"), Choice.STOP]
        assert await stage.run() is Outcome.REFUSED
        assert stage.step.done == []
        assert "GuardOverruled" not in stage.kinds()

    async def test_guards_looked_at_long_ago_are_looked_at_again_before_it_acts(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runner_module, "HOLDS_FOR", -1.0)
        stage.step.guard.results = [passed("nobody"), blocked("somebody came while the operator read")]
        assert await stage.run() is Outcome.REFUSED
        assert stage.step.done == []


class TestQuestions:
    async def test_a_plan_that_changed_between_question_and_act_is_asked_for_again(self, stage: Stage) -> None:
        stage.step.asks = [Question(name="sure", text="Sure?", phrase="remove", fingerprint="bound")]
        stage.step.plans = ["12 rows", "13 rows", "13 rows"]
        stage.front_end.answers = [Answer("remove", "terminal"), Answer("remove", "terminal")]
        assert await stage.run() is Outcome.DONE
        prints = [question.fingerprint for question in stage.front_end.questions]
        assert len(set(prints)) == 2
        assert stage.only(FactEstablished).value == "13 rows"
        assert stage.only(StepIntended).fingerprint == prints[-1]

    async def test_an_answer_for_the_plan_that_is_acted_on_is_not_asked_for_again(self, stage: Stage) -> None:
        stage.step.asks = [Question(name="sure", text="Sure?", phrase="remove", fingerprint="bound")]
        stage.front_end.answers = [Answer("remove", "terminal")]
        assert await stage.run() is Outcome.DONE
        assert len(stage.front_end.questions) == 1

    async def test_resumed_the_answer_counts_only_for_the_same_plan(self, stage: Stage) -> None:
        stage.step.asks = [Question(name="sure", text="Sure?", phrase="remove", fingerprint="bound")]
        stage.front_end.answers = [Answer("remove", "terminal")]
        stage.step.in_the_middle = raising(ClusterUnreachable("no node answered"))
        assert await stage.run() is Outcome.FAILED
        stage.step.in_the_middle = lambda: None
        assert await stage.resume() is Outcome.DONE
        assert len(stage.front_end.questions) == 1
        again = Stage(stage.arena.directory / "again")
        again.step.asks, again.step.plans = stage.step.asks, ["another"]
        again.journal = stage.journal
        again.context.state = folded(
            record.event for record in stage.journal.records() if not isinstance(record.event, StepVerified)
        )
        assert await again.run() is Outcome.PARKED
        assert len(again.front_end.questions) == 1

    @pytest.mark.parametrize("value", [False, None, "Remove", "remove ", "yes", {"remove_at_most": 5}])
    async def test_what_is_not_the_phrase_is_no_answer(self, stage: Stage, value: Any) -> None:
        stage.step.asks = [Question(name="sure", text="Sure?", phrase="remove", fingerprint="bound")]
        stage.front_end.answers = [Answer(value, "wizard")]
        assert await stage.run() is Outcome.PARKED
        assert stage.step.done == []
        assert "AnswerGiven" not in stage.kinds()
        assert "sure" in stage.only(SessionParked).reason

    async def test_nobody_there_to_answer_parks(self, stage: Stage) -> None:
        stage.step.asks = [Question(name="sure", text="Sure?")]
        assert await stage.run() is Outcome.PARKED
        assert stage.step.done == []
        assert stage.kinds()[-2:] == ["QuestionAsked", "SessionParked"]

    async def test_question_and_answer_are_on_record_before_anything_happens(self, stage: Stage) -> None:
        stage.step.asks = [Question(name="sure", text="Sure?")]
        stage.front_end.answers = [Answer("yes, all of it", "terminal")]
        assert await stage.run() is Outcome.DONE
        kinds = stage.kinds()
        assert kinds.index("QuestionAsked") < kinds.index("AnswerGiven") < kinds.index("StepIntended")
        assert (stage.only(AnswerGiven).answer, stage.only(AnswerGiven).by) == ("yes, all of it", "terminal")
        assert stage.only(QuestionAsked).name == "sure"

    async def test_stopped_before_the_step_it_parks(self, stage: Stage) -> None:
        stage.front_end.advances = [Choice.PARK]
        assert await stage.run() is Outcome.PARKED
        assert stage.step.done == []
        assert stage.kinds() == ["GuardChecked", "PlanMade", "SessionParked"]


class TestJournal:
    async def test_the_intent_is_on_disk_before_the_step_acts(self, stage: Stage) -> None:
        assert await stage.run() is Outcome.DONE
        by_kind = {kind: (sync, done) for kind, sync, done in stage.journal.synced}
        assert by_kind["StepIntended"] == (True, [])
        assert by_kind["StepPerformed"] == (True, ["first half", "second half"])
        assert by_kind["StepVerified"][0]
        assert by_kind["FactEstablished"][0]

    async def test_only_lines_and_progress_are_left_to_the_system(self, stage: Stage) -> None:
        async def perform(context: Context, plan: Plan) -> AsyncIterator[Event]:
            yield LinePrinted(source="n1", stream="stdout", text="a line")
            yield Progressed(unit="rows", done=1)
            yield Noted(level="note", text="x")

        stage.step.perform = perform  # type: ignore[method-assign]
        assert await stage.run() is Outcome.DONE
        unsynced = {kind for kind, sync, _ in stage.journal.synced if not sync}
        assert unsynced == {"LinePrinted", "Progressed", "GuardChecked"}

    @pytest.mark.parametrize("at", ["StepIntended", "Noted", "StepPerformed", "StepVerified"])
    async def test_a_journal_that_cannot_be_written_stops_everything(self, stage: Stage, at: str) -> None:
        class Full(Told):
            def append(self, event: Event, *, sync: bool = True) -> Record:
                if type(event).__name__ == at:
                    raise JournalUnwritable(Path("journal.jsonl"), OSError(28, "No space left on device"))
                return super().append(event, sync=sync)

        stage.journal = Full(stage.step)
        with pytest.raises(JournalUnwritable, match="No space left on device"):
            await stage.run()
        assert stage.step.done == ([] if at in {"StepIntended", "Noted"} else ["first half", "second half"])
        assert "SessionCompleted" not in stage.kinds()
        if at == "Noted":
            assert stage.step.closed, "what was begun is ended before the program goes"

    async def test_after_a_crash_an_intent_without_an_outcome_asks_the_cluster_first(self, stage: Stage) -> None:
        stage.step.in_the_middle = raising(SystemExit("killed"))
        with pytest.raises(SystemExit):
            await stage.run()
        assert stage.kinds()[-1] == "Noted"
        stage.step.found_done = Evidence(("it is done already",))
        stage.step.done.clear()
        assert await stage.resume() is Outcome.DONE
        assert stage.step.done == [], "nothing is repeated blindly"
        assert stage.only(StepVerified).found_done

    async def test_what_was_not_done_is_done_again_under_guards(self, stage: Stage) -> None:
        stage.step.in_the_middle = raising(SystemExit("killed"))
        with pytest.raises(SystemExit):
            await stage.run()
        stage.step.in_the_middle = lambda: None
        looked = stage.step.guard.looked
        assert await stage.resume() is Outcome.DONE
        assert stage.step.guard.looked > looked
        assert [r.event.attempt for r in stage.journal.records() if isinstance(r.event, StepIntended)] == [1, 2]

    async def test_a_settled_step_is_left_alone(self, stage: Stage) -> None:
        assert await stage.run() is Outcome.DONE
        stage.step.done.clear()
        stage.step.guard.results = [blocked("now it would refuse")]
        assert await stage.resume() is Outcome.DONE
        assert stage.step.done == []


class TestFailures:
    @pytest.mark.parametrize(
        "error",
        [
            ClusterUnreachable("no node answered"),
            NotEnoughReplicas("ALL needs 3 replicas"),
            OutcomeUnknown("timed out"),
            NodetoolFailed("did not end in time"),
            TimestampServiceRefused("another service"),
            MalformedExport("x.jsonl, line 3: damaged"),
            OSError(5, "Input/output error"),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_what_the_world_does_to_a_step_is_a_failure_with_its_words(
        self, stage: Stage, error: Exception
    ) -> None:
        stage.step.in_the_middle = raising(error)
        assert await stage.run() is Outcome.FAILED
        failed = stage.only(StepFailed)
        assert failed.problem == f"{type(error).__name__}: {error}"
        assert stage.step.done == ["first half"]
        assert "StepPerformed" not in stage.kinds()

    async def test_parked_at_a_failure_it_says_which(self, stage: Stage) -> None:
        stage.step.in_the_middle = raising(StepFailure("not proven"))
        stage.front_end.failed = [Choice.PARK]
        assert await stage.run() is Outcome.PARKED
        assert stage.only(SessionParked).reason == "scripted failed: not proven"

    async def test_a_steps_own_failure_keeps_evidence_and_remedy(self, stage: Stage) -> None:
        stage.step.in_the_middle = raising(
            StepFailure("not proven on \x1b[31mn3", evidence=("n3: \x07failed",), remedy="Look at n3's log.")
        )
        assert await stage.run() is Outcome.FAILED
        failed = stage.only(StepFailed)
        assert failed.problem == "not proven on \\x1b[31mn3"
        assert failed.evidence == ("n3: \\x07failed",)
        assert failed.remedy == "Look at n3's log."

    async def test_done_and_not_proven_is_failed_and_later_steps_do_not_run(self, stage: Stage) -> None:
        later = ScriptedStep("later")
        stage.steps.append(later)
        stage.step.proof = None
        assert await stage.run() is Outcome.FAILED
        assert stage.kinds()[-2:] == ["StepPerformed", "StepFailed"]
        assert later.done == []
        assert later.guard.looked == 0

    async def test_a_retry_asks_the_cluster_what_is_done_first(self, stage: Stage) -> None:
        stage.step.proof = None
        stage.front_end.failed = [Choice.RETRY]
        stage.step.found_done = Evidence(("there it is",))
        assert await stage.run() is Outcome.DONE
        assert stage.step.done == ["first half", "second half"]
        assert stage.only(StepVerified).found_done

    @pytest.mark.parametrize("error", [ZeroDivisionError(), KeyError("host"), ValueError("x"), AssertionError()])
    async def test_anything_else_is_a_defect_and_the_journal_has_all_until_then(
        self, tmp_path: Path, stage: Stage, error: Exception
    ) -> None:
        journal = Journal.create(tmp_path, "s-1")
        stage.step.in_the_middle = raising(error)
        with pytest.raises(type(error)):
            await Runner(stage.steps, stage.context, journal, stage.front_end).run()
        journal.close()
        kept = [type(record.event).__name__ for record in Journal.open(tmp_path, "s-1").records()]
        assert kept == ["GuardChecked", "PlanMade", "StepIntended", "Noted"]
        assert stage.step.closed

    async def test_a_plan_that_cannot_be_made_is_a_failure_before_anything_is_intended(self, stage: Stage) -> None:
        async def plan(context: Context) -> Plan:
            raise StepFailure("F is not above every timestamp", remedy="Check fast-forward.timestamp.")

        stage.step.plan = plan  # type: ignore[method-assign]
        assert await stage.run() is Outcome.FAILED
        assert stage.kinds() == ["GuardChecked", "StepFailed"]
        assert stage.step.done == []


class TestStopping:
    async def test_cancelled_in_the_middle_it_parks_and_resumes(self, stage: Stage) -> None:
        reached = asyncio.Event()

        async def wait_for_ever() -> None:
            reached.set()
            await asyncio.Event().wait()

        stage.step.in_the_middle = wait_for_ever
        task = asyncio.create_task(stage.run())
        await reached.wait()
        task.cancel()
        assert await task is Outcome.PARKED
        assert stage.step.closed
        assert stage.kinds()[-1] == "SessionParked"
        assert (stage.only(SessionParked).step, stage.only(SessionParked).reason) == ("scripted", "interrupted")
        stage.step.in_the_middle = lambda: None
        assert await stage.resume() is Outcome.DONE

    @pytest.mark.parametrize("where", ["guard", "plan", "question", "verify"])
    async def test_cancelled_anywhere_else_it_parks_too(self, stage: Stage, where: str) -> None:
        reached = asyncio.Event()

        async def wait_for_ever(*_: Any) -> Any:
            reached.set()
            await asyncio.Event().wait()

        if where == "guard":
            stage.step.guard.check = wait_for_ever  # type: ignore[method-assign, assignment]
        elif where == "question":
            stage.step.asks = [Question(name="sure", text="Sure?")]
            stage.front_end.answer = wait_for_ever  # type: ignore[method-assign, assignment]
        else:
            setattr(stage.step, where, wait_for_ever)
        task = asyncio.create_task(stage.run())
        await reached.wait()
        task.cancel()
        assert await task is Outcome.PARKED
        assert stage.kinds()[-1] == "SessionParked"
        assert stage.step.done == (["first half", "second half"] if where == "verify" else [])

    async def test_a_lock_that_was_taken_over_stops_it_before_it_acts(self, stage: Stage, tmp_path: Path) -> None:
        path = tmp_path / "x.lock"
        with OperatorLock.acquire([path], Holder.here("me", "mine")) as lock:
            stage.context.hold_lock = lock.check
            path.unlink()
            with pytest.raises(LockLost, match="is not held by this process any more"):
                await stage.run()
        assert stage.step.done == []
        assert "StepIntended" not in stage.kinds()

    async def test_with_the_lock_held_it_goes_on(self, stage: Stage, tmp_path: Path) -> None:
        with OperatorLock.acquire([tmp_path / "x.lock"], Holder.here("me", "mine")) as lock:
            stage.context.hold_lock = lock.check
            assert await stage.run() is Outcome.DONE

    async def test_no_success_is_claimed_while_a_step_is_unproven(self, stage: Stage) -> None:
        later = ScriptedStep("later")
        later.proof = None
        stage.steps.append(later)
        assert await stage.run() is Outcome.FAILED
        assert "SessionCompleted" not in stage.kinds()
        assert stage.only(StepFailed).step == "later"
        assert [r.event.step for r in stage.journal.records() if isinstance(r.event, StepPerformed)] == [
            "scripted",
            "later",
        ]
