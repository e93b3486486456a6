"""Scenes for guards: a simulated cluster at some moment of a backup or a restore, and a context to look at it with."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from atlasdb_recovery.cassandra.ports import Finished, Line, Nodetool, Output
from atlasdb_recovery.events import FactEstablished, StepIntended
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.simulated import Dialect, SimulatedCluster
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, GuardStatus
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome, checked
from atlasdb_recovery.procedure.session import folded
from atlasdb_recovery.procedure.store_methods.choice import store_method
from tests.restore.arena import Arena

FIRST, SECOND, THIRD = "127.0.9.1", "127.0.9.2", "127.0.9.3"
STAGES = 6


class Scene:
    """One moment. `check` looks through a guard as the runner does."""

    def __init__(self, arena: Arena, context: Context) -> None:
        assert isinstance(arena.nodes, SimulatedPractice)
        self.arena = arena
        self.context = context
        self.cluster: SimulatedCluster = arena.nodes.simulated
        self.keyspace = arena.exercise.keyspace

    @classmethod
    async def alive(cls, dialect: Dialect, directory: Path) -> Self:
        """The service's keyspace is there; a backup could begin."""
        arena = _arena(dialect, directory)
        await arena.exercise.make_history()
        return cls(arena, arena.context({}, timestamps=arena.exercise.timestamps))

    @classmethod
    async def lost(cls, dialect: Dialect, directory: Path) -> Self:
        """A backup was taken and the keyspace is gone; a restore could begin."""
        arena = _arena(dialect, directory)
        await arena.back_up_and_lose()
        return cls(arena, arena.context({}))

    @classmethod
    async def restored(cls, dialect: Dialect, directory: Path) -> Self:
        """The store is restored; the repair could begin."""
        arena = _arena(dialect, directory)
        await arena.back_up_and_lose()
        journal = MemoryJournal()
        assert await arena.restore(steps=restore_steps()[:2], journal=journal) is Outcome.DONE
        scene = cls(arena, arena.context({}))
        scene.context.state = folded(record.event for record in journal.records())
        return scene

    async def check(self, guard: Guard) -> GuardResult:
        """The result, with the remedy that would be shown."""
        result = await checked(guard, self.context)
        return msgspec.structs.replace(result, remedy=guard.remedy_for(result))

    def answers(self, **given: Any) -> None:
        """What an answers file says; underscores stand for hyphens."""
        self.context.answers = {name.replace("_", "-"): value for name, value in given.items()}

    def store(self, method: str, **settings: Any) -> None:
        """Another store method."""
        changed = msgspec.structs.replace(self.context.settings.store, method=method, **settings)
        self.context.settings = msgspec.structs.replace(self.context.settings, store=changed)
        self.context.store = store_method(changed)

    def establish(self, name: str, value: Any) -> None:
        self.context.state.apply(FactEstablished(name=name, value=value))

    def begin(self, step: str) -> None:
        self.context.state.apply(StepIntended(step=step, fingerprint="", attempt=1))

    def place(self, address: str, **changes: Any) -> None:
        """Change what is known of where a node sits."""
        node = self.cluster.nodes[address]
        node.place = msgspec.structs.replace(node.place, **changes)

    async def replicate(self, replication: Mapping[str, str]) -> None:
        """The keyspace gets another replication."""
        self.cluster.keyspaces[self.keyspace].replication = dict(replication)
        self.cluster.schema_changed()

    async def create_keyspace(self, replication: Mapping[str, str] | None = None) -> None:
        """Empty, as an operator would create it for a restore."""
        shown = ", ".join(f"'{k}': '{v}'" for k, v in (replication or self.arena.nodes.replication).items())
        await self.cluster.change_schema(f'CREATE KEYSPACE "{self.keyspace}" WITH replication = {{{shown}}}')


def _arena(dialect: Dialect, directory: Path) -> Arena:
    return Arena(SimulatedPractice(dialect, data_root=directory / "nodes"), directory, stages=STAGES)


def assert_result(result: GuardResult, status: GuardStatus, evidence: Sequence[str], remedy: str = "") -> None:
    """The evidence has every one of these words; the remedy is one that says so."""
    assert result.status is status, result
    for words in evidence:
        assert words in result.evidence, result.evidence
    assert remedy in result.remedy, result.remedy


def assert_passed(result: GuardResult, *evidence: str) -> None:
    assert_result(result, GuardStatus.PASSED, evidence)


def assert_blocked(result: GuardResult, *evidence: str, remedy: str) -> None:
    assert_result(result, GuardStatus.BLOCKED, evidence, remedy)


def assert_warned(result: GuardResult, *evidence: str, remedy: str) -> None:
    assert_result(result, GuardStatus.WARNED, evidence, remedy)


def assert_unknown(result: GuardResult, *evidence: str, remedy: str) -> None:
    assert_result(result, GuardStatus.UNKNOWN, evidence, remedy)
    assert not result.status.lets_pass


def assert_not_applicable(result: GuardResult, *evidence: str) -> None:
    assert_result(result, GuardStatus.NOT_APPLICABLE, evidence)
    assert result.status.lets_pass


class OneNodeForAll:
    """A command template without {address}: whichever node is meant, the same one answers."""

    def __init__(self, nodetool: Nodetool) -> None:
        self._nodetool = nodetool

    def command(self, address: str, *arguments: str) -> tuple[str, ...]:
        return self._nodetool.command(FIRST, *arguments)

    async def run(self, address: str, *arguments: str, timeout: float = 60.0) -> Output:
        return await self._nodetool.run(FIRST, *arguments)

    def stream(self, address: str, *arguments: str) -> AsyncGenerator[Line | Finished, None]:
        return self._nodetool.stream(FIRST, *arguments)
