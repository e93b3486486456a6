"""Plays a history to its end: life, backup, loss, restore, the oracle's verdict, and the life after it."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from atlasdb_recovery.atlas import manifest, timestamp_file
from atlasdb_recovery.atlas.names import COORDINATION
from atlasdb_recovery.atlas.schema_ranges import SchemaMap
from atlasdb_recovery.cassandra.ports import Cluster, Nodetool
from atlasdb_recovery.events import StepIntended
from atlasdb_recovery.practice import oracle, practice_keyspace
from atlasdb_recovery.practice.exercise import KEYSPACE
from atlasdb_recovery.practice.oracle import Verdict
from atlasdb_recovery.practice.practice_timestamps import PracticeTimestamps
from atlasdb_recovery.practice.simulated import RepairFault, SimulatedClock, SimulatedCluster, SimulatedNodetool
from atlasdb_recovery.practice.simulated.faults import outcome_unknown, times_out
from atlasdb_recovery.practice.simulated.images import KeyspaceImage, load_image, take_image
from atlasdb_recovery.practice.simulated.topology import Place
from atlasdb_recovery.practice.truth import Truth
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.front_end import Answer
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.step import Question
from atlasdb_recovery.procedure.steps.names import CLEAN_TRANSACTIONS
from atlasdb_recovery.settings import RepairSettings
from tests.properties.history import History, Trouble
from tests.properties.life_after import roll_back, stored_schemas, verdict_on_new_writes
from tests.properties.process import Process, ProcessJournal, Requests, run_alone
from tests.properties.service import Service
from tests.restore.arena import CAREFUL, Arena, ScriptedFrontEnd

SESSIONS_AT_MOST = 14
UNTIL_CALM = 5
"""Sessions after which nothing goes wrong by itself any more."""
MENDING = 20.0
"""Seconds that an operator takes."""
FILES = ("backup.timestamp", "fast-forward.timestamp")
BY_HAND = "restored by the operator's own tool"
Meanwhile = Callable[[], Awaitable[None]]


class HistoryFailed(AssertionError):
    """The restore did not come to its end, or not to the right one."""


class OracleSaysNo(HistoryFailed):
    """It came to its end, and users read something else than what was true at B."""


class SchemaNotCopied(HistoryFailed):
    """Without a manifest, starts beyond a map that was copied before it was extended have no schema: refused."""


@dataclass
class Machines:
    """A simulated cluster as one process sees it (`PracticeCluster`)."""

    servers: SimulatedCluster
    process: Process

    @property
    def cluster(self) -> Cluster:
        return Requests(self.servers, self.process)

    @property
    def nodetool(self) -> Nodetool:
        return Requests(SimulatedNodetool(self.servers), self.process)

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.servers.addresses

    @property
    def data_directories(self) -> Mapping[str, Path]:
        return self.servers.data_directories

    @property
    def replication(self) -> Mapping[str, str]:
        return self.servers.space(KEYSPACE).replication

    local_addresses = frozenset[str]()

    def seconds_now(self) -> float:
        return self.servers.wall.time()

    async def wait(self, seconds: float) -> None:
        await self.servers.wall.sleep(seconds)

    async def without_node(self, address: str, meanwhile: Meanwhile) -> None:
        raise NotImplementedError


class Operator(ScriptedFrontEnd):
    """Answers carefully; backs up and restores the store when asked to."""

    def __init__(self, answers: Mapping[str, Any], tool: Meanwhile | None = None) -> None:
        super().__init__({**CAREFUL, **answers})
        self._tool = tool

    async def answer(self, question: Question) -> Answer:
        if question.name in {"store-backed-up", "store-restored"} and self._tool is not None:
            await self._tool()
            return Answer(BY_HAND, "operator")
        return await super().answer(question)


class Play:
    """One history on its machines. The steps are as they are; mutants of them are for the oracle to catch."""

    def __init__(self, history: History, directory: Path) -> None:
        self.history = history
        self.directory = directory
        self._source = random.Random(history.seed + 1)
        self.servers = self._machines("127.0.9", SimulatedClock(), history.seed)
        self.service = Service(history, self.servers, KEYSPACE)
        self._image: KeyspaceImage | None = None
        self._until_meanwhile = 0

    def run(self) -> Verdict:
        """Raises HistoryFailed if the restore gets stuck, if the oracle says no, or if life cannot go on after it."""
        run_alone(self.live)
        self.back_up()
        run_alone(self.lose)
        self.restore()
        return run_alone(self.judge)  # type: ignore[no-any-return]

    def _machines(self, network: str, clock: SimulatedClock, seed: int) -> SimulatedCluster:
        history = self.history
        places = [
            Place(f"{network}.{number}", "datacenter1", "rack1", tuple(map(bytes.fromhex, tokens)))
            for number, tokens in enumerate(history.tokens, 1)
        ]
        servers = SimulatedCluster(
            places=places, dialect=history.dialect, seed=seed, clock=clock, data_root=self.directory / network
        )
        servers.in_turns = history.in_turns
        for node, skew in zip(servers.nodes.values(), history.skews, strict=True):
            node.skew = skew
        return servers

    async def live(self) -> None:
        """The keyspace, and the service's life before the backup."""
        replication = {"class": "SimpleStrategy", "replication_factor": str(self.history.factor)}
        await practice_keyspace.create(self.servers, KEYSPACE, replication)
        await self.service.timestamps.start()
        for chapter in self.history.before:
            await self.service.play(chapter)

    def back_up(self) -> None:
        """The real procedure, while the service goes on between any two of its requests."""
        history, journal = self.history, ProcessJournal()
        self._until_meanwhile = self._source.randint(1, 120) if history.meanwhile.stages else 0
        for kill in (*history.kills, None):
            operator, process = Operator({}, self._copy_by_hand), Process(kill, before=self._go_on)
            outcome = run_alone(partial(self._backup_session, process, journal, operator))
            if outcome is Outcome.DONE:
                break
            if outcome is not None:
                raise HistoryFailed(f"the backup ended {outcome.name}: {operator.refusals()} {operator.failures()}")
        if history.two_files:
            (self.directory / "backup" / manifest.MANIFEST_NAME).unlink()

    async def _backup_session(self, process: Process, journal: ProcessJournal, operator: Operator) -> Outcome | None:
        journal.process = process
        arena = self._arena(Machines(self.servers, process))
        steps, service = backup_steps(), self.service.timestamps
        return await process.outcome_of(  # type: ignore[no-any-return]
            arena.run("backup", steps, operator, journal=journal, timestamps=service)
        )

    async def _go_on(self) -> None:
        """The service, between two requests of the backup or between two copies."""
        self._until_meanwhile -= 1
        if self._until_meanwhile == 0:
            await self.service.play(self.history.meanwhile)
        await self.service.writer.run(self._source.randint(0, self.history.stages_a_request))

    async def _copy_by_hand(self) -> None:
        """Every table of every node at a moment of its own."""
        await self.service.writer.run(self.history.until_copied)
        image = take_image(self.servers, KEYSPACE)
        parts = [(address, table) for address in image.cells for table in image.cells[address]]
        parts = self._source.sample(parts, len(parts))
        if self.history.coordination_first:
            parts.sort(key=lambda part: part[1] != COORDINATION)
        for address, table in parts:
            table_id = self.servers.table(KEYSPACE, table).id
            image.cells[address][table] = dict(self.servers.nodes[address].store(table_id).cells)
            await self._go_on()
        self._image = image

    async def lose(self) -> None:
        """The service is killed where it is; the keyspace, or the whole cluster, is gone."""
        await self.service.writer.abandon()
        if self.history.restoring.elsewhere:
            clock = self.servers.wall
            self.servers = self._machines("127.0.8", clock, self.history.seed + 2)
        else:
            await self.servers.change_schema(f'DROP KEYSPACE "{KEYSPACE}"')
        self.servers.wall.advance(60)

    async def _restore_by_hand(self) -> None:
        assert self._image is not None
        if KEYSPACE not in self.servers.keyspaces:
            cells = dict(zip(self.servers.addresses, self._image.cells.values(), strict=True))
            image = KeyspaceImage(keyspace=self._image.keyspace, cells=cells)
            load_image(self.servers, image, old_ids=self.history.restoring.old_ids)

    def restore(self) -> None:
        """Sessions until the restore is complete: killed as the history says, resumed by an operator who mends."""
        restoring = self.history.restoring
        self._set_up_trouble()
        answers = {}
        if restoring.by_hand:
            run_alone(self._restore_by_hand)
            answers["store-restored"] = BY_HAND
        journal = ProcessJournal()
        for number in range(SESSIONS_AT_MOST):
            kill = restoring.kills[number] if number < len(restoring.kills) else None
            if number >= len(restoring.kills) + UNTIL_CALM:
                self.servers.faults.calm()
            operator = Operator(answers, self._restore_by_hand)
            if run_alone(partial(self._session, Process(kill), journal, operator)) is Outcome.DONE:
                self.servers.faults.calm()
                self._mend(operator)
                return
            self._mend(operator)
        if self.history.two_files and any(said.startswith("the schema of ") for said in operator.failures()):
            assert not [
                r for r in journal.records() if isinstance(r.event, StepIntended) and r.event.step == CLEAN_TRANSACTIONS
            ]
            raise SchemaNotCopied
        raise HistoryFailed(f"not restored in {SESSIONS_AT_MOST} sessions: {operator.refusals()} {operator.failures()}")

    async def _session(self, process: Process, journal: ProcessJournal, operator: Operator) -> Outcome | None:
        journal.process = process
        arena = self._arena(Machines(self.servers, process))
        steps = restore_steps()
        return await process.outcome_of(arena.run("restore", steps, operator, journal=journal))  # type: ignore[no-any-return]

    def _mend(self, operator: Operator) -> None:
        """What the remedies of the guards say."""
        self.servers.wall.advance(MENDING)
        for address, node in self.servers.nodes.items():
            if not node.up:
                self.servers.start_node(address)
        if "NothingOldCanReplay" in operator.refusals():
            self.servers.clear_paxos()

    def _set_up_trouble(self) -> None:
        restoring, faults = self.history.restoring, self.servers.faults
        faults.loss = restoring.loss
        for trouble in restoring.troubles:
            faults.before(trouble.point, self._action_of(trouble), passes=trouble.passes)
        if restoring.hollow is not None:
            faults.in_next_repair(self.servers.addresses[restoring.hollow], RepairFault(hollow=True))

    def _action_of(self, trouble: Trouble) -> Callable[[], None]:
        if trouble.stops is not None:
            return partial(self.servers.stop_node, self.servers.addresses[trouble.stops])
        return outcome_unknown if trouble.point.startswith("paxos.") else times_out

    def _arena(self, nodes: Machines) -> Arena:
        arena = Arena(nodes, self.directory)
        store = arena.settings.store
        if not self.history.snapshots:
            store = msgspec.structs.replace(store, method="external")
        repair = RepairSettings(parallel=self.history.restoring.parallel)
        removal: Any = self.history.restoring.removal
        arena.settings = msgspec.structs.replace(arena.settings, store=store, repair=repair, removal=removal)
        return arena

    async def judge(self) -> Verdict:
        """The oracle's verdict, by the schemas as they were and as the restored keyspace tells them."""
        backup, forward = (timestamp_file.read(self.directory / "backup" / name) for name in FILES)
        bound = await PracticeTimestamps(self.servers, KEYSPACE).bound()
        if bound is None or bound < forward:
            raise HistoryFailed(f"F is {forward}, and the bound {bound} after the restore")
        stored = msgspec.structs.replace(await stored_schemas(self.servers, KEYSPACE), bound=None)
        for schemas in (self.service.writer.schema_map, stored):
            verdict = await oracle.judge(self.servers, KEYSPACE, self._truth, schemas, backup, bound + 1)
            if not verdict.is_right:
                raise OracleSaysNo(f"B {backup}: {verdict.describe()} {verdict.differences} {schemas}")
        await self._live_on(backup, stored)
        return verdict

    async def _live_on(self, backup: int, schemas: SchemaMap) -> None:
        """With clocks that have passed every write time there is."""
        self.servers.wall.advance(60)
        kept = [t for t in self._truth.transactions if t.commit is not None and t.commit <= backup]
        if stuck := await roll_back(self.servers, KEYSPACE, self._truth, schemas, {t.start for t in kept}):
            raise OracleSaysNo(f"B {backup}: transactions that can never be rolled back: {stuck}")
        in_doubt = self._truth.in_doubt_at(backup)
        told = [msgspec.structs.replace(t, acknowledged=None) if t.start in in_doubt else t for t in kept]
        verdict = await verdict_on_new_writes(self.servers, KEYSPACE, told, self.history.seed)
        if not verdict.is_right:
            raise OracleSaysNo(f"B {backup}, in the life after: {verdict.describe()} {verdict.differences}")

    @property
    def _truth(self) -> Truth:
        return self.service.writer.truth


def played(history: History, directory: Path) -> Verdict:
    return Play(history, directory).run()
