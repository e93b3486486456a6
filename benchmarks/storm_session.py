"""A repair of 300 nodes with 256 ranges each, told at 5,000 events a second to the wizard in this process.

The events go the runner's way: into the session's state, into a journal on disk, over the bridge to the screens.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from atlasdb_recovery.events import (
    CommandStarted,
    Event,
    LinePrinted,
    PlanMade,
    Progressed,
    RangesExpected,
    RangesRepaired,
    RepairJudged,
    SessionStarted,
    StepIntended,
    StepVerified,
)
from atlasdb_recovery.journal.record import Journal
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.session import SessionState
from tui.app import RecoveryApp
from tui.bridge import Bridge
from tui.look import Look, prepare_environment
from tui.workplace import Explanation, Opening

NODES, RANGES, EACH_SECOND = 300, 256, 5_000
FAILED_AT_FIRST = 5
STEP, TABLES = "repair", ("_transactions", "_transactions2")
AT_ONCE = 25
"""Events between two chances for the screens: the runner gives them one at every event that has to be waited for."""
SLEPT = 0.010


class Storm:
    """Everything that is told of the repair, in order; endless after the beginning."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        self.nodes = [f"10.20.{at // 100}.{at % 100 + 1}" for at in range(NODES)]
        tokens = sorted(self._random.randrange(-(2**63), 2**63) for _ in range(NODES * RANGES))
        spans = [f"({tokens[at - 1]},{token}]" for at, token in enumerate(tokens)]
        self._random.shuffle(spans)
        self._ranges = {node: spans[at * RANGES : (at + 1) * RANGES] for at, node in enumerate(self.nodes)}
        self._done = dict.fromkeys(self.nodes, 0)

    def beginning(self) -> Iterator[Event]:
        commands = {node: [["repair", "-pr", "--full", "--", "orders", *TABLES]] for node in self.nodes}
        lines = tuple(f"nodetool -h {node} {' '.join(commands[node][0])}" for node in self.nodes)
        yield PlanMade(step=STEP, title="repair", lines=lines, fingerprint="f", facts={"commands": commands})
        yield StepIntended(step=STEP, fingerprint="f", attempt=1)
        for node in self.nodes:
            yield RangesExpected(step=STEP, node=node, ranges=tuple(self._ranges[node]))
        for node in self.nodes:
            yield CommandStarted(step=STEP, source=node, command=("nodetool", "-h", node, *commands[node][0]))
        for node in self.nodes[::60][:FAILED_AT_FIRST]:
            failed = tuple(self._ranges[node][:3])
            yield RangesRepaired(step=STEP, node=node, ranges=(), failed=failed)
            yield RepairJudged(
                step=STEP, node=node, tables=TABLES, verdict="not-repaired", reasons=("it died",), failed=failed
            )

    def events(self) -> Iterator[Event]:
        """In the proportions of a real transcript: most are lines."""
        running = [node for node in self.nodes if node not in self.nodes[::60][:FAILED_AT_FIRST]]
        count = 0
        while True:
            count += 1
            node = running[self._random.randrange(len(running))]
            match count % 20:
                case 0:
                    yield from self._finished(node)
                    count += 1
                case 10:
                    yield Progressed(step=STEP, unit="bytes validated", done=count << 14, total=1 << 40, scope=node)
                case 15:
                    yield Progressed(step=STEP, unit="bytes streamed", done=count << 10, total=1 << 36, scope=node)
                case _:
                    text = (
                        f"[2026-11-23 03:12:44,{count % 1000:03}] Repair session {count:08x}-8f1a-11f1-9c3b-31a6 for "
                    )
                    text += f"range {self._ranges[node][self._done[node] % RANGES]} finished (progress: {count % 100}%)"
                    yield LinePrinted(step=STEP, source=node, stream="out", text=text, at=count / EACH_SECOND)

    def _finished(self, node: str) -> Iterator[Event]:
        at = self._done[node]
        if at < RANGES:
            self._done[node] = at + 1
            yield RangesRepaired(step=STEP, node=node, ranges=(self._ranges[node][at],))
        yield Progressed(step=STEP, unit="ranges", done=self._done[node], total=RANGES, scope=node)


class StormPlace:
    """What the wizard runs instead of a session. It measures its own event loop and memory as it goes."""

    read_only = False

    def __init__(self, directory: Path, seconds: float, results: Path) -> None:
        self._directory = directory
        self._seconds = seconds
        self._results = results
        self.delays: list[float] = []
        self.memory: list[float] = []
        self.told = 0
        self.lasted = 0.0
        self.processor = 0.0

    def opening(self, procedure: str) -> Opening:
        return Opening(procedure, "PRACTICE", "orders", restore_steps())

    def sessions(self) -> list[object]:
        return []

    def explained(self, error: BaseException) -> Explanation:
        raise error

    async def begin(self, procedure: str, bridge: Bridge, *, take_over: bool = False) -> int:
        journal, state, storm = Journal.create(self._directory, "storm"), SessionState(), Storm()

        def emit(event: Event) -> None:
            state.apply(event)
            journal.append(event, sync=False)
            bridge.show(event, state)

        emit(_started())
        for step in ("preflight", "restore-store"):
            emit(StepVerified(step=step, evidence=()))
        for event in storm.beginning():
            emit(event)
            await asyncio.sleep(0)
        await asyncio.sleep(1.0)
        measuring = [asyncio.create_task(self._measure_delay()), asyncio.create_task(self._measure_memory())]
        began, spent, events = time.monotonic(), time.process_time(), storm.events()
        while (now := time.monotonic() - began) < self._seconds:
            while self.told < now * EACH_SECOND:
                for _ in range(AT_ONCE):
                    emit(next(events))
                self.told += AT_ONCE
                await asyncio.sleep(0)
            await asyncio.sleep(AT_ONCE / EACH_SECOND)
        self.lasted, self.processor = time.monotonic() - began, time.process_time() - spent
        for task in measuring:
            task.cancel()
        journal.close()
        measured = {name: getattr(self, name) for name in ("delays", "memory", "told", "lasted", "processor")}
        (written := self._results.with_suffix(".new")).write_text(json.dumps(measured))
        written.rename(self._results)
        return 0

    async def _measure_delay(self) -> None:
        """How late a short sleep ends."""
        while True:
            asked = time.monotonic()
            await asyncio.sleep(SLEPT)
            self.delays.append((time.monotonic() - asked - SLEPT) * 1_000)

    async def _measure_memory(self) -> None:
        while True:
            status = Path("/proc/self/status").read_text()
            line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
            self.memory.append(int(line.split()[1]) / 1024)
            await asyncio.sleep(1.0)


def _started() -> SessionStarted:
    return SessionStarted(
        session="storm",
        procedure="restore",
        keyspace="orders",
        mode="PRACTICE",
        version="0",
        operator="nobody",
        host="here",
        process=1,
        settings={},
        cluster="Storm",
    )


def run(arguments: Sequence[str]) -> None:
    """`arguments`: a directory for the journal, seconds, and where the measurements go."""
    directory, seconds, results = Path(arguments[0]), float(arguments[1]), Path(arguments[2])
    look = Look.chosen()
    prepare_environment(look)
    RecoveryApp(StormPlace(directory, seconds, results), look, first="restore").run()  # type: ignore[arg-type]


if __name__ == "__main__":
    run(sys.argv[1:])
