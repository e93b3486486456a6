"""The repair step alone, after a store's restore, on simulated clusters whose nodes have several token ranges each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from atlasdb_recovery.events import Event, StepFailed
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.simulated import Dialect, SimulatedCluster
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.front_end import Choice
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.step import Step
from tests.restore.arena import Arena, ScriptedFrontEnd

NODES, TOKENS = 5, 3
FIRST, SECOND, THIRD, FOURTH, FIFTH = (f"127.0.9.{number}" for number in range(1, NODES + 1))
Kind = TypeVar("Kind", bound=Event)


@dataclass
class WatchingFrontEnd(ScriptedFrontEnd):
    """Retries so many times; does something when it sees an event."""

    retries: int = 0
    on_event: Callable[[Event], None] = lambda _: None
    states: list[SessionState] = field(default_factory=list)

    def show(self, event: Event, state: SessionState) -> None:
        super().show(event, state)
        self.on_event(event)

    async def after_failure(self, step: Step, failure: StepFailed) -> Choice:
        self.retries -= 1
        return Choice.RETRY if self.retries >= 0 else Choice.STOP

    def seen(self, kind: type[Kind], **fields: Any) -> list[Kind]:
        """The events of this kind with these fields, in order."""
        return [
            event
            for event in self.events
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())
        ]


class RepairBench(Arena):
    """A restored store, a session, and the step `repair` in front of it."""

    def __init__(self, dialect: Dialect, directory: Path, *, nodes: int = NODES, tokens: int = TOKENS) -> None:
        self.practice = SimulatedPractice(dialect, nodes=nodes, tokens=tokens, data_root=directory / "nodes")
        super().__init__(self.practice, directory, stages=10)
        self.live: Context | None = None

    @property
    def simulated(self) -> SimulatedCluster:
        return self.practice.simulated

    def with_repair(self, **settings: Any) -> None:
        repair = msgspec.structs.replace(self.settings.repair, **settings)
        self.settings = msgspec.structs.replace(self.settings, repair=repair)

    def context(self, answers: Mapping[str, Any], **given: Any) -> Context:
        self.live = super().context(answers, **given)
        return self.live

    async def repaired(self, front_end: WatchingFrontEnd, *, journal: MemoryJournal | None = None) -> Outcome:
        """The restore up to the end of its repair."""
        return await self.restore(front_end, steps=restore_steps()[:3], journal=journal)

    def stop(self, node: str) -> bool:
        assert self.live is not None
        return self.live.controls.stop(node)

    def stop_all(self) -> tuple[str, ...]:
        assert self.live is not None
        return self.live.controls.stop_all()

    async def primary(self, node: str) -> set[str]:
        """A node's primary ranges as text."""
        ranges = await self.nodes.cluster.ranges(self.exercise.keyspace)
        return {f"({one.start},{one.end}]" for one in ranges if one.replicas[0] == node}

    def replicas_differ_in(self) -> set[str]:
        """Token ranges of the transactions tables whose replicas hold different cells."""
        keyspace = self.exercise.keyspace
        ring = self.simulated.ring(keyspace)
        differing = set()
        for one in ring.ranges():
            for table in ("_transactions", "_transactions2"):
                table_id = self.simulated.table(keyspace, table).id
                held = [
                    {
                        position: store.cells[position]
                        for piece in ring.segments(bytes.fromhex(one.start), bytes.fromhex(one.end))
                        for store in [self.simulated.nodes[address].store(table_id)]
                        for position in store.between(piece.after, piece.until)
                    }
                    for address in one.replicas
                ]
                if any(each != held[0] for each in held):
                    differing.add(f"({one.start},{one.end}]")
        return differing
