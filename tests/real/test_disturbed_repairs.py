"""Repairs of real nodes that go wrong in the middle: nodetool is killed, a replica is killed."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path

import psutil
import pytest

from atlasdb_recovery.cassandra.ports import Finished, Line, Nodetool, Output
from atlasdb_recovery.events import Noted, RepairJudged, StepFailed
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.real import RealCluster
from atlasdb_recovery.practice.real_practice import RealPractice
from atlasdb_recovery.procedure.runner import Outcome
from tests.real.lost import Lost, proven_right
from tests.restore.arena import ScriptedFrontEnd

FIRST_LINE_WITHIN = 10.0
"""Real servers lose it now and then."""


class Disturbed:
    """nodetool; each of these nodes' first repair is disturbed when it has begun, while a replica cannot answer it."""

    def __init__(
        self, nodetool: Nodetool, real: RealCluster, frozen: str, disturb: dict[str, Callable[[], Awaitable[None]]]
    ) -> None:
        self._nodetool = nodetool
        self._process = real.process_id(frozen)
        self._disturb = disturb

    def command(self, address: str, *arguments: str) -> tuple[str, ...]:
        return self._nodetool.command(address, *arguments)

    async def run(self, address: str, *arguments: str, timeout: float = 60.0) -> Output:
        return await self._nodetool.run(address, *arguments, timeout=timeout)

    async def stream(self, address: str, *arguments: str) -> AsyncGenerator[Line | Finished, None]:
        items = self._nodetool.stream(address, *arguments)
        if arguments[0] == "repair" and (disturb := self._disturb.pop(address, None)) is not None:
            assert self._process is not None
            os.kill(self._process, signal.SIGSTOP)
            first = asyncio.ensure_future(anext(items))
            await asyncio.wait({first}, timeout=FIRST_LINE_WITHIN)
            await disturb()
            yield await first
        async for item in items:
            yield item


@pytest.mark.deep
@pytest.mark.parametrize("lost_keyspace", ["lost_5_0", "lost_2_2"], indirect=True)
async def test_nodetool_killed_and_then_a_replica_killed(lost_keyspace: Lost, tmp_path: Path) -> None:
    """The second ends as not repaired, or as unknown: on the fork nodetool may never hear that the replica died."""
    real = lost_keyspace.real
    one, two, three = real.addresses
    async with lost_keyspace.arena(tmp_path) as arena:
        assert isinstance(arena.nodes, RealPractice)

        async def kill_nodetool() -> None:
            nodetool_of(real, one, "repair").kill()
            process = real.process_id(three)
            assert process is not None
            os.kill(process, signal.SIGCONT)

        async def kill_replica() -> None:
            await real.stop_node(three)

        arena.nodetool = Disturbed(arena.nodetool, real, three, {one: kill_nodetool, two: kill_replica})
        front_end, journal = ScriptedFrontEnd(), MemoryJournal()
        assert await arena.restore(front_end, journal=journal) is Outcome.FAILED, front_end.refusals()
        judged = [event for event in front_end.events if isinstance(event, RepairJudged)]
        assert [(event.node, event.verdict == "repaired") for event in judged] == [(one, True), (two, False)], judged
        asked = [event.text for event in front_end.events if isinstance(event, Noted) and "asking" in event.text]
        assert len([text for text in asked if text.startswith(one)]) == 1
        assert "remembers a full repair" in judged[0].reasons[0]

        await arena.nodes.start_node(three)
        for address in told_to_restart(front_end, (one, two)):
            await arena.nodes.stop_node(address)
            await arena.nodes.start_node(address)
        again = ScriptedFrontEnd()
        outcome = await arena.restore(again, journal=journal)
        judged = [event for event in again.events if isinstance(event, RepairJudged)]
        assert outcome is Outcome.DONE, (again.refusals(), again.failures(), judged)
        assert [(event.node, event.verdict) for event in judged] == [(two, "repaired"), (three, "repaired")], judged
        await proven_right(arena)


def told_to_restart(front_end: ScriptedFrontEnd, addresses: Sequence[str]) -> list[str]:
    [failure] = [event for event in front_end.events if isinstance(event, StepFailed)]
    _, _, restart = failure.remedy.partition("restart Cassandra on ")
    return [address for address in addresses if address in restart]


def nodetool_of(real: RealCluster, address: str, verb: str) -> psutil.Process:
    """The child of this process that runs it."""
    words = {"org.apache.cassandra.tools.NodeTool", str(real.jmx_ports[address]), verb}
    [found] = [child for child in psutil.Process().children(recursive=True) if words <= set(child.cmdline())]
    return found
