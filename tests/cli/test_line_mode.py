"""Line mode by itself: how often it speaks, what it counts, what it leaves out, and that no secret gets through."""

import asyncio
import io
import re
from collections.abc import Awaitable, Callable

import pytest

from atlasdb_recovery.cli.lines import Lines
from atlasdb_recovery.cli.plain import PlainFrontEnd
from atlasdb_recovery.events import (
    CommandEnded,
    CommandStarted,
    GuardChecked,
    LinePrinted,
    PlanMade,
    Progressed,
    StepIntended,
)
from atlasdb_recovery.procedure.answers import Answers
from atlasdb_recovery.procedure.controls import Controls
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.session import SessionState


class Clock:
    """Time that passes only when told to; `wait` returns when enough of it has passed."""

    def __init__(self) -> None:
        self.now = 0.0
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        return self.now

    async def wait(self, seconds: float) -> None:
        until: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self.now + seconds, until))
        await until

    async def pass_by(self, seconds: int, each: Callable[[], None] = lambda: None) -> None:
        """So many seconds, one after the other."""
        for _ in range(seconds):
            self.now += 1
            due = [one for one in self._waiting if one[0] <= self.now]
            self._waiting = [one for one in self._waiting if one[0] > self.now]
            for _, until in due:
                until.set_result(None)
            each()
            for _ in range(5):
                await asyncio.sleep(0)


class Watched(io.StringIO):
    """Notes when each line came."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.at: list[float] = []

    def write(self, text: str) -> int:
        self.at += [self._clock.now] * text.count("\n")
        return super().write(text)

    def longest_silence(self) -> float:
        edges = [0.0, *self.at, self._clock.now]
        return max(later - earlier for earlier, later in zip(edges, edges[1:], strict=False))

    def lines(self) -> list[str]:
        return [re.sub(r"^\d\d:\d\d:\d\dZ  ", "", line) for line in self.getvalue().splitlines()]


Work = Callable[[PlainFrontEnd, Clock], Awaitable[None]]


async def at_work(work: Work, *, verbose: bool = False) -> Watched:
    """What line mode printed while this went on."""
    clock = Clock()
    out = Watched(clock)
    lines = Lines(out, clock=clock, wait=clock.wait)
    front_end = PlainFrontEnd(lines, Answers(), interactive=False, verbose=verbose, clock=clock)
    front_end.begin(restore_steps(), Controls())
    alive = asyncio.create_task(front_end.keep_alive())
    await asyncio.sleep(0)
    await work(front_end, clock)
    alive.cancel()
    return out


async def test_an_hour_of_silent_work_has_a_line_at_least_every_ten_seconds() -> None:
    async def work(front_end: PlainFrontEnd, clock: Clock) -> None:
        front_end.show(StepIntended(step="restore-store", fingerprint="", attempt=1), SessionState())
        await clock.pass_by(3600)

    out = await at_work(work)
    assert out.longest_silence() <= 10
    assert out.lines()[-1].startswith("… restore-store: still at work after 3")


async def test_progress_has_counts_rate_and_time_left_and_is_no_flood() -> None:
    async def work(front_end: PlainFrontEnd, clock: Clock) -> None:
        done = 0

        def some_more() -> None:
            nonlocal done
            for _ in range(100):
                done += 10
                front_end.show(
                    Progressed(step="clean-transactions", unit="transactions removed", done=done, total=300_000),
                    SessionState(),
                )

        await clock.pass_by(300, some_more)

    out = await at_work(work)
    assert out.longest_silence() <= 10
    assert len(out.lines()) < 200
    half = "clean-transactions: 150,010 of 300,000 transactions removed, 1,000/s, about 2 minutes and 30 seconds left"
    assert half in out.lines()
    assert out.lines()[-1].startswith("clean-transactions: 300,000 of 300,000 transactions removed, ")


async def test_slow_progress_is_told_by_the_minute() -> None:
    async def work(front_end: PlainFrontEnd, clock: Clock) -> None:
        for done in range(1, 5):
            front_end.show(Progressed(step="repair", unit="ranges", done=done, total=16, scope="n1"), SessionState())
            await clock.pass_by(120)

    out = await at_work(work)
    assert out.longest_silence() <= 10
    assert "repair n1: 4 of 16 ranges, 0.5/min, about 24 minutes left" in out.lines()
    assert [line for line in out.lines() if line.startswith("… repair: still at work after ") and "4 of 16" in line]


async def test_nothing_is_said_into_a_question() -> None:
    async def work(front_end: PlainFrontEnd, clock: Clock) -> None:
        front_end.lines.ask("Type exactly:  remove 3 from shop on practice")
        await clock.pass_by(600)
        front_end.lines.answered()
        await clock.pass_by(9)

    out = await at_work(work)
    asked = out.getvalue().partition("Type exactly:  remove 3 from shop on practice\n> ")[2]
    assert asked.count("\n") == 1
    assert "still at work" in asked


@pytest.mark.parametrize("verbose", [False, True])
async def test_raw_lines_of_nodes_are_shown_only_if_wanted(verbose: bool) -> None:
    async def work(front_end: PlainFrontEnd, clock: Clock) -> None:
        for event in (
            CommandStarted(step="repair", source="n1", command=("nodetool", "repair", "--", "the keyspace")),
            LinePrinted(step="repair", source="n1", stream="stdout", text="Starting repair command #1"),
            CommandEnded(step="repair", source="n1", exit_code=0, seconds=0.2),
            CommandEnded(step="repair", source="n1", exit_code=1, seconds=0.2),
        ):
            front_end.show(event, SessionState())

    lines = (await at_work(work, verbose=verbose)).lines()
    assert "repair: n1: runs nodetool repair -- 'the keyspace'" in lines
    assert ("repair: n1: | Starting repair command #1" in lines) is verbose
    assert [line for line in lines if "ended with" in line] == ["repair: n1: ended with 1 after 0.2 s"]


async def test_a_guard_is_told_again_only_when_it_says_something_new() -> None:
    async def work(front_end: PlainFrontEnd, clock: Clock) -> None:
        def checked(step: str, guard: str, status: str, evidence: str) -> None:
            event = GuardChecked(step=step, guard=guard, status=status, evidence=evidence, remedy="mend it")
            front_end.show(event, SessionState())

        checked("preflight", "EveryNodeUp", "passed", "3 of 3 up")
        checked("preflight", "ThriftClosed", "warned", "Thrift is on")
        front_end.show(PlanMade(step="preflight", title="look", lines=(), fingerprint="a"), SessionState())
        checked("repair", "EveryNodeUp", "passed", "3 of 3 up, seen from others")
        checked("repair", "ThriftClosed", "warned", "Thrift is on")
        front_end.show(PlanMade(step="repair", title="repair", lines=("nodetool",), fingerprint="b"), SessionState())
        front_end.show(PlanMade(step="repair", title="repair", lines=("nodetool",), fingerprint="b"), SessionState())
        checked("fast-forward", "EveryNodeUp", "blocked", "2 of 3 up")
        checked("fast-forward", "EveryNodeUp", "passed", "3 of 3 up")

    lines = (await at_work(work)).lines()
    assert lines[2:] == [
        "preflight: ok       EveryNodeUp: 3 of 3 up",
        "preflight: WARNING  ThriftClosed: Thrift is on",
        "preflight:          remedy: mend it",
        "preflight: plan: look",
        *[line for line in lines if line.startswith("[3/6] repair: ")],
        *[line for line in lines if line.startswith("      Replicas were copied")],
        "repair: ok       EveryNodeUp, ThriftClosed (warned as before)",
        "repair: plan: repair",
        "repair:   nodetool",
        *[line for line in lines if line.startswith("[5/6] fast-forward: ")],
        *[line for line in lines if line.startswith("      The restored timestamps")],
        "fast-forward: REFUSED  EveryNodeUp: 2 of 3 up",
        "fast-forward:          remedy: mend it",
        "fast-forward: ok       EveryNodeUp: 3 of 3 up",
    ]


async def test_the_watch_over_clients_speaks_once_when_somebody_comes() -> None:
    async def work(front_end: PlainFrontEnd, clock: Clock) -> None:
        for evidence in ["nobody"] * 5 + ["127.0.0.9:4711 (user service)"] * 5 + ["nobody"] * 5:
            status = "passed" if evidence == "nobody" else "blocked"
            event = GuardChecked(guard="NoClientsConnected", status=status, evidence=evidence, remedy="stop it")
            front_end.show(event, SessionState())

    lines = (await at_work(work)).lines()
    assert lines == ["WARNING: NoClientsConnected: 127.0.0.9:4711 (user service)", "  remedy: stop it"]


def test_on_a_terminal_words_are_broken_between_words_and_commands_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "80")
    out = Screen()
    lines = Lines(out)
    lines.tell("preflight: ok       EveryNodeUp: " + "three of three are up and normal, " * 5)
    lines.say("repair:   nodetool -h 127.0.9.1 -p 7199 repair --partitioner-range --full -- shop _transactions")
    *told, command = out.getvalue().splitlines()
    assert len(told) > 2
    assert max(map(len, told)) <= 80
    assert all(line.startswith("  ") for line in (line.partition("Z  ")[2] for line in told[1:]))
    assert " ".join(line.partition("Z  ")[2].strip() for line in told).count("up and normal,") == 5
    assert command.endswith("-- shop _transactions")
    log = io.StringIO()
    Lines(log).tell("word " * 100)
    assert len(log.getvalue().splitlines()) == 1


def test_secrets_and_broken_outputs_get_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    told: list[str] = []
    out = io.StringIO()
    lines = Lines(out)
    lines.secrets = {"hunter2"}
    lines.say("the password is hunter2!")
    assert out.getvalue().endswith("the password is ***!\n")
    gone = Lines(Gone())
    gone.when_gone = lambda: told.append("gone")
    gone.say("one")
    gone.say("two")
    assert told == ["gone"]
