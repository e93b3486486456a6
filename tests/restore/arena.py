"""A practice cluster on which a backup was taken and the keyspace lost; restores start from here."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from atlasdb_recovery.atlas import manifest, timestamp_file
from atlasdb_recovery.atlas.timestamp_file import BACKUP_FILE
from atlasdb_recovery.cassandra.ports import Cluster
from atlasdb_recovery.events import Event, GuardChecked, SessionResumed, SessionStarted, StepFailed
from atlasdb_recovery.journal.record import EventJournal, MemoryJournal
from atlasdb_recovery.practice.exercise import Exercise, PracticeCluster
from atlasdb_recovery.practice.oracle import Verdict
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.front_end import Answer, Choice, Overruled, Unanswered
from atlasdb_recovery.procedure.guards.client_guards import NoClientsConnected
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome, Runner
from atlasdb_recovery.procedure.session import REFUSING, SessionState, folded
from atlasdb_recovery.procedure.step import Question, Step
from atlasdb_recovery.procedure.store_methods import StoreMethod
from atlasdb_recovery.procedure.store_methods.choice import store_method
from atlasdb_recovery.settings import Settings
from atlasdb_recovery.timestamps.bound_store import EmbeddedTimestamps
from atlasdb_recovery.timestamps.service import TimestampService, TimestampServiceRefused
from tests.restore.one_quorum import SeenThroughOneQuorum, WritesBetweenSnapshots

CAREFUL: Mapping[str, Any] = {"offline": True, "clean-transactions": {"remove_at_most": 1_000_000}}


@dataclass
class ScriptedFrontEnd:
    """Answers from a mapping; never retries; keeps every event."""

    answers: Mapping[str, Any] = field(default_factory=lambda: dict(CAREFUL))
    events: list[Event] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def show(self, event: Event, state: SessionState) -> None:
        self.events.append(event)

    async def advance(self, step: Step, plan: Plan) -> Choice:
        return Choice.GO_ON

    async def answer(self, question: Question) -> Answer:
        self.questions.append(question)
        if question.name not in self.answers:
            raise Unanswered(question)
        return Answer(self.answers[question.name], "answers file")

    async def after_refusal(self, step: Step, refusals: Sequence[GuardChecked]) -> Choice | Overruled:
        return Choice.STOP

    async def after_failure(self, step: Step, failure: StepFailed) -> Choice:
        return Choice.STOP

    def refusals(self) -> dict[str, str]:
        return {e.guard: e.evidence for e in self.events if isinstance(e, GuardChecked) and e.status in REFUSING}

    def failures(self) -> list[str]:
        """What failed, and what was found wrong."""
        return [": ".join((e.problem, *e.evidence)) for e in self.events if isinstance(e, StepFailed)]


class Arena:
    """One exercise, and sessions on it."""

    def __init__(
        self,
        nodes: PracticeCluster,
        directory: Path,
        *,
        seed: int = 0,
        stages: int = 60,
        exercise: type[Exercise] = Exercise,
    ) -> None:
        self.nodes = nodes
        self.cluster = nodes.cluster
        self.nodetool = nodes.nodetool
        self.directory = directory
        self.stages = stages
        self.exercise = exercise(nodes, seed=seed, stages=stages)
        self.settings: Settings = self.exercise.settings(directory)

    async def back_up_and_lose(self) -> None:
        """History, a backup while the service runs, the loss."""
        await self.exercise.make_history()
        await self.back_up_running_service()
        await self.exercise.lose_keyspace()

    async def back_up_running_service(self, journal: EventJournal | None = None) -> None:
        """It is killed when the backup is done. However slowly it runs by itself, it goes on between two snapshots."""
        self.exercise.start_service()
        await self._back_up_while(lambda: self.exercise.get_on(self.stages), journal)
        await self.exercise.kill_service()

    async def back_up_between_snapshots_and_lose(self) -> None:
        """The same, but the service writes only right before the last node's snapshot: the other nodes' lack it."""
        await self.exercise.make_history()
        assert await self._back_up_while(self._goes_on_to_its_end)
        await self.exercise.kill_service()
        await self.exercise.lose_keyspace()

    async def _goes_on_to_its_end(self) -> None:
        await self.exercise.writer.run(self.stages)
        await self.exercise.writer.finish()

    async def _back_up_while(self, goes_on: Callable[[], Awaitable[None]], journal: EventJournal | None = None) -> bool:
        """Whether there were snapshots for the service to go on between."""
        nodetool = self.nodetool
        between = self.nodetool = WritesBetweenSnapshots(nodetool, self.nodes.addresses[-2], goes_on)
        await self._back_up(ScriptedFrontEnd({"store-backed-up": True}), journal)
        self.nodetool = nodetool
        return between.happened

    async def _back_up(self, front_end: "ScriptedFrontEnd", journal: EventJournal | None) -> None:
        service = self.exercise.timestamps
        outcome = await self.run("backup", backup_steps(), front_end, journal=journal, timestamps=service)
        assert outcome is Outcome.DONE, (front_end.refusals(), front_end.failures())

    def see_through(self, quorum: Sequence[str]) -> None:
        """From now on sessions read through these nodes alone."""
        self.cluster = cast(Cluster, SeenThroughOneQuorum(self.nodes.cluster, quorum))

    async def restore(
        self,
        front_end: ScriptedFrontEnd | None = None,
        *,
        steps: Sequence[Step] | None = None,
        journal: EventJournal | None = None,
        store: StoreMethod | None = None,
    ) -> Outcome:
        """One restore session from its beginning."""
        return await self.run("restore", steps or restore_steps(), front_end, journal=journal, store=store)

    async def run(
        self,
        procedure: str,
        steps: Sequence[Step],
        front_end: ScriptedFrontEnd | None = None,
        *,
        journal: EventJournal | None = None,
        timestamps: TimestampService | None = None,
        store: StoreMethod | None = None,
        session: str = "a-session",
    ) -> Outcome:
        """Begin a session, or go on with the one that the journal holds."""
        front_end = front_end or ScriptedFrontEnd()
        journal = journal or MemoryJournal()
        context = self.context(front_end.answers, timestamps=timestamps, store=store, session=session)
        earlier = [record.event for record in journal.records()]
        context.state = folded(earlier)
        first: Event
        if earlier:
            first = SessionResumed(operator="tester", host="here", process=1)
            context.session = context.state.session
        else:
            first = self.started(procedure, context.session)
        journal.append(first)
        context.state.apply(first)
        return await Runner(steps, context, journal, front_end).run()

    def started(self, procedure: str, session: str) -> SessionStarted:
        return SessionStarted(
            session=session,
            procedure=procedure,
            keyspace=self.exercise.keyspace,
            mode="PRACTICE",
            version="0",
            operator="tester",
            host="here",
            process=1,
            settings=self.settings.shown(),
        )

    def context(
        self,
        answers: Mapping[str, Any],
        *,
        timestamps: TimestampService | None = None,
        store: StoreMethod | None = None,
        session: str = "a-session",
    ) -> Context:
        async def nobody_connected() -> None:
            result = await NoClientsConnected().check(context)
            if not result.status.lets_pass:
                raise TimestampServiceRefused(result.evidence)

        nodes = self.nodes
        context = Context(
            session=session,
            settings=self.settings,
            cluster=self.cluster,
            nodetool=self.nodetool,
            timestamps=timestamps or EmbeddedTimestamps(self.cluster, self.settings.keyspace, nobody_connected),
            store=store or store_method(self.settings.store),
            mode="PRACTICE",
            answers=answers,
            state_directory=self.settings.state_dir,
            export_directory=self.settings.export_dir,
            local_addresses=nodes.local_addresses,
            seconds_now=nodes.seconds_now,
            wait=nodes.wait,
        )
        return context

    def restore_to(self, backup: int) -> None:
        """From now on to an earlier B: a backup of the two files alone, whose store was copied long after B."""
        (self.settings.backup_dir / manifest.MANIFEST_NAME).unlink(missing_ok=True)
        timestamp_file.write(self.settings.backup_dir / BACKUP_FILE, backup)

    @property
    def backup_timestamp(self) -> int:
        return timestamp_file.read(self.settings.backup_dir / BACKUP_FILE)

    async def verdict(self) -> Verdict:
        bound = await self.exercise.timestamps.bound()
        return await self.exercise.judged(self.backup_timestamp, (bound or 0) + 1)
