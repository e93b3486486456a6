"""One run of a scenario: a history, a backup while the service writes, the loss, and then the operator's turn. Where
the backup is the operator's, it is judged by what can be restored from it.

It prints nothing and asks nothing. Whoever conducts it prepares it, shows the briefing, runs sessions on its `nodes`
with its `settings` and its `journals` (its world lives on with every record), offers its actions meanwhile, and at the
end asks for judgement and debrief.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec

from atlasdb_recovery.events import ActedInPractice
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.journal.record import Record
from atlasdb_recovery.journal.sessions import sessions
from atlasdb_recovery.practice.exercise import Exercise
from atlasdb_recovery.practice.oracle import Verdict
from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.debrief import Debrief, debriefed
from atlasdb_recovery.practice.scenarios.drill_journal import DrillJournals
from atlasdb_recovery.practice.scenarios.retelling import retold
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.world import Machines, World
from atlasdb_recovery.practice.timestamp_endpoint import TimestampEndpoint
from atlasdb_recovery.procedure.runner import EXPECTED, Outcome
from atlasdb_recovery.settings import Settings

BACKUP, RESTORE = "backup", "restore"
Conduct = Callable[[str, Settings], Awaitable[Outcome]]
"""Runs a session of this procedure under these settings; nobody but the conductor answers it."""
Say = Callable[[str], None]


class Drill:
    """One scenario on one cluster. Use it as an async context manager, and `prepare` it first."""

    def __init__(
        self, scenario: type[Scenario], nodes: Machines, directory: Path, *, seed: int = 0, removal: str = "delete"
    ) -> None:
        exercise = Exercise(nodes, seed=seed, stages=scenario.stages)
        self.world = World(nodes, exercise, exercise.settings(directory, removal=removal))
        self.scenario = scenario(self.world)
        self.journals = DrillJournals(self._now)
        self._paged_at = 0.0
        self._conduct: Conduct | None = None
        self._verdict: Verdict | None = None
        self._not_restored = ""
        self._time: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._time is not None:
            self._time.cancel()
            with suppress(asyncio.CancelledError):
                await self._time
        await self.world.exercise.kill_service()
        await self.world.given_up()

    @property
    def nodes(self) -> Machines:
        """The cluster, as a session sees it."""
        return self.world.nodes

    @property
    def settings(self) -> Settings:
        """Of the operator's sessions."""
        return self.world.settings

    @property
    def briefing(self) -> tuple[str, ...]:
        return self.scenario.briefing

    async def prepare(self, conduct: Conduct, say: Say = lambda _: None) -> Outcome:
        """Everything up to the page; DONE unless the backup failed. `say` is told what happens beside the sessions."""
        exercise, self._conduct = self.world.exercise, conduct
        *earlier, last = map(str, self.scenario.schemas)
        say(f"a service writes in AtlasDB's schemas {', '.join(earlier)} and {last}; one node misses a part of it")
        await exercise.make_history(self.scenario.schemas)
        await self.scenario.grow_up()
        self.world.nodetool.before = self._service_goes_on
        if self.scenario.procedure == RESTORE and (outcome := await self._lost(conduct, say)) is not Outcome.DONE:
            return outcome
        await self.scenario.arrange()
        self.journals.records.clear()
        self.journals.watched = self.scenario.happens
        self._time = asyncio.create_task(self.nodes.pass_time())
        self._paged_at = self.nodes.seconds_now()
        return Outcome.DONE

    async def _lost(self, conduct: Conduct, say: Say) -> Outcome:
        """A backup while the service writes, and the loss."""
        exercise = self.world.exercise
        exercise.start_service()
        outcome = await self._backed_up(conduct, say)
        self.world.nodetool.reset()
        await exercise.kill_service()
        if outcome is Outcome.DONE:
            self.world.backed_up()
            say(f"THE LOSS: keyspace {exercise.keyspace} is dropped")
            await exercise.lose_keyspace()
        return outcome

    async def _backed_up(self, conduct: Conduct, say: Say) -> Outcome:
        if not self.world.exercise.timestamps.uses_stored_bound:
            say("the backup is taken while the service runs; TimeLock hands out B and F")
            return await conduct(BACKUP, self.settings)
        with TimestampEndpoint(self.world.exercise.timestamps) as endpoint:
            say("the backup is taken while the service runs; its own endpoint hands out B and F")
            return await conduct(BACKUP, msgspec.structs.replace(self.settings, timestamp_servers=(endpoint.uri,)))

    async def _service_goes_on(self, _: str, arguments: Sequence[str]) -> None:
        """No two nodes are copied at the same moment of the service's life."""
        if arguments[:1] == ("snapshot",):
            await self.world.exercise.get_on(self.scenario.stages_between_snapshots)

    @property
    def resumable(self) -> str | None:
        """The session to go on with: of those that began a step, else of all, the one parked last."""
        left = [
            s for s in sessions(self.settings.state_dir) if s.procedure == self.scenario.procedure and s.can_be_resumed
        ]
        begun = [session for session in left if session.began]
        parked = [session for session in begun or left if session.state == "parked"]
        return next((session.id for session in (*parked, *begun)), None)

    @property
    def actions(self) -> Sequence[Action]:
        """What the operator can do now in the practice world."""
        return self.scenario.actions()

    async def act(self, key: str) -> ActedInPractice:
        """Do one of the actions, by its key, and put it on record, also if the cluster did not let it be done.

        KeyError if there is no such action now.
        """
        action = {action.key: action for action in self.actions}[key]
        await self.world.settled()
        began = self.nodes.seconds_now()
        try:
            seen = await action.perform()
        except EXPECTED as error:
            seen = plain(f"it did not work: {error}")
        seconds = round(self.nodes.seconds_now() - began, 3)
        acted = ActedInPractice(key=key, action=action.name, seen=seen, seconds=seconds)
        self.journals.acted(acted)
        return acted

    async def judge(self) -> Verdict | None:
        """What the oracle says of the restored keyspace; None while no session of the operator's is complete."""
        await self.world.settled()
        procedure = self.scenario.procedure
        is_complete = any(
            s.procedure == procedure and s.state == "completed" for s in sessions(self.settings.state_dir)
        )
        if self._verdict is not None or not is_complete:
            return self._verdict
        if procedure == BACKUP and await self._restored() is not Outcome.DONE:
            return None
        read_at = await self.world.exercise.timestamps.start_timestamp()
        self._verdict = await self.world.exercise.judged(self.world.backup_timestamp, read_at)
        return self._verdict

    async def _restored(self) -> Outcome:
        """The service stops, its keyspace is lost, and the operator's backup is all there is."""
        assert self._conduct is not None
        self.journals.watched = lambda _: None
        self.world.nodetool.reset()
        await self.world.exercise.kill_service()
        self.world.backed_up()
        await self.world.exercise.lose_keyspace()
        before = len(self.journals.records)
        outcome = await self._conduct(RESTORE, self.settings)
        told = retold(self.journals.records[before:], (), self._paged_at)
        why = told[-1].what if told else outcome.name
        self._not_restored = "" if outcome is Outcome.DONE else why
        return outcome

    async def debrief(self) -> Debrief:
        """What happened, what the operator did, where the time went, what was missed, and the rule behind it."""
        records = self.records()
        verdict, happenings = await self.judge(), self.world.happenings
        return debriefed(self.scenario, records, happenings, self._paged_at, verdict, self._not_restored)

    def records(self) -> list[Record]:
        """Everything on record since the page, in order of time."""
        return list(self.journals.records)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.nodes.seconds_now(), UTC)
